import pytest
import torch
from torch import Tensor

from swapae.losses import Windows, cut, draw_windows, windows_of


def ramp(height: int, width: int) -> Tensor:
    """An image whose first two channels are the coordinates x and y in [-1, 1] of each pixel's centre."""
    x = (2 * torch.arange(width, dtype=torch.float64) + 1) / width - 1
    y = (2 * torch.arange(height, dtype=torch.float64) + 1) / height - 1
    x, y = x.expand(height, width), y[:, None].expand(height, width)
    return torch.stack([x, y, torch.zeros_like(x)])[None]


def windows(*rows: tuple[float, float, float, float, float]) -> Windows:
    """Windows of one image from rows (flip, width, height, x, y)."""
    table = torch.tensor([rows], dtype=torch.float64)
    return Windows(table[..., 0], table[..., 1:3], table[..., 3:5])


def test_a_patch_shows_its_window_end_to_end_and_is_flipped_left_to_right() -> None:
    image = ramp(24, 40)
    patches = cut(image, windows((1, 0.25, 0.5, 0.3, -0.2), (-1, 0.25, 0.5, 0.3, -0.2)), 5)
    assert patches.shape == (1, 2, 3, 5, 5)
    line = torch.linspace(-1, 1, 5, dtype=torch.float64)
    x, y = 0.25 * line + 0.3, 0.5 * line - 0.2
    torch.testing.assert_close(patches[0, 0, 0], x.expand(5, 5))
    torch.testing.assert_close(patches[0, 0, 1], y[:, None].expand(5, 5))
    torch.testing.assert_close(patches[0, 1, 0], x.flip(0).expand(5, 5))
    torch.testing.assert_close(patches[0, 1, 1], y[:, None].expand(5, 5))


def test_patches_of_an_image_are_cut_from_that_image() -> None:
    images = torch.stack([torch.full((3, 16, 16), float(i)) for i in range(3)])
    patches = cut(images, draw_windows(3, 4, 0.1, 0.2, torch.Generator().manual_seed(0)), 8)
    middle = patches[:, :, :, 2:-2, 2:-2]
    torch.testing.assert_close(middle, torch.arange(3.0)[:, None, None, None, None].expand_as(middle))


def test_many_windows_are_cut_as_each_alone() -> None:
    images = torch.randn(2, 3, 20, 18, dtype=torch.float64)
    drawn = draw_windows(2, 3, 0.125, 0.25, torch.Generator().manual_seed(1))
    patches = cut(images, drawn, 6)
    alone = cut(images[1:], Windows(*(part[1:, 2:] for part in drawn)), 6)
    torch.testing.assert_close(patches[1, 2], alone[0, 0])


def test_a_window_on_the_images_border_blends_with_zeros_as_published() -> None:
    ones = torch.ones(1, 3, 64, 64, dtype=torch.float64)
    patch = cut(ones, windows((1, 0.25, 0.25, -0.75, 0.0)), 9)[0, 0, 0]
    torch.testing.assert_close(patch[:, 0], torch.full((9,), 0.5, dtype=torch.float64))
    torch.testing.assert_close(patch[:, 1:], torch.ones(9, 8, dtype=torch.float64))


def test_windows_follow_their_draws() -> None:
    draws = torch.tensor([0.0, 0.25, 0.75, 0.999], dtype=torch.float64)
    found = windows_of(draws[None], draws.expand(2, 4).T[None], draws.expand(2, 4).T[None], 0.125, 0.25)
    assert found.flip.tolist() == [[-1, -1, 1, 1]]
    torch.testing.assert_close(found.scale[0, :, 0], 0.125 + 0.125 * draws)
    torch.testing.assert_close(found.offset[0, :, 1], (2 * draws - 1) * (1 - 0.125 - 0.125 * draws))


def test_windows_lie_inside_and_have_independent_sides_and_fair_flips() -> None:
    drawn = draw_windows(500, 8, 0.125, 0.25, torch.Generator().manual_seed(0))
    assert drawn.scale.min() >= 0.125
    assert drawn.scale.max() <= 0.25
    assert (drawn.offset.abs() + drawn.scale).max() <= 1 + 1e-6
    assert set(drawn.flip.flatten().tolist()) == {-1.0, 1.0}
    assert drawn.flip.mean().abs() < 0.05
    assert drawn.scale.mean().item() == pytest.approx(0.1875, abs=0.002)
    assert drawn.offset.mean().abs() < 0.03
    sides = torch.corrcoef(drawn.scale.flatten(0, 1).T)
    assert sides[0, 1].abs() < 0.05


def test_the_same_seed_draws_the_same_windows() -> None:
    first, second = (draw_windows(2, 3, 0.1, 0.2, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_gradients_reach_the_image() -> None:
    image = torch.randn(1, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    drawn = draw_windows(1, 2, 0.25, 0.5, torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda x: cut(x, drawn, 3), image)
