import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from swapae import Codes
from swapae.codes import FORMAT, blend, common_batch, paired
from swapae.errors import UserError
from swapae.weights import save_tensors


def codes(batch: int = 3, size: tuple[int, int] = (16, 20), texture: tuple[int, ...] = (6,)) -> Codes:
    return Codes(torch.randn(batch, 4, 4, 5), torch.randn(batch, *texture), size)


def same(a: Codes, b: Codes) -> bool:
    return torch.equal(a.structure, b.structure) and torch.equal(a.texture, b.texture) and a.size == b.size


# ── batches ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("index", "at"), [(0, 0), (2, 2), (-1, 2), (-3, 0)])
def test_an_index_takes_one_image_and_keeps_the_batch_axis(index: int, at: int) -> None:
    all_three = codes()
    one = all_three[index]
    assert len(one) == 1
    assert torch.equal(one.structure, all_three.structure[at : at + 1])
    assert torch.equal(one.texture, all_three.texture[at : at + 1])
    assert one.size == (16, 20)
    assert same(all_three[torch.tensor(index)], one)


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_out_of_range_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        codes()[index]


@pytest.mark.parametrize("index", [slice(1, None), slice(None, None, 2), slice(-2, None), slice(0, 0)])
def test_a_slice_takes_several(index: slice) -> None:
    all_three = codes()
    some = all_three[index]
    assert torch.equal(some.structure, all_three.structure[index])
    assert torch.equal(some.texture, all_three.texture[index])


def test_codes_are_gone_through_one_by_one_and_joined_again() -> None:
    all_three = codes()
    parts = list(all_three)
    assert [len(part) for part in parts] == [1, 1, 1]
    assert same(Codes.cat(parts), all_three)


def test_codes_of_images_of_different_sizes_do_not_join() -> None:
    with pytest.raises(ValueError, match=r"\[\(16, 19\), \(16, 20\)\]"):
        Codes.cat([codes(), codes(size=(16, 19))])
    with pytest.raises(ValueError, match="one size"):
        Codes.cat([])


def test_to_moves_both_codes() -> None:
    moved = codes().to("meta")
    assert moved.structure.is_meta
    assert moved.texture.is_meta
    assert moved.size == (16, 20)


@pytest.mark.parametrize("texture", [(6,), (6, 2, 3)])
def test_a_texture_is_a_vector_or_a_map(texture: tuple[int, ...]) -> None:
    assert codes(texture=texture).texture.shape == (3, *texture)


