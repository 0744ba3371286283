"""Augmentation in the steps: who sees what, with which chances, and how its strength is steered and kept."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.tools import log_of, make_images, micro, run
from torch import Tensor, nn

from swapae.losses import AugmentConfig, augment, augment_patches, squared_gradient
from swapae.training.engine import Engine
from swapae.training.objective import LossConfig
from swapae.training.setup import make_learner
from swapae.training.step import Steps
from swapae.training.strength import Strength

KINDS = ("discriminator", "r1", "generator")
ADA = AugmentConfig("ada", strength=0.8, interval=2, speed_kimg=0.1)
CONFIGS = {"diffaug": AugmentConfig("diffaug"), "ada": ADA}
CPU = Engine(torch.device("cpu"))


def make_steps(dtype: torch.dtype = torch.float64, batch: int = 4, **changes: object) -> Steps:
    config = micro(batch_size=batch, **changes)
    learner = make_learner(config, CPU)
    for module in learner.networks.named().values():
        module.to(dtype)
    return Steps(learner.networks, learner.optimizers, config, CPU, strength=learner.strength)


def images(batch: int = 4) -> Tensor:
    return torch.rand(batch, 3, 16, 16, generator=chance(0), dtype=torch.float64) * 2 - 1


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Listening:
    """What the two discriminators are shown."""

    def __init__(self, steps: Steps) -> None:
        self.images: list[Tensor] = []
        self.patches: list[Tensor] = []
        networks = steps.networks
        networks.discriminator.register_forward_pre_hook(lambda _, inputs: self.images.append(inputs[0]))
        judge, features = networks.patch_discriminator, networks.patch_discriminator.features

        def heard(patches: Tensor) -> Tensor:
            self.patches.append(patches)
            return features(patches)

        judge.features = heard  # type: ignore[method-assign]


# ── who sees what ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_without_augmentation_chances_images_and_weights_are_those_of_before(kind: str) -> None:
    plain, shown = make_steps(), Listening(off := make_steps(augment=AugmentConfig(strength=0.9)))
    random, other = chance(), chance()
    terms = getattr(plain, f"{kind}_step")(images(), random)
    assert terms == getattr(off, f"{kind}_step")(images(), other)
    assert torch.equal(random.get_state(), other.get_state())
    if kind == "r1":
        assert torch.equal(shown.images[0], images())


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_discriminators_see_all_images_and_patches_augmented_in_every_step(kind: str, name: str) -> None:
    plain, altered = make_steps(), make_steps(augment=CONFIGS[name])
    before, after = Listening(plain), Listening(altered)
    for steps in (plain, altered):
        getattr(steps, f"{kind}_step")(images(), chance())
    assert [x.shape for x in before.images] == [x.shape for x in after.images]
    assert [x.shape for x in before.patches] == [x.shape for x in after.patches]
    for one, other in zip(before.images + before.patches, after.images + after.patches, strict=True):
        changed = (one - other).flatten(1).abs().amax(1) > 1e-3
        assert changed.float().mean() > 0.8  # noise and windows are the same; ada leaves few as they are


@pytest.mark.parametrize("name", CONFIGS)
def test_every_image_has_chances_of_its_own_and_all_patches_of_an_image_share_them(name: str) -> None:
    steps = make_steps(augment=CONFIGS[name])
    for kind, seen in (("discriminator", 4 + 2 + 4), ("generator", 2 + 4), ("r1", 4)):
        flags = {"sees_real": kind != "generator", "with_noise": kind != "r1"}
        (one,) = steps._dealt(images(), chance(), num_sets=0, **flags)
        assert one.image_draws is not None
        assert one.patch_draws is not None
        assert len(one.image_draws) == seen
        assert len(torch.unique(one.image_draws, dim=0)) == seen
        assert len(torch.unique(torch.cat([one.image_draws, one.patch_draws]), dim=0)) == seen + 4
    flat = torch.linspace(-1, 1, 4, dtype=torch.float64)[:, None, None, None, None].expand(-1, 2, 3, 16, 16)
    shown = steps._patch_view(one)(torch.cat([flat, flat, flat]))
    assert torch.equal(shown[:4], shown[4:8])
    assert torch.equal(shown[:4], shown[8:])
    assert torch.equal(shown[:, 0], shown[:, 1])
    assert torch.equal(shown[:4], steps._patch_view(one)(flat))


# ── what the steps descend ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_pass_through_augmentation_to_encoder_and_generator(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of −logits alone: against the gradient of one graph from the codes to the augmented images."""
    steps = make_steps(augment=CONFIGS[name], loss=replace(micro().loss, l1=0.0, patch=0.0))
    monkeypatch.setattr("swapae.training.step._descend", lambda *_: None)
    steps.generator_step(images(), chance())
    parameters = list(steps.networks.generator.parameters()) + list(steps.networks.encoder.parameters())
    found = [p.grad for p in parameters]
    (one,) = steps._dealt(images(), chance(), num_sets=2, sees_real=False)
    made = torch.cat(steps._images(one))
    logits = steps.networks.discriminator(
        augment(CONFIGS[name], made, one.image_draws, steps.strength.probability)
    )
    share = torch.tensor([0.5 / 2] * 2 + [1.0 / 4] * 4, dtype=torch.float64)
    loss = (nn.functional.softplus(-logits[:, 0]) * share).sum()
    for a, b in zip(found, torch.autograd.grad(loss, parameters), strict=True):
        assert a is not None
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_penalty_is_that_of_images_and_patches_seen_augmented(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = make_steps(augment=CONFIGS[name])
    monkeypatch.setattr("swapae.training.step._descend", lambda *_: None)
    terms = steps.r1_step(images(), chance())
    (one,) = steps._dealt(images(), chance(), num_sets=2, with_noise=False)
    real, p = images().requires_grad_(), steps.strength.probability
    logits = steps.networks.discriminator(augment(CONFIGS[name], real, one.image_draws, p))
    torch.testing.assert_close(terms["D_r1"], 10 / 2 * squared_gradient(logits, [real]).mean())
    sets = [patches.requires_grad_() for patches in steps._patches((images(), images()), one)]
    shown = [augment_patches(CONFIGS[name], patches, one.patch_draws, p) for patches in sets]
    penalty = squared_gradient(steps.networks.patch_discriminator(*shown), sets).mean() / 4
    torch.testing.assert_close(terms["patch_D_r1"], penalty)
    weight = steps.networks.discriminator.from_rgb.conv.weight
    assert weight.grad is not None
    assert weight.grad.any()


@pytest.mark.parametrize("kind", KINDS)
def test_micro_batches_have_their_share_of_the_chances_of_the_batch(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swapae.training.step._descend", lambda *_: None)
    real = images(8)
    whole, parts = (make_steps(batch=8, augment=ADA, accumulate=n) for n in (1, 2))
    terms = getattr(whole, f"{kind}_step")(real, chance())
    places = CPU.places(8, 2)
    found = getattr(parts, f"{kind}_step")(real[places], chance())
    assert found == {name: pytest.approx(float(term), rel=1e-6) for name, term in terms.items()}
    for name, network in whole.networks.named().items():
        others = parts.networks.named()[name].parameters()
        for one, other in zip(network.parameters(), others, strict=True):
            assert (one.grad is None) is (other.grad is None)
            if one.grad is not None:
                torch.testing.assert_close(one.grad, other.grad, rtol=1e-8, atol=1e-13)


# ── structure options in the steps ───────────────────────────────────────────────────────────────


def test_consistency_is_descended_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swapae.training.step._descend", lambda *_: None)
    loss = replace(micro().loss, structure_consistency=0.7, texture_consistency=0.3)
    steps, plain = make_steps(loss=loss), make_steps()
    terms, before = (one.generator_step(images(), chance()) for one in (steps, plain))
    assert set(terms) == set(before) | {"G_structure", "G_texture"}
    assert all(torch.equal(terms[name], before[name]) for name in before)
    (one,) = steps._dealt(images(), chance(), num_sets=2, sees_real=False)
    _, own = steps._made(one)
    parameters = [
        p for module in (steps.networks.encoder, steps.networks.generator) for p in module.parameters()
    ]
    more = torch.autograd.grad(sum(term.mean() for term in own.values()), parameters, allow_unused=True)
    others = [p for module in (plain.networks.encoder, plain.networks.generator) for p in module.parameters()]
    for parameter, other, extra in zip(parameters, others, more, strict=True):
        assert parameter.grad is not None
        assert other.grad is not None
        expected = other.grad if extra is None else other.grad + extra
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-8, atol=1e-14)
    assert any(extra is not None and extra.any() for extra in more)


def test_patch_sizes_and_weights_follow_their_ramps_in_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, float]] = []
    dealt = Steps._dealt

    def watched(self: Steps, *arguments: object, **options: object) -> object:
        seen.append((self.loss.patch, self.loss.patch_max_scale))
        return dealt(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Steps, "_dealt", watched)
    loss = LossConfig(num_patches=2)
    schedule = replace(loss.schedule, begin=4, end=12, patch=0.0, patch_max_scale=0.125)
    run(
        micro(loss=replace(loss, schedule=schedule), total_images=20),
        make_images(tmp_path / "i"),
        tmp_path / "r",
    )
    assert seen == [(1.0, 0.25), (1.0, 0.25), (0.5, 0.1875), (0.0, 0.125), (0.0, 0.125)]


