"""Exact copies, and warps with derivatives of any order, against slow references."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.losses.warp import REACH, SYM6, mirrored, pick, sample, warp


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def smooth(size: int, batch: int = 1) -> Tensor:
    """A slow wave, far below what the pixels can hold; even about the borders, as mirroring has it."""
    at = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    wave = torch.cos(math.pi * at)[:, None] + torch.cos(2 * math.pi * at) * 0.5
    return wave.expand(batch, 3, size, size).clone()


def maps(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).view(-1, 2, 3)


IDENTITY = [1.0, 0, 0, 0, 1, 0]


def test_pixels_are_picked_by_row_and_column_of_each_image() -> None:
    images, random = noise(2, 3, 5, 4), torch.Generator().manual_seed(0)
    rows = torch.randint(5, (2, 6), generator=random)
    columns = torch.randint(4, (2, 7), generator=random)
    picked = pick(images, rows, columns)
    assert picked.shape == (2, 3, 6, 7)
    for b, y, x in ((0, 0, 0), (1, 5, 6), (1, 2, 3)):
        assert torch.equal(picked[b, :, y, x], images[b, :, rows[b, y], columns[b, x]])


def test_lines_beyond_the_border_are_those_of_the_mirror_image() -> None:
    places = torch.arange(-9, 13)
    line = torch.arange(4).tolist()
    endless = (line + line[::-1]) * 4
    assert mirrored(places, 4).tolist() == [endless[place + 16] for place in places.tolist()]


def test_the_filter_is_an_orthonormal_wavelets_with_six_vanishing_moments() -> None:
    taps = torch.tensor(SYM6, dtype=torch.float64)
    for shift in range(6):
        product = (taps[2 * shift :] * taps[: len(taps) - 2 * shift]).sum().item()
        assert product == pytest.approx(float(shift == 0), abs=1e-11)
    signs = torch.tensor([(-1.0) ** i for i in range(12)], dtype=torch.float64)
    for moment in range(6):
        powers = torch.arange(12, dtype=torch.float64) ** moment
        assert (signs * taps * powers).sum().item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("size", [6, 7, 16])
def test_the_map_that_moves_nothing_gives_every_pixel_back(size: int) -> None:
    images = noise(2, 3, size, size)
    torch.testing.assert_close(warp(images, maps(IDENTITY, IDENTITY)), images, rtol=0, atol=1e-10)


def test_a_shift_by_whole_pixels_is_exact_where_the_image_reaches() -> None:
    images = noise(1, 3, 16, 16)
    moved = warp(images, maps([1, 0, -2 * 3 / 16, 0, 1, 2 * 2 / 16]))  # right by 3, up by 2
    torch.testing.assert_close(moved[..., :14, 3:], images[..., 2:, :13], rtol=0, atol=1e-9)


def test_turned_mirrored_and_shifted_far_away_smooth_images_are_where_they_should_be() -> None:
    image = smooth(32)
    for row, expected in (
        ([-1.0, 0, 0, 0, -1, 0], image.flip(2, 3)),
        ([1.0, 0, 0, 0, -1, 0], image.flip(2)),
        ([0.0, 1, 0, -1, 0, 0], image.rot90(-1, (2, 3))),
        ([1.0, 0, 4, 0, 1, -8], image),  # a mirror image of a mirror image, four times
        ([1.0, 0, 2, 0, 1, 0], image.flip(3)),
    ):
        torch.testing.assert_close(warp(image, maps(row)), expected, rtol=0, atol=4e-3)


def test_magnified_about_the_centre_as_the_wave_itself_says() -> None:
    size, factor = 32, 0.7
    at = ((torch.arange(size, dtype=torch.float64) + 0.5) / size - 0.5) * factor + 0.5
    wave = torch.cos(math.pi * at)[:, None] + torch.cos(2 * math.pi * at) * 0.5
    found = warp(smooth(size), maps([factor, 0, 0, 0, factor, 0]))
    torch.testing.assert_close(found, wave.expand_as(found), rtol=0, atol=4e-3)


def test_every_image_has_a_map_of_its_own() -> None:
    images, both = noise(2, 3, 12, 12), maps([0.8, 0.3, 0.1, -0.3, 0.9, 0], IDENTITY)
    moved = warp(images, both)
    torch.testing.assert_close(moved[:1], warp(images[:1], both[:1]))
    torch.testing.assert_close(moved[1], images[1], rtol=0, atol=1e-10)


def test_sampling_is_torchs_with_the_same_first_derivative() -> None:
    images = noise(2, 3, 5, 6).requires_grad_()
    grid = noise(2, 4, 4, 2, seed=1) * 0.7
    ours = sample(images, grid)
    theirs = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    assert torch.equal(ours, theirs)
    weight = noise(2, 3, 4, 4, seed=2)
    one, other = (torch.autograd.grad((out * weight).sum(), images)[0] for out in (ours, theirs))
    torch.testing.assert_close(one, other)


def test_a_warp_has_derivatives_to_the_second_order() -> None:
    images = noise(1, 1, REACH, REACH).requires_grad_()
    inverse = maps([0.8, 0.3, 0.1, -0.3, 0.9, 0])

    def bent(x: Tensor) -> Tensor:
        return warp(x, inverse).pow(3)

    assert torch.autograd.gradcheck(bent, images)
    assert torch.autograd.gradgradcheck(bent, images)
