"""What a step descends: the whole objective, however its backward is divided, and whatever is kept for it."""

import pytest
import torch
from tests.training.tools import micro
from torch import Tensor

from swapae.training import step as steps_module
from swapae.training.checkpoint import optimizer_tensors, restore_optimizers
from swapae.training.engine import Engine, lay_out
from swapae.training.objective import Terms, discriminator_terms, generator_terms, r1_terms, total
from swapae.training.setup import make_learner
from swapae.training.step import Steps

KINDS = ("discriminator", "r1", "generator")


def make_steps(dtype: torch.dtype = torch.float64, **changes: object) -> Steps:
    config = micro(**changes)
    learner = make_learner(config, Engine(torch.device("cpu")))
    for module in learner.networks.named().values():
        module.to(dtype)
    return Steps(learner.networks, learner.optimizers, config)


def images(dtype: torch.dtype = torch.float64, count: int = 4) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0)).to(dtype) * 2 - 1


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def parameters_of(steps: Steps, kind: str) -> list[Tensor]:
    adam = steps.optimizers.generator if kind == "generator" else steps.optimizers.discriminator
    return [parameter for group in adam.param_groups for parameter in group["params"]]


def of_step(
    steps: Steps, kind: str, real: Tensor, monkeypatch: pytest.MonkeyPatch
) -> tuple[Terms, list[Tensor | None]]:
    """The terms of a step, and the gradients that its optimizer is given: a bias may have none of R1."""
    given: list[object] = []
    monkeypatch.setattr(steps_module, "_descend", lambda engine, optimizer, skipped: given.append(optimizer))
    terms = getattr(steps, f"{kind}_step")(real, chance())
    assert given == [steps.optimizers.generator if kind == "generator" else steps.optimizers.discriminator]
    return terms, [parameter.grad for parameter in parameters_of(steps, kind)]


def of_one_graph(steps: Steps, kind: str, real: Tensor) -> tuple[Terms, list[Tensor | None]]:
    """The same by the whole objective at once, multiplied as the specification has it (§9.2, item 5)."""
    random, networks, loss = chance(), steps.networks, steps.config.loss
    steps._freeze_discriminators(kind == "generator")
    num_sets = {"discriminator": 3, "r1": 2, "generator": 2}[kind]
    (micro,) = steps._dealt(real, random, num_sets=num_sets, with_noise=kind != "r1")
    made = () if kind == "r1" else steps._images(micro)
    if kind == "discriminator":
        made = tuple(one.detach() for one in made)
        patches = steps._patches((real, real, made[1]), micro)
        terms = discriminator_terms(networks, loss, real, *made, *patches)
    elif kind == "r1":
        terms = r1_terms(networks, loss, real, *steps._patches((real, real), micro))
    else:
        patches = steps._patches((real, made[1]), micro)
        terms = generator_terms(networks, loss, real, *made, *patches)
    factor = loss.r1_interval if kind == "r1" else 1
    parameters = parameters_of(steps, kind)
    found = torch.autograd.grad(factor * total(terms), parameters, allow_unused=True)
    return {name: term.detach().mean() for name, term in terms.items()}, list(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_descends_the_whole_objective_though_its_parts_go_backward_one_by_one(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = images()
    terms, gradients = of_step(make_steps(), kind, real, monkeypatch)
    expected_terms, expected = of_one_graph(make_steps(), kind, real)
    found = {name: terms[name] for name in expected_terms}  # readings of health come with them
    assert found == {name: pytest.approx(float(term)) for name, term in expected_terms.items()}
    assert any(gradient is not None for gradient in gradients)
    for one, other in zip(gradients, expected, strict=True):
        assert (one is None) is (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_micro_batches_give_the_gradients_of_the_whole_batch(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = images(count=12)
    terms, gradients = of_step(make_steps(batch_size=12), kind, real, monkeypatch)
    places = Engine(torch.device("cpu")).places(12, 3)
    assert places == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]
    steps = make_steps(batch_size=12, accumulate=3)
    found_terms, found = of_step(steps, kind, real[places], monkeypatch)
    assert found_terms == {name: pytest.approx(float(term)) for name, term in terms.items()}
    for one, other in zip(found, gradients, strict=True):
        assert (one is None) is (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_checkpointing_changes_no_bit_of_a_gradient(
    kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = images(dtype)
    plain = of_step(make_steps(dtype), kind, real, monkeypatch)
    found = of_step(make_steps(dtype, checkpoint_activations=True), kind, real, monkeypatch)
    assert found[0] == plain[0]
    for one, other in zip(found[1], plain[1], strict=True):
        assert one is other is None or (one is not None and other is not None and torch.equal(one, other))


def test_checkpointing_keeps_less_in_the_generators_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(wanted: bool) -> int:
        """Bytes of the distinct tensors that the step saves outside of blocks."""
        saved: dict[int, Tensor] = {}

        def pack(tensor: Tensor) -> Tensor:
            saved[tensor.untyped_storage().data_ptr()] = tensor
            return tensor

        steps = make_steps(checkpoint_activations=wanted)
        mine = {
            p.untyped_storage().data_ptr()
            for net in steps.networks.named().values()
            for p in net.parameters()
        }
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            of_step(steps, "generator", images(), monkeypatch)
        return sum(t.untyped_storage().nbytes() for place, t in saved.items() if place not in mine)

    assert kept(True) < 0.6 * kept(False)


def test_moments_are_restored_in_the_layout_of_their_weights() -> None:
    steps = make_steps(torch.float32)
    lay_out(steps.networks.discriminator, torch.channels_last)
    steps.discriminator_step(images(torch.float32), chance())
    saved = {name: t.contiguous() for name, t in optimizer_tensors(steps.networks, steps.optimizers).items()}
    restore_optimizers(saved, steps.networks, steps.optimizers)
    kernel = steps.networks.discriminator.final_conv.conv.weight
    moment = steps.optimizers.discriminator.state[kernel]["exp_avg_sq"]
    assert moment.stride() == kernel.stride()
    assert torch.equal(moment, saved["discriminator.final_conv.conv.weight|exp_avg_sq"])
    assert not moment.requires_grad


def test_kernels_in_channels_last_have_the_same_shapes_and_values() -> None:
    steps = make_steps()
    before = {name: value.clone() for name, value in steps.networks.discriminator.state_dict().items()}
    lay_out(steps.networks.discriminator, torch.channels_last)
    after = steps.networks.discriminator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    kernel = steps.networks.discriminator.final_conv.conv.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