# ── the strength ─────────────────────────────────────────────────────────────────────────────────


def hear(strength: Strength, *signs: float) -> Iterator[float]:
    """Steps on batches of four real images, whose logits have these signs; the strength after each."""
    for sign in signs:
        strength.hear(torch.full((4, 1), sign * 3))
        strength.adapt(4)
        yield float(strength.probability)


def test_the_strength_moves_every_few_steps_by_as_much_as_the_images_count_for() -> None:
    strength = Strength(AugmentConfig("ada", strength=0.5, interval=2, speed_kimg=0.08), CPU)
    # Of 80 images 8 are a tenth; signs of 1 and 0 are on average below 0.6, those of 1 and 1 above it.
    assert list(hear(strength, 1, 1, 1, 0, 1, 1, 1, 1)) == pytest.approx(
        [0.5, 0.6, 0.6, 0.5, 0.5, 0.6, 0.6, 0.7]
    )


def test_it_goes_from_0_to_1_in_the_images_of_its_speed_and_no_further() -> None:
    strength = Strength(AugmentConfig("ada", interval=4, speed_kimg=0.4), CPU)
    path = list(hear(strength, *[1.0] * 120))  # 480 images
    assert path[95] < 1 - 1e-3
    assert path[99] == pytest.approx(1)
    assert path[-1] == 1
    assert list(hear(strength, *[-1.0] * 120))[-1] == 0


