import pytest
import torch

from swapae.metrics import to_lab

# sRGB of 8 bits → L*, a*, b* under D65: the figures that colour textbooks give.
KNOWN = {
    (255, 255, 255): (100, 0, 0),
    (0, 0, 0): (0, 0, 0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (119, 119, 119): (50.03, 0, 0),
}


@pytest.mark.parametrize(("rgb", "lab"), KNOWN.items())
def test_known_colours_have_their_known_lab(
    rgb: tuple[int, int, int], lab: tuple[float, float, float]
) -> None:
    image = torch.tensor(rgb, dtype=torch.float64).view(1, 3, 1, 1) / 127.5 - 1
    torch.testing.assert_close(to_lab(image).flatten(), torch.tensor(lab).double(), atol=0.05, rtol=0)


def test_values_beyond_the_range_are_clamped() -> None:
    image = torch.tensor([1.5, -2.0, -1.0]).view(1, 3, 1, 1)
    assert torch.equal(to_lab(image), to_lab(image.clamp(-1, 1)))


def test_every_pixel_is_converted_by_itself() -> None:
    images = torch.rand(2, 3, 4, 5) * 2 - 1
    lab = to_lab(images)
    assert lab.shape == images.shape
    torch.testing.assert_close(lab[1:, :, 2:3, 4:5], to_lab(images[1:, :, 2:3, 4:5]))
