"""Reconstructing from views, matching patches and falling rates, in the steps of a training."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.tools import make_images, micro, run
from torch import Tensor

import swapae.training.step as steps_module
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.losses import ViewsConfig, draw_views, moved, recolored
from swapae.networks import DiscriminatorConfig
from swapae.training.config import OptimizerConfig, TrainConfig, check
from swapae.training.engine import Engine
from swapae.training.making import encode, encode_views
from swapae.training.setup import make_learner
from swapae.training.step import Steps, set_rates

VIEWS = ViewsConfig(recolor=0.7, pattern=0.5, move=0.7)


def config(**changes: object) -> TrainConfig:
    """Images large enough for patches at a quarter of their size."""
    base = micro(
        discriminator=DiscriminatorConfig(image_size=32, capacity=1 / 64, max_channels=8),
        data=DataConfig(load_size=32, crop_size=32),
        views=VIEWS,
    )
    return replace(base, loss=replace(base.loss, patch_match=2.0, l1_gradient=3.0), **changes)  # type: ignore[arg-type]


def make_steps(**changes: object) -> Steps:
    learner = make_learner(config(**changes), Engine(torch.device("cpu")))
    for network in learner.networks.named().values():
        network.double()
    return Steps(learner.networks, learner.optimizers, config(**changes))


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def images(count: int = 8) -> Tensor:
    return 2 * torch.rand(count, 3, 32, 32, generator=chance(), dtype=torch.float64) - 1


def test_the_first_half_is_reconstructed_from_its_views_and_hybrids_are_made_of_the_images() -> None:
    encoder, real = make_steps().networks.encoder, images()
    draws = draw_views(VIEWS, 8, chance())
    assert draws is not None
    codes, own = encode_views(encoder, VIEWS, real, draws)
    assert own is not None
    plain = encode(encoder, real)
    torch.testing.assert_close(codes.structure, plain.structure)
    torch.testing.assert_close(codes.texture, plain.texture)
    of_recolored = encode(encoder, recolored(VIEWS, real[:4], draws[:4]))
    of_moved = encode(encoder, moved(VIEWS, real[:4], draws[:4]))
    torch.testing.assert_close(own.structure, of_recolored.structure)
    torch.testing.assert_close(own.texture, of_moved.texture)
    assert not torch.allclose(own.structure, plain.structure[:4])
    assert not torch.allclose(own.texture, plain.texture[:4])


def test_a_whole_batch_is_reconstructed_from_its_views_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_module, "_descend", lambda engine, optimizer, skipped: None)
    views, real = replace(VIEWS, whole=True), images()
    steps, half = make_steps(views=views), make_steps()
    networks, (micro_batch,) = steps.networks, steps._dealt(images(), chance(), num_sets=2, sees_real=False)
    _, own = encode_views(networks.encoder, views, real, micro_batch.view_draws)
    assert own is not None
    assert len(own) == 8
    of_hybrids = [maps[-4:] for maps in micro_batch.noise]
    rest = networks.generator(own[4:].structure, own[4:].texture, of_hybrids)
    terms, terms_of_half = steps.generator_step(real, chance()), half.generator_step(real, chance())
    assert terms.keys() - terms_of_half.keys() == {"G_l1_rest", "G_l1_gradient_rest"}
    assert float(terms["G_l1_rest"]) == pytest.approx(float((rest - real[4:]).detach().abs().mean()))
    assert {name: terms[name] for name in terms_of_half} == terms_of_half


def test_only_the_generator_s_step_draws_views_and_places() -> None:
    steps = make_steps()
    (of_generator,) = steps._dealt(images(), chance(), num_sets=2, sees_real=False)
    assert of_generator.view_draws is not None
    assert of_generator.places is not None
    for kind in ({"num_sets": 3}, {"num_sets": 2, "with_noise": False}):
        (other,) = steps._dealt(images(), chance(), **kind)
        assert other.view_draws is None
        assert other.places is None


@pytest.mark.parametrize("is_whole", [False, True])
def test_micro_batches_give_the_gradients_of_the_whole_batch(
    is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_module, "_descend", lambda engine, optimizer, skipped: None)
    real, places = images(12), Engine(torch.device("cpu")).places(12, 3)
    views = replace(VIEWS, whole=is_whole)
    whole = make_steps(batch_size=12, views=views)
    parts = make_steps(batch_size=12, accumulate=3, views=views)
    terms = whole.generator_step(real, chance())
    assert {"G_patch_match", "G_l1_gradient"} <= terms.keys()
    found = parts.generator_step(real[places], chance())
    assert found == {name: pytest.approx(float(term)) for name, term in terms.items()}
    for one, other in zip(
        parts.networks.encoder.parameters(), whole.networks.encoder.parameters(), strict=True
    ):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-13)


def test_off_they_change_nothing_and_draw_nothing() -> None:
    base = micro()
    assert not base.views.is_on
    steps = Steps(*_learning(base), base)
    random = chance()
    steps._dealt(images()[..., :16, :16], random, num_sets=2, sees_real=False)
    with_views = replace(base, views=VIEWS)
    other = chance()
    Steps(*_learning(base), with_views)._dealt(images()[..., :16, :16], other, num_sets=2, sees_real=False)
    assert not torch.equal(random.get_state(), other.get_state())


def _learning(base: TrainConfig) -> tuple[object, object]:
    learner = make_learner(base, Engine(torch.device("cpu")))
    return learner.networks, learner.optimizers


def test_a_whole_batch_without_views_is_refused() -> None:
    with pytest.raises(ValueError, match=r"views\.whole=true needs views"):
        ViewsConfig(whole=True)


def test_images_too_small_for_patches_are_refused_before_anything_is_computed() -> None:
    small = micro()
    with pytest.raises(UserError, match=r"loss.patch_match needs images of 20 px or more, not 16"):
        check(replace(small, loss=replace(small.loss, patch_match=1.0)))


# ── rates ────────────────────────────────────────────────────────────────────────────────────────


def test_rates_fall_in_a_straight_line() -> None:
    rates = OptimizerConfig(decay_begin=100, decay_end=300, decay_to=0.1)
    assert [rates.scale_at(n) for n in (0, 100, 200, 300, 999)] == pytest.approx([1, 1, 0.55, 0.1, 0.1])
    assert OptimizerConfig().scale_at(10**9) == 1


def test_a_training_sets_the_rates_of_both_optimizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(optimizers: object, config: TrainConfig, scale: float, images_seen: int) -> None:
        set_rates(optimizers, config, scale, images_seen)  # type: ignore[arg-type]
        seen.append((images_seen, optimizers.generator.param_groups[0]["lr"]))  # type: ignore[attr-defined]

    monkeypatch.setattr("swapae.training.loop.set_rates", watched)
    falling = micro(optimizer=OptimizerConfig(decay_begin=8, decay_end=24, decay_to=0.5))
    run(falling, make_images(tmp_path / "images"), tmp_path / "run")
    assert seen == [(n, pytest.approx(0.002 * falling.optimizer.scale_at(n))) for n in range(0, 32, 4)]
    assert seen[-1][1] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"decay_begin": 5}, "the first not after the second"),
        ({"decay_begin": -1, "decay_end": 5}, "at least"),
        ({"decay_end": 5, "decay_to": 0.0}, "decay_to"),
    ],
)
def test_rates_that_cannot_fall_so_are_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OptimizerConfig(**wrong)  # type: ignore[arg-type]