@pytest.mark.parametrize(
    ("structure", "texture", "message"),
    [
        ((2, 4, 4, 5), (3, 6), "2 structure codes do not pair with 3 texture codes"),
        ((4, 4, 5), (3, 6), r"not \(4, 4, 5\) and \(3, 6\)"),
        ((2, 4, 4, 5), (2, 6, 1), r"not \(2, 4, 4, 5\) and \(2, 6, 1\)"),
    ],
)
def test_what_is_no_pair_is_refused_with_both_shapes(
    structure: tuple[int, ...], texture: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Codes(torch.zeros(structure), torch.zeros(texture), (16, 20))


# ── blends and pairs ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("sizes", "batch"), [((1,), 1), ((3, 1), 3), ((1, 1, 4), 4), ((2, 2), 2)])
def test_one_goes_with_any_batch(sizes: tuple[int, ...], batch: int) -> None:
    assert common_batch(*sizes) == batch


@pytest.mark.parametrize("sizes", [(2, 3), (1, 2, 1, 3)])
def test_batches_that_differ_do_not_pair(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="batches of 2 and 3 do not pair"):
        common_batch(*sizes)


def test_a_blend_is_the_weighted_sum_in_the_common_batch() -> None:
    a, b = torch.randn(1, 6), torch.randn(3, 6)
    torch.testing.assert_close(blend([a, b], [0.25, 0.75]), 0.25 * a + 0.75 * b)
    assert torch.equal(blend([a, b], [1.0, 0.0]), a.expand(3, 6))
    assert torch.equal(blend([a, b], [0, 1]), b)


def test_a_vector_and_a_map_do_not_blend_silently() -> None:
    with pytest.raises(ValueError, match=r"\[1, 8\], \[1, 8, 3, 8\]"):
        blend([torch.zeros(1, 8), torch.zeros(1, 8, 3, 8)], [0.5, 0.5])


def test_a_blend_leaves_textures_of_no_weight_out() -> None:
    nothing = torch.full((1, 6), float("nan"))
    a = torch.randn(1, 6)
    assert torch.equal(blend([a, nothing], [1.0, 0.0]), a)


def test_a_pair_keeps_size_and_structure_and_expands_the_smaller_side() -> None:
    own, texture = codes(1), torch.randn(3, 6)
    pair = paired(own, texture)
    assert pair.size == own.size
    assert torch.equal(pair.structure, own.structure.expand(3, -1, -1, -1))
    assert torch.equal(pair.texture, texture)
    assert torch.equal(paired(codes(3), texture[:1]).texture, texture[:1].expand(3, 6))


# ── files ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("texture", [(6,), (6, 2, 3)])
def test_saved_codes_come_back_bit_by_bit(tmp_path: Path, texture: tuple[int, ...]) -> None:
    ours = codes(texture=texture)
    path = tmp_path / "new" / "a.safetensors"
    ours.save(path)
    assert same(Codes.load(path), ours)
    assert os.listdir(path.parent) == ["a.safetensors"]


def test_slices_and_expanded_codes_save_too(tmp_path: Path) -> None:
    for i, part in enumerate((codes()[1], codes()[::2], paired(codes(1), torch.randn(3, 6)))):
        part.save(tmp_path / f"{i}.safetensors")
        assert same(Codes.load(tmp_path / f"{i}.safetensors"), part)


def test_the_same_codes_give_the_same_file(tmp_path: Path) -> None:
    ours = codes()
    ours.save(tmp_path / "a")
    ours.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path, first, second = tmp_path / "a.safetensors", codes(), codes()
    first.save(path)
    with pytest.raises(UserError, match="exists already"):
        second.save(path)
    assert same(Codes.load(path), first)
    second.save(path, force=True)
    assert same(Codes.load(path), second)


def test_a_place_where_nothing_can_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        codes().save(tmp_path / "file" / "a.safetensors")
    with pytest.raises(UserError, match="is a folder"):
        codes().save(tmp_path, force=True)
    assert os.listdir(tmp_path) == ["file"]


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.safetensors is no file; `swapae encode"):
        Codes.load(tmp_path / "a.safetensors")
    with pytest.raises(UserError, match="is no file"):
        Codes.load(tmp_path)


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    codes().save(path)
    data = path.read_bytes()
    for size in (0, 7, 60, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match=r"a\.safetensors is damaged"):
            Codes.load(path)


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (torch.full((1, 4, 4, 5), torch.nan), "[16, 20]"),
        (torch.full((1, 4, 4, 5), -torch.inf), "[16, 20]"),
        (torch.ones(1, 4, 4, 5, dtype=torch.int64), "[16, 20]"),
        (torch.ones(1, 4, 4, 5), "[0, 20]"),
        (torch.ones(1, 4, 4, 5), "[-16, 20]"),
    ],
    ids=["nan", "infinite", "whole numbers", "no height", "less than none"],
)
def test_numbers_that_are_no_codes_are_damage(tmp_path: Path, structure: torch.Tensor, size: str) -> None:
    save_tensors(
        tmp_path / "a",
        {"structure": structure, "texture": torch.ones(1, 6)},
        {"format": FORMAT, "size": size},
    )
    with pytest.raises(UserError, match="a is damaged and cannot be read as codes"):
        Codes.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("metadata", "tensors", "message"),
    [
        (None, {"structure": (1, 4, 4, 5), "texture": (1, 6)}, "holds no codes"),
        ({"format": "swapae.model/1"}, {"structure": (1, 4, 4, 5)}, "holds no codes"),
        ({"format": FORMAT, "size": ""}, {"structure": (1, 4, 4, 5), "texture": (1, 6)}, "is damaged"),
        ({"format": FORMAT, "size": "[16]"}, {"structure": (1, 4, 4, 5), "texture": (1, 6)}, "is damaged"),
        (
            {"format": FORMAT, "size": "[Infinity, 16]"},
            {"structure": (1, 4, 4, 5), "texture": (1, 6)},
            "is damaged",
        ),
        (
            {"format": FORMAT, "size": "[" * 100_000},
            {"structure": (1, 4, 4, 5), "texture": (1, 6)},
            "is damaged",
        ),
        ({"format": FORMAT, "size": "16"}, {"structure": (1, 4, 4, 5), "texture": (1, 6)}, "is damaged"),
        ({"format": FORMAT, "size": "[16, 20]"}, {"structure": (1, 4, 4, 5)}, "is damaged"),
        (
            {"format": FORMAT, "size": "[16, 20]"},
            {"structure": (2, 4, 4, 5), "texture": (1, 6)},
            "is damaged",
        ),
    ],
    ids=[
        "no metadata",
        "a model",
        "no size",
        "half a size",
        "no end",
        "too deep",
        "a number",
        "no texture",
        "no pair",
    ],
)
def test_a_file_without_codes_is_refused(
    tmp_path: Path, metadata: dict[str, str] | None, tensors: dict[str, tuple[int, ...]], message: str
) -> None:
    path = tmp_path / "a.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, path, metadata)
    with pytest.raises(UserError, match=message):
        Codes.load(path)
