"""The distance of small patches, wherever they lie."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.losses import draw_places, patch_match
from swapae.losses.patch_match import HALVINGS, LEAST, LEAST_SIDE, NUM_MADE

ROOT = LEAST**0.5  # what equal patches are apart


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return 2 * torch.rand(*shape, generator=chance(seed), dtype=torch.float64) - 1


def by_hand(made: Tensor, wanted: Tensor, places: Tensor) -> float:
    """The same of one pair of images, patch by patch."""
    total = 0.0
    for level in places:
        sets = []
        for image, some in ((made, level[:NUM_MADE]), (wanted, level[NUM_MADE:])):
            height, width = image.shape[1:]
            corners = [(int(u * (height - 4)), int(v * (width - 4))) for u, v in some.tolist()]
            sets.append(torch.stack([image[:, r : r + 5, c : c + 5] for r, c in corners]))
        squares = (sets[0][:, None] - sets[1]).square().mean((2, 3, 4))
        near = (squares + LEAST).sqrt()
        total += max(near.amin(1).mean().item(), near.amin(0).mean().item())
        made, wanted = (F.avg_pool2d(image[None], 2)[0] for image in (made, wanted))
    return total / HALVINGS


def test_it_is_the_relaxed_earth_movers_distance_of_patches() -> None:
    made, wanted, places = noise(2, 3, 32, 36), noise(2, 3, 32, 36, seed=1), draw_places(chance(2))
    found = patch_match(made, wanted, places)
    assert found.tolist() == pytest.approx([by_hand(made[i], wanted[i], places) for i in range(2)], rel=1e-6)


def test_one_flat_colour_is_as_far_as_the_colours_are() -> None:
    made, wanted = torch.full((1, 3, 32, 32), 0.2), torch.full((1, 3, 32, 32), -0.3)
    assert patch_match(made, wanted, draw_places(chance())).item() == pytest.approx(0.5, rel=1e-3)
    assert patch_match(made, made, draw_places(chance())).item() == pytest.approx(ROOT, rel=0.1)


def test_layout_does_not_count_and_a_missing_stuff_does() -> None:
    stripes = torch.ones(1, 3, 64, 64)
    stripes[..., ::8] = stripes[..., 1::8] = stripes[..., 2::8] = stripes[..., 3::8] = -1
    shifted, flat, places = stripes.roll(4, dims=3), torch.ones(1, 3, 64, 64), draw_places(chance())
    assert patch_match(stripes, shifted, places).item() < 0.15
    # One way flat patches are all found among the stripes' wide ones; the other way the dark ones are missed.
    assert patch_match(flat, stripes, places).item() > 0.5
    assert patch_match(stripes, flat, places).item() > 0.5


def test_the_made_image_learns_and_the_wanted_one_does_not() -> None:
    made, wanted = (noise(1, 3, 24, 24, seed=i).requires_grad_() for i in range(2))
    patch_match(made, wanted, draw_places(chance())).sum().backward()
    assert wanted.grad is None
    assert made.grad is not None
    assert made.grad.isfinite().all()
    assert made.grad.any()


def test_equal_images_have_a_finite_gradient() -> None:
    made = noise(1, 3, 24, 24).requires_grad_()
    patch_match(made, made, draw_places(chance())).sum().backward()
    assert made.grad is not None
    assert made.grad.isfinite().all()


def test_descending_it_brings_the_other_image_s_colours() -> None:
    wanted = torch.tensor([1.0, -1.0, 0.3])[None, :, None, None].expand(1, 3, 24, 24)
    made, random = torch.zeros(1, 3, 24, 24, requires_grad=True), chance()
    adam = torch.optim.Adam([made], lr=0.05)
    for _ in range(40):
        adam.zero_grad()
        patch_match(made, wanted, draw_places(random)).sum().backward()
        adam.step()
    torch.testing.assert_close(made.detach(), wanted, atol=0.15, rtol=0)


def test_images_too_small_for_a_patch_are_refused() -> None:
    patch_match(noise(1, 3, LEAST_SIDE, LEAST_SIDE), noise(1, 3, 30, 30), draw_places(chance()))
    with pytest.raises(ValueError, match=f"at least {LEAST_SIDE} px"):
        patch_match(noise(1, 3, LEAST_SIDE - 1, 64), noise(1, 3, 64, 64), draw_places(chance()))
