"""Which images are drawn, and that drawing them changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.training.tools import bytes_of, log_of, make_images, micro, names_in, run

from swapae.training.samples import (
    KINDS,
    MAX_CELL,
    NUM_IMAGES,
    as_it_is,
    fixed_indices,
    grid_path,
    grids_in,
    random_indices,
    write,
)

COUNTS = st.none() | st.integers(1, 2000)


@given(st.integers(1, 10**7))
def test_fixed_images_are_even_in_number_and_spread_over_the_whole_set(count: int) -> None:
    indices = fixed_indices(count)
    assert len(indices) == min(NUM_IMAGES, count + count % 2)
    assert set(indices) <= set(range(count))
    if count >= NUM_IMAGES:
        assert sorted(indices) == [i * count // NUM_IMAGES for i in range(NUM_IMAGES)]
        pairs = zip(indices[::2], indices[1::2], strict=True)
        assert all(abs(a - b) >= count // 2 - 1 for a, b in pairs)  # whose textures are exchanged


def test_of_a_set_in_two_halves_each_pair_takes_one_of_both() -> None:
    """The photos of a folder with two kinds, each in a folder of its own."""
    assert [index < 500 for index in fixed_indices(1000)] == [True, False] * 4


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**8), COUNTS)
def test_random_images_are_a_function_of_seed_and_images_seen(
    seed: int, images_seen: int, count: int | None
) -> None:
    state = torch.get_rng_state()
    indices = random_indices(seed, images_seen, count)
    assert indices == random_indices(seed, images_seen, count)
    assert len(indices) == len(fixed_indices(count))
    assert all(index >= 0 and (count is None or index < count) for index in indices)
    if count is not None and count >= NUM_IMAGES and count <= 100 * NUM_IMAGES:
        assert len(set(indices)) == NUM_IMAGES
    assert torch.equal(state, torch.get_rng_state())


def test_random_images_are_others_at_other_times_and_seeds() -> None:
    drawn = [random_indices(seed, seen, 10**6) for seed in range(3) for seen in range(0, 300, 100)]
    assert len({tuple(some) for some in drawn}) == 9


# ── the grids of a run ───────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("samples")
    run(micro(), make_images(place / "images"), place / "run")
    return place


def test_a_run_draws_fixed_and_random_images_by_averaged_and_by_raw_weights(folder: Path) -> None:
    pictures = bytes_of(folder / "run" / "snapshots")
    names = [f"images_{seen:08d}{kind}" for seen in (16, 32) for kind in sorted(KINDS)]
    assert [name.partition(".")[0] for name in pictures] == names
    assert len(set(pictures.values())) == len(pictures)  # all differ
    for name in pictures:
        with Image.open(folder / "run" / "snapshots" / name) as picture:
            assert picture.size == (6 * 18 - 2, 4 * 18 - 2)


def test_the_log_says_what_textures_do_as_often_as_grids_are_drawn(folder: Path) -> None:
    lines = log_of(folder / "run")
    assert [line["images_seen"] for line in lines if "texture_sensitivity" in line] == [16, 32]
    assert [line["images_seen"] for line in lines if "structure_drift" in line] == [16, 32]


def test_without_averages_there_are_no_raw_grids_beside(folder: Path, tmp_path: Path) -> None:
    run(micro(ema_half_life_kimg=0.0), folder / "images", tmp_path)
    assert names_in(tmp_path / "snapshots") == [
        f"images_{seen:08d}{kind}" for seen in (16, 32) for kind in (".png", "_random.webp")
    ]


def test_grids_do_not_change_what_is_learnt(folder: Path, tmp_path: Path) -> None:
    seldom = replace(micro(), snapshot_images=10**6, total_images=16)
    often = replace(seldom, snapshot_images=4)
    for name, config in (("seldom", seldom), ("often", often)):
        run(config, folder / "images", tmp_path / name)
    seldom_files, often_files = (
        {k: v for k, v in bytes_of(tmp_path / name / "checkpoints").items() if k.endswith(".safetensors")}
        for name in ("seldom", "often")
    )
    assert seldom_files == often_files
    assert seldom_files


def test_a_model_as_it_is_has_the_same_weights_and_keeps_nothing(folder: Path) -> None:
    from swapae import SwappingAutoencoder

    model = SwappingAutoencoder(micro().model)
    same = as_it_is(model)
    assert same.encoder is model.encoder
    assert same.generator is model.generator
    assert (same.codes_cache, model.codes_cache is None) == (None, False)


@pytest.mark.parametrize(("name", "width"), [("a.png", 4 * 260), ("a.webp", 4 * 130)])
def test_only_the_first_grid_keeps_large_cells(name: str, width: int, tmp_path: Path) -> None:
    side = 2 * MAX_CELL
    write(Image.new("RGB", (4 * 260, 4 * 260)), tmp_path / name, side)
    with Image.open(tmp_path / name) as picture:
        assert picture.width == width


def test_grids_are_found_by_their_names_in_order_of_time(tmp_path: Path) -> None:
    for seen, kind in ((20, "_random_raw"), (3, ""), (123456789, "_raw"), (20, "")):
        grid_path(tmp_path, seen, kind).touch()
    for name in ("images_3.png", "images_00000003.txt", "images_00000003_<b>.png", ".images_00000003.png"):
        (tmp_path / name).touch()
    assert list(grids_in(tmp_path)) == [
        (3, "", "images_00000003.png"),
        (20, "", "images_00000020.png"),
        (20, "_random_raw", "images_00000020_random_raw.webp"),
        (123456789, "_raw", "images_123456789_raw.webp"),
    ]
    assert list(grids_in(tmp_path / "none")) == []
