"""What is augmented alike, and that gradients of both orders pass."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from swapae.config import from_dict, to_dict, with_overrides
from swapae.errors import UserError
from swapae.losses import squared_gradient
from swapae.losses.augment import AugmentConfig, augment, augment_patches, draw

ADA = AugmentConfig("ada")
DIFFAUG = AugmentConfig("diffaug")
HALF = torch.tensor(0.5)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(batch: int = 4, size: int = 16, dtype: torch.dtype = torch.float64) -> Tensor:
    return (torch.rand(batch, 3, size, size, generator=chance(1)) * 2 - 1).to(dtype)


def test_without_augmentation_nothing_is_drawn_and_images_are_passed_on() -> None:
    config, random = AugmentConfig(), chance()
    before = random.get_state()
    drawn = draw(config, 4, random)
    assert drawn is None
    assert torch.equal(random.get_state(), before)
    real = images()
    assert augment(config, real, drawn, HALF) is real
    assert augment_patches(config, real, drawn, HALF) is real


@pytest.mark.parametrize("config", [ADA, DIFFAUG], ids=["ada", "diffaug"])
def test_what_happens_to_an_image_depends_on_its_own_draws_alone(config: AugmentConfig) -> None:
    real, drawn = images(), draw(config, 4, chance())
    assert drawn is not None
    found = augment(config, real, drawn, HALF)
    assert (found - real).abs().amax((1, 2, 3)).min() > 0.01
    torch.testing.assert_close(augment(config, real[2:], drawn[2:], HALF), found[2:])
    assert torch.equal(augment(config, real, draw(config, 4, chance()), HALF), found)


@pytest.mark.parametrize("config", [ADA, DIFFAUG], ids=["ada", "diffaug"])
def test_all_patches_of_an_image_are_augmented_alike(config: AugmentConfig) -> None:
    patch = images(2)
    drawn = draw(config, 2, chance())
    patches = patch[:, None].expand(-1, 3, -1, -1, -1)
    found = augment_patches(config, patches, drawn, HALF)
    assert found.shape == (2, 3, 3, 16, 16)
    torch.testing.assert_close(found[:, 0], augment(config, patch, drawn, HALF))
    assert torch.equal(found[:, 0], found[:, 1])
    assert torch.equal(found[:, 0], found[:, 2])


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (DIFFAUG, ("color", "translation", "cutout")),
        (ADA, ("blit", "geometry", "color")),
    ],
    ids=["diffaug", "ada"],
)
def test_groups_are_applied_in_their_order_and_only_those_asked_for(
    config: AugmentConfig, names: tuple[str, ...]
) -> None:
    real, drawn = images(), draw(config, 4, chance(3))
    step = real
    for name in names:
        step = augment(AugmentConfig(config.kind, **{config.kind: (name,)}), step, drawn, HALF)  # type: ignore[arg-type]
    torch.testing.assert_close(augment(config, real, drawn, HALF), step)
    assert augment(AugmentConfig(config.kind, (), ()), real, drawn, HALF) is real


@pytest.mark.parametrize("config", [ADA, DIFFAUG], ids=["ada", "diffaug"])
def test_gradients_pass_to_both_orders(config: AugmentConfig) -> None:
    real, drawn = images(1, 6).requires_grad_(), draw(config, 1, chance(2))

    def bent(x: Tensor) -> Tensor:
        return augment(config, x, drawn, torch.tensor(0.9)).pow(3)[:, :, ::2, ::2]

    assert torch.autograd.gradcheck(bent, real)
    assert torch.autograd.gradgradcheck(bent, real)


@pytest.mark.parametrize("config", [ADA, DIFFAUG], ids=["ada", "diffaug"])
def test_a_gradient_penalty_through_augmentation_is_that_of_differences(config: AugmentConfig) -> None:
    """d/dw Σ|∂(w·T(x)²)/∂x|², where T has no derivative in w, against central differences."""
    real, drawn = images(2, 8).requires_grad_(), draw(config, 2, chance(2))
    weight = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    penalty = penalty_of(lambda w: w * augment(config, real, drawn, HALF).square() + w**2 * real, real)
    (found,) = torch.autograd.grad(penalty(weight), weight)
    step = 1e-5
    expected = (penalty(weight.detach() + step) - penalty(weight.detach() - step)) / (2 * step)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-6, atol=0)


def penalty_of(judge: Callable[[Tensor], Tensor], real: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda weight: squared_gradient(judge(weight).flatten(1).sum(1), [real]).sum()


@pytest.mark.parametrize("config", [ADA, DIFFAUG], ids=["ada", "diffaug"])
def test_half_precision_is_augmented_in_single_also_under_autocast(config: AugmentConfig) -> None:
    real, drawn = images(dtype=torch.bfloat16), draw(config, 4, chance())
    with torch.autocast("cpu", torch.bfloat16):
        found = augment(config, real, drawn, HALF)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, augment(config, real.float(), drawn, HALF).bfloat16())


def test_images_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match=r"square images, not \[16, 12\]"):
        augment(ADA, torch.zeros(1, 3, 16, 12), draw(ADA, 1, chance()), HALF)


# ── config ───────────────────────────────────────────────────────────────────────────────────────


def test_the_published_settings_are_the_defaults() -> None:
    config = AugmentConfig()
    assert (config.kind, config.target, config.interval, config.speed_kimg) == ("none", 0.6, 4, 500)


def test_a_config_is_read_from_words() -> None:
    config = with_overrides(AugmentConfig(), {"kind": "ada", "ada": "blit,color", "speed-kimg": "50"})
    assert config == AugmentConfig("ada", ada=("blit", "color"), speed_kimg=50)
    assert from_dict(AugmentConfig, to_dict(config)) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strength", 1.5),
        ("strength", -0.1),
        ("target", 2),
        ("interval", 0),
        ("speed_kimg", -1),
        ("ada", "tilt"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(UserError, match=name):
        with_overrides(AugmentConfig(), {name: value})
