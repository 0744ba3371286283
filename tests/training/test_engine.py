"""Precision, compilation, and what one process says of several."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.training.test_resume import assert_same
from tests.training.tools import make_images, micro, run
from torch import Tensor

from swapae.errors import UserError
from swapae.training import engine as engines
from swapae.training.config import Precision
from swapae.training.engine import Engine, start
from swapae.training.health import is_reading
from swapae.training.setup import make_learner
from swapae.training.step import Steps

KINDS = ("discriminator", "r1", "generator")
CPU = torch.device("cpu")


def steps_in(precision: Precision = "fp32", is_compiling: bool = False) -> Steps:
    config = micro(precision=precision, compile=is_compiling)
    engine = Engine(CPU, precision, is_compiling=is_compiling)
    learner = make_learner(config, engine)
    return Steps(learner.networks, learner.optimizers, config, engine)


def terms_of(steps: Steps, kinds: tuple[str, ...] = KINDS) -> dict[str, Tensor]:
    real = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    terms: dict[str, Tensor] = {}
    for kind in kinds:
        terms |= getattr(steps, f"{kind}_step")(real, torch.Generator().manual_seed(1))
    return terms


def weights_of(steps: Steps) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": parameter
        for name, network in steps.networks.named().items()
        for key, parameter in network.named_parameters()
    }


# ── precision ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_computes_the_same_losses_to_its_digits(precision: Precision) -> None:
    expected, found = terms_of(steps_in()), terms_of(steps_in(precision))
    assert found.keys() == expected.keys()
    assert all(term.dtype == torch.float32 for term in found.values())
    for name, term in expected.items():
        if not name.endswith("_r1"):  # those come after a step, by rounded gradients that Adam makes large
            # Logits near 0 are small differences of large numbers.
            room = 0.01 if is_reading(name) else 1e-12
            assert float(found[name]) == pytest.approx(float(term), rel=0.03, abs=room), name
    assert any(not torch.equal(found[name], term) for name, term in expected.items())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_and_moments_stay_in_full_precision(precision: Precision) -> None:
    steps = steps_in(precision)
    before = {name: weight.clone() for name, weight in weights_of(steps).items()}
    terms_of(steps)
    after = weights_of(steps)
    assert any(not torch.equal(before[name], weight) for name, weight in after.items())
    for adam in (steps.optimizers.generator, steps.optimizers.discriminator):
        tensors = [t for state in adam.state.values() for t in state.values()]
        assert {t.dtype for t in (*tensors, *after.values())} == {torch.float32}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_r1_is_computed_in_full_precision(precision: Precision) -> None:
    expected, found = terms_of(steps_in(), ("r1",)), terms_of(steps_in(precision), ("r1",))
    assert all(torch.equal(found[name], term) for name, term in expected.items())


def test_steps_with_scaled_gradients_that_overflow_are_left_out_and_the_scale_halved() -> None:
    steps = steps_in("fp16")
    steps.engine.restore({**steps.engine.scaling(), "scale": 2.0**40})
    before = {name: weight.clone() for name, weight in weights_of(steps).items()}
    terms_of(steps, ("discriminator",))
    assert all(torch.equal(before[name], weight) for name, weight in weights_of(steps).items())
    assert steps.engine.scaling()["scale"] == 2.0**39


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_in_half_precision_resume_is_exact_too(precision: Precision, tmp_path: Path) -> None:
    images, config = make_images(tmp_path / "images"), micro(precision=precision)
    run(config, images, tmp_path / "unbroken")
    run(config, images, tmp_path / "run", after=5)
    run(config, images, tmp_path / "run")
    assert_same(tmp_path / "run", tmp_path / "unbroken")


# ── compiling ────────────────────────────────────────────────────────────────────────────────────


def test_compiled_networks_take_the_same_steps_and_r1_takes_them_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(engines, "BACKEND", backend)
    compiled = steps_in(is_compiling=True)
    found = terms_of(compiled, ("discriminator",))
    num_graphs = len(graphs)
    assert num_graphs >= 4  # one a network, or more
    found |= terms_of(compiled, ("r1",))
    assert len(graphs) == num_graphs
    expected = terms_of(steps_in(), ("discriminator", "r1"))
    for name, term in expected.items():
        torch.testing.assert_close(found[name], term, rtol=1e-4, atol=1e-6)


def test_what_cannot_be_compiled_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Callable[..., object]:
        raise OSError("no compiler\nand much more")

    monkeypatch.setattr(engines, "BACKEND", backend)
    with pytest.raises(UserError, match=r"^the networks cannot be compiled \(.*: set compile to false\.$"):
        terms_of(steps_in(is_compiling=True), ("discriminator",))


def test_without_a_compiler_nothing_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "has_compiler", lambda: False)
    with pytest.raises(UserError, match="needs a C\\+\\+ compiler"):
        run(micro(compile=True), make_images(tmp_path / "images"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


# ── processes ────────────────────────────────────────────────────────────────────────────────────


def test_several_processes_without_accelerate_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setitem(__import__("sys").modules, "accelerate", None)
    with pytest.raises(UserError, match=r"2 processes need Accelerate: pip install 'swapae\[train\]'"):
        start("cpu", micro())


def test_processes_to_which_a_batch_cannot_be_dealt_are_refused_before_they_meet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UserError, match="a batch of 4 images cannot be dealt in pairs to 3 processes"):
        start("cpu", micro())


def test_one_process_agrees_with_itself_and_waits_for_nobody() -> None:
    engine = Engine(CPU)
    engine.wait()
    with engine.first_alone():
        pass
    assert (engine.rank, engine.num_processes, engine.is_first) == (0, 1, True)
    assert [engine.agree(asked) for asked in (True, False)] == [True, False]
    assert engine.mean({"loss": 0.1}) == {"loss": 0.1}
    assert engine.from_first("value") == "value"
