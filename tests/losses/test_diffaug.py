"""DiffAugment, image by image against loops."""

import torch
from torch import Tensor

from swapae.losses.diffaug import DRAWS, colored, translated, with_hole

SIZE = 16


def images(batch: int = 6) -> Tensor:
    return torch.rand(batch, 3, SIZE, SIZE, dtype=torch.float64) * 2 - 1


def draws(batch: int = 6, **fixed: float) -> dict[str, Tensor]:
    u = {name: torch.rand(batch, dtype=torch.float64) for name in DRAWS}
    return u | {name: torch.full((batch,), value, dtype=torch.float64) for name, value in fixed.items()}


def test_colour_changes_brightness_then_saturation_then_contrast() -> None:
    real, u = images(), draws()
    found = colored(real, u)
    for i, image in enumerate(real):
        x = image + u["brightness"][i] - 0.5
        gray = (x[0] + x[1] + x[2]) / 3
        x = torch.stack([gray + (channel - gray) * 2 * u["saturation"][i] for channel in x])
        x = x.mean() + (x - x.mean()) * (u["contrast"][i] + 0.5)
        torch.testing.assert_close(found[i], x)


def test_in_the_middle_of_their_ranges_colours_stay() -> None:
    real = images()
    found = colored(real, draws(brightness=0.5, saturation=0.5, contrast=0.5))
    torch.testing.assert_close(found, real)


def test_a_translation_moves_whole_pixels_and_zeros_come_in() -> None:
    real, u = images(), draws()
    found = translated(real, u)
    for i, image in enumerate(real):
        down, right = (int(u[name][i] * 5) - 2 for name in ("row", "column"))  # an eighth of 16 is 2
        expected = torch.zeros_like(image)
        for y in range(SIZE):
            for x in range(SIZE):
                if 0 <= y - down < SIZE and 0 <= x - right < SIZE:
                    expected[:, y, x] = image[:, y - down, x - right]
        assert torch.equal(found[i], expected)


def test_translations_reach_an_eighth_of_the_side_either_way() -> None:
    line = torch.ones(2, 1, SIZE, SIZE)
    u = {"row": torch.tensor([0.0, 1 - 2**-24]), "column": torch.tensor([0.5, 0.5])}
    found = translated(line, u)
    assert found[0].sum(2).flatten().tolist() == [16.0] * 14 + [0.0] * 2
    assert found[1].sum(2).flatten().tolist() == [0.0] * 2 + [16.0] * 14


def test_a_square_of_half_the_side_is_cut_out_about_any_pixel() -> None:
    real, u = images(40), draws(40)
    found = with_hole(real, u)
    for i, image in enumerate(real):
        top, left = (int(u[name][i] * (SIZE + 1)) - SIZE // 4 for name in ("cut_row", "cut_column"))
        expected = image.clone()
        expected[:, max(top, 0) : max(top + 8, 0), max(left, 0) : max(left + 8, 0)] = 0
        assert torch.equal(found[i], expected)
    assert (found == 0).all(1).sum((1, 2)).max() == 64
