"""Who is paired with whom, and which term weighs what; the golden files hold the values elsewhere."""

import math
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from swapae.codes import Codes
from swapae.losses import draw_places
from swapae.training.making import reconstruct_and_mix, swapped
from swapae.training.objective import (
    LossConfig,
    Networks,
    consistency_terms,
    discriminator_terms,
    generator_terms,
    match_terms,
    r1_terms,
    total,
)
from swapae.training.schedule import ScheduleConfig

BATCH, PATCHES = 4, 3
LN2 = math.log(2)  # softplus of a logit of 0


class Undecided(nn.Module):
    """Discriminators whose logits are 0 and whose gradients are 1 for every pixel."""

    def forward(self, images: Tensor) -> Tensor:
        return (images - images.detach()).flatten(1).sum(1, keepdim=True)

    def features(self, patches: Tensor) -> Tensor:
        return patches - patches.detach()

    def compare(self, reference: Tensor, query: Tensor, use_aggregation: bool = True) -> Tensor:
        if use_aggregation:
            reference = reference.mean(1, keepdim=True).expand_as(query)
        return (reference + query).flatten(2).sum(2).reshape(-1, 1)


class UndecidedPatches(Undecided):
    def forward(self, reference: Tensor, patches: Tensor, use_aggregation: bool = True) -> Tensor:  # type: ignore[override]
        return self.compare(self.features(reference), self.features(patches), use_aggregation)


