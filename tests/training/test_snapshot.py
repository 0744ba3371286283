"""The pictures a training leaves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.training.tools import make_images, micro, run

from swapae import SwappingAutoencoder
from swapae.training.snapshot import look, snapshot, structure_as_rgb


@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 9),
    height=st.integers(1, 4),
    width=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_structure_as_colours_is_in_range_and_always_the_same(
    batch: int, channels: int, height: int, width: int, seed: int
) -> None:
    code = torch.randn(batch, channels, height, width, generator=torch.Generator().manual_seed(seed))
    colours = structure_as_rgb(code)
    assert colours.shape == (batch, 3, height, width)
    assert colours.isfinite().all()
    assert -1 <= colours.min() <= colours.max() <= 1
    assert torch.equal(colours, structure_as_rgb(code.clone()))


def test_each_colour_spans_the_whole_range_over_the_batch() -> None:
    colours = structure_as_rgb(torch.randn(2, 8, 4, 4))
    assert torch.allclose(colours.amin(dim=(0, 2, 3)), torch.tensor(-1.0))
    assert torch.allclose(colours.amax(dim=(0, 2, 3)), torch.tensor(1.0))


def test_colours_are_the_directions_in_which_the_code_varies_most() -> None:
    code = torch.randn(2, 5, 4, 4) * torch.tensor([0.01, 3.0, 0.1, 9.0, 1.0]).view(1, 5, 1, 1)
    colours = structure_as_rgb(code)
    for colour, channel in enumerate((3, 1, 4)):
        pair = torch.stack([colours[:, colour].flatten(), code[:, channel].flatten()])
        assert torch.corrcoef(pair)[0, 1] > 0.95  # and in the channel's own direction: no flipped sign


def test_a_code_that_is_not_a_number_is_drawn_all_the_same() -> None:
    assert structure_as_rgb(torch.full((2, 4, 2, 2), float("nan"))).isfinite().all()


def test_the_grid_has_four_rows_and_a_column_for_each_image() -> None:
    torch.manual_seed(0)
    model = SwappingAutoencoder(micro().model)
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    picture = snapshot(look(model, images))
    assert (picture.mode, picture.size) == ("RGB", (4 * 18 - 2, 4 * 18 - 2))

    def cell(row: int, column: int) -> torch.Tensor:
        x, y = 18 * column, 18 * row
        pixels = np.asarray(picture.crop((x, y, x + 16, y + 16)), dtype=np.float32)
        return torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1

    for i, neighbour in enumerate((1, 0, 3, 2)):
        assert torch.allclose(cell(0, i), images[i], atol=1 / 127)
        reconstruction = model.decode(model.encode(images[i : i + 1]))[0].clamp(-1, 1)
        assert torch.allclose(cell(2, i), reconstruction, atol=1 / 127)
        hybrid = model.swap(images[i : i + 1], images[neighbour : neighbour + 1])[0].clamp(-1, 1)
        assert torch.allclose(cell(3, i), hybrid, atol=1 / 127)
        structure = cell(1, i).unflatten(1, (8, 2)).unflatten(3, (8, 2))
        assert (structure == structure[:, :, :1, :, :1]).all()  # a place of the code is a square of colour


@pytest.mark.parametrize(("after", "names"), [(3, []), (4, ["images_00000016.png"])])
def test_a_snapshot_is_drawn_at_its_interval(after: int, names: list[str], tmp_path: Path) -> None:
    run(micro(), make_images(tmp_path / "images"), tmp_path / "run", after=after)
    assert sorted(path.name for path in (tmp_path / "run").glob("snapshots/*.png")) == names
    for path in (tmp_path / "run").glob("snapshots/*"):
        with Image.open(path) as picture:
            assert picture.size == (6 * 18 - 2, 4 * 18 - 2)