def test_a_speed_of_0_holds_it_still_and_other_kinds_have_none() -> None:
    still = Strength(AugmentConfig("ada", strength=0.3, speed_kimg=0), CPU)
    assert list(hear(still, *[1.0] * 8)) == pytest.approx([0.3] * 8)
    for kind in ("none", "diffaug"):
        none = Strength(AugmentConfig(kind), CPU)  # type: ignore[arg-type]
        assert none.adapt(4) == {}
        assert none.state() == {}


def test_logits_that_are_not_numbers_say_nothing() -> None:
    strength = Strength(AugmentConfig("ada", strength=0.5, interval=1, speed_kimg=0.04), CPU)
    strength.hear(torch.full((4, 1), torch.nan))
    strength.adapt(4)
    assert float(strength.probability) == pytest.approx(0.4)


def test_the_state_is_all_there_is_to_it() -> None:
    config = AugmentConfig("ada", interval=3, speed_kimg=0.1)
    one, other = Strength(config, CPU), Strength(config, CPU)
    list(hear(one, 1, 1, 1, 1))
    other.restore(json.loads(json.dumps(one.state())))
    assert other.state() == one.state()
    assert list(hear(other, 1, 1, 1)) == list(hear(one, 1, 1, 1))


def test_a_run_logs_its_strength_and_goes_on_with_it_to_the_bit(tmp_path: Path) -> None:
    """With a target of −1 every strength rises: it is known how far."""
    config = micro(
        augment=AugmentConfig("ada", strength=0.5, target=-1, interval=3, speed_kimg=0.4), total_images=40
    )
    data = make_images(tmp_path / "images")
    run(config, data, tmp_path / "whole")
    run(config, data, tmp_path / "halves", after=5)  # in the middle of an interval
    run(config, data, tmp_path / "halves")
    whole, halves = log_of(tmp_path / "whole"), log_of(tmp_path / "halves")
    assert whole == halves
    strengths = [line["augment_strength"] for line in whole if "augment_strength" in line]
    assert strengths[0] == pytest.approx(0.5)
    assert strengths[-1] == pytest.approx(0.5 + 3 * 4 / 400)
    assert all(-1 <= line["D_sign"] <= 1 for line in whole if "D_sign" in line)
    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("whole", "halves")]
    assert weights[0] == weights[1]
    (state,) = (tmp_path / "whole" / "checkpoints").glob("images_00000040/state.json")
    assert json.loads(state.read_text())["augment"]["probability"] == pytest.approx(0.53)