class Straying(nn.Module):
    """An encoder that gives back codes at a right angle to those of `codes`."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        structure, texture = codes(len(images)).structure, codes(len(images)).texture
        return structure.flip(1), texture.flip(1)


def codes(count: int = BATCH) -> Codes:
    first = torch.tensor([1.0, 0.0])
    return Codes(first.view(1, 2, 1, 1).expand(count, -1, 2, 2), first.expand(count, -1), (8, 8))


UNDECIDED = Networks(nn.Identity(), nn.Identity(), Undecided(), UndecidedPatches())  # type: ignore[arg-type]


def images(count: int = BATCH) -> Tensor:
    return torch.rand(count, 3, 8, 8)


def patches() -> Tensor:
    return torch.rand(BATCH, PATCHES, 3, 4, 4)


def means(config: LossConfig) -> dict[str, float]:
    """Every term of all three steps under undecided discriminators; every reconstruction is off by 1."""
    real = images()
    half = BATCH // 2
    terms = discriminator_terms(
        UNDECIDED, config, real, images(half), images(), patches(), patches(), patches()
    )
    sloped = real[:half] + torch.linspace(0, 2, real.shape[3])  # off by 1 on average
    terms |= generator_terms(UNDECIDED, config, real, sloped, images(), patches(), patches())
    terms |= r1_terms(UNDECIDED, config, real, patches(), patches())
    terms |= consistency_terms(Straying(), config, codes(), images())  # type: ignore[arg-type]
    if config.patch_match:
        large = torch.zeros(2, 3, 24, 24)
        terms |= match_terms(config, large, large + 1, draw_places(torch.Generator().manual_seed(0)))
    return {name: float(term.mean()) for name, term in terms.items()}


# ── pairs ────────────────────────────────────────────────────────────────────────────────────────


@given(pairs=st.integers(0, 8), shape=st.lists(st.integers(1, 3), max_size=3))
def test_swapping_neighbours_twice_changes_nothing_and_once_moves_every_image(
    pairs: int, shape: list[int]
) -> None:
    x = torch.arange(2.0 * pairs).view(-1, *(1 for _ in shape)).expand(-1, *shape)
    assert torch.equal(swapped(swapped(x)), x)
    expected = [place + 1 - 2 * (place % 2) for place in range(2 * pairs)]
    assert torch.equal(swapped(x), x[expected])


def test_an_odd_batch_does_not_pair_off() -> None:
    with pytest.raises(ValueError, match="a batch of 3"):
        swapped(torch.zeros(3, 1))


def test_hybrids_wear_their_own_texture_on_their_neighbours_structure() -> None:
    def generator(structure: Tensor, texture: Tensor, noise: object) -> Tensor:
        return torch.stack([structure[:, 0, 0, 0], texture[:, 0]], dim=1)

    number = torch.arange(6.0)
    codes = Codes(number.view(6, 1, 1, 1), number.view(6, 1), (1, 1))
    reconstruction, hybrid = reconstruct_and_mix(generator, codes)  # type: ignore[arg-type]
    assert reconstruction.tolist() == [[0, 0], [1, 1], [2, 2]]  # of the first half only
    assert hybrid.tolist() == [[1, 0], [0, 1], [3, 2], [2, 3], [5, 4], [4, 5]]


# ── weights ──────────────────────────────────────────────────────────────────────────────────────


def test_the_published_weights_are_the_defaults() -> None:
    pixels, patch_pixels = 3 * 8 * 8, 3 * 4 * 4 * PATCHES
    # Each reference patch acts through the mean of N into N logits: its gradient is 1 as the query's is.
    expected = {
        "D_real": LN2,
        "D_reconstruction": 0.5 * LN2,
        "D_hybrid": 0.5 * LN2,
        "patch_D_real": LN2,
        "patch_D_hybrid": LN2,
        "G_l1": 1.0,
        "G_reconstruction": 0.5 * LN2,
        "G_hybrid": 1.0 * LN2,
        "patch_G_hybrid": LN2,
        "D_r1": 10 / 2 * pixels,
        "patch_D_r1": 0.5 * 1 * 0.5 * (patch_pixels + patch_pixels),
    }
    assert means(LossConfig()) == pytest.approx(expected, rel=1e-5)
    assert not LossConfig().stop_structure_gradient
    assert LossConfig().schedule == ScheduleConfig()
    assert (LossConfig().r1_interval, LossConfig().num_patches) == (16, 8)
    assert (LossConfig().patch_min_scale, LossConfig().patch_max_scale) == (1 / 8, 1 / 4)
    assert LossConfig().use_aggregation


WEIGHTS = {
    "l1": {"G_l1"},
    "l1_gradient": {"G_l1_gradient"},
    "gan": {"D_real", "D_reconstruction", "D_hybrid", "G_reconstruction", "G_hybrid"},
    "gan_reconstruction": {"D_reconstruction", "G_reconstruction"},
    "gan_hybrid": {"D_hybrid"},
    "gan_hybrid_generator": {"G_hybrid"},
    "patch": {"patch_D_real", "patch_D_hybrid", "patch_G_hybrid"},
    "patch_match": {"G_patch_match"},
    "r1": {"D_r1"},
    "patch_r1": {"patch_D_r1"},
    "structure_consistency": {"G_structure"},
    "texture_consistency": {"G_texture"},
}
ALL = LossConfig(l1_gradient=1.0, patch_match=1.0, structure_consistency=1.0, texture_consistency=1.0)


def test_every_weight_is_tested() -> None:
    floats = {field.name for field in fields(LossConfig) if field.type in (float, "float")}
    assert floats == set(WEIGHTS) | {"patch_min_scale", "patch_max_scale"}


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_weight_scales_its_terms_and_no_others(weight: str) -> None:
    before = means(ALL)
    after = means(replace(ALL, **{weight: 3 * getattr(ALL, weight)}))
    factors = {name: after[name] / before[name] for name in before}
    assert factors == pytest.approx({name: 3.0 if name in WEIGHTS[weight] else 1.0 for name in before})


def test_the_total_adds_the_means() -> None:
    assert total({"a": torch.tensor([1.0, 3.0]), "b": torch.tensor([5.0])}).item() == 7.0


# ── what gets gradients ──────────────────────────────────────────────────────────────────────────


def gradients(loss: Tensor, inputs: list[Tensor]) -> list[bool]:
    """Which inputs the loss depends on."""
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    return [gradient is not None and bool(gradient.any()) for gradient in found]


def test_references_are_detached_for_the_generator_and_not_for_the_discriminator() -> None:
    config = LossConfig()
    reference, query, fake = (patches().requires_grad_() for _ in range(3))
    hybrid = images().requires_grad_()
    terms = generator_terms(UNDECIDED, config, images(), images(BATCH // 2), hybrid, reference, fake)
    assert gradients(total(terms), [reference, fake, hybrid]) == [False, True, True]
    arguments = (images(), images(BATCH // 2), images(), reference, query, fake)
    terms = discriminator_terms(UNDECIDED, config, *arguments)
    assert gradients(terms["patch_D_real"].mean(), [reference, query, fake]) == [True, True, False]
    assert gradients(terms["patch_D_hybrid"].mean(), [reference, query, fake]) == [True, False, True]


def test_the_reconstruction_is_compared_with_the_first_half() -> None:
    real = images()
    arguments = (images(), patches(), patches())
    exact = generator_terms(UNDECIDED, LossConfig(), real, real[: BATCH // 2], *arguments)
    other = generator_terms(UNDECIDED, LossConfig(), real, real[BATCH // 2 :], *arguments)
    assert exact["G_l1"].tolist() == [0, 0]
    assert other["G_l1"].min() > 0.1


def test_r1_without_aggregation_penalises_each_reference_by_its_own_logit() -> None:
    class Squared(UndecidedPatches):
        """The first patch's logit weighs 2, the others 1: only the mean spreads that over all references."""

        def compare(self, reference: Tensor, query: Tensor, use_aggregation: bool = True) -> Tensor:
            logits = super().compare(reference, query, use_aggregation).view(BATCH, PATCHES)
            return (logits * torch.tensor([2.0, 1, 1])).reshape(-1, 1)

    networks = replace(UNDECIDED, patch_discriminator=Squared())
    pixels = 3 * 4 * 4
    query, apart, together = (4 + 1 + 1) * pixels, (4 + 1 + 1) * pixels, 3 * (4 / 3) ** 2 * pixels
    for use_aggregation, reference in ((False, apart), (True, together)):
        config = LossConfig(use_aggregation=use_aggregation)
        terms = r1_terms(networks, config, images(), patches(), patches())
        assert terms["patch_D_r1"].tolist() == pytest.approx([0.25 * (query + reference)] * BATCH)
