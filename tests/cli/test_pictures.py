"""swap, grid, mix, pairs, encode and decode, with a tiny model of random weights."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.cli.tools import Photo, Streams, pixels, run

from swapae import SwappingAutoencoder

# ── swap ─────────────────────────────────────────────────────────────────────────────────────────


def test_swap_writes_the_models_swap_at_the_structures_size(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    a, b = photo("a.png", (21, 17), 1), photo("b.png", (30, 40), 2)
    out = tmp_path / "new" / "out.png"
    assert run("swap", a, b, "-m", tiny_model, "-o", out) == 0
    assert pixels(out).shape == (17, 21, 3)
    np.testing.assert_array_equal(pixels(out), pixels(net.swap_images(a, b)))
    assert not np.array_equal(pixels(out), pixels(net.swap_images(a, a)))


def test_several_strengths_give_a_file_each(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, b = photo("a.png", seed=1), photo("b.png", seed=2)
    out = tmp_path / "out.png"
    assert run("swap", a, b, "-m", tiny_model, "-o", out, "--strength", 0, -0.5, 0.125, 1, "--json") == 0
    names = ["out_0.00.png", "out_-0.50.png", "out_0.125.png", "out_1.00.png"]
    assert json.loads(capsys.readouterr().out)["outputs"] == [str(tmp_path / name) for name in names]
    assert not out.exists()
    for name, strength in zip(names, (0, -0.5, 0.125, 1), strict=True):
        np.testing.assert_array_equal(pixels(tmp_path / name), pixels(net.swap_images(a, b, strength)))


@pytest.mark.parametrize("strength", ["nan", "-inf", "much", None])
def test_a_strength_that_is_no_number_is_a_usage_error(
    strength: str | None, photo: Photo, tiny_model: Path, tmp_path: Path
) -> None:
    a = photo("a.png")
    given = [] if strength is None else [strength]
    assert run("swap", a, a, "-m", tiny_model, "-o", tmp_path / "o.png", "--strength", *given) == 2


def test_swap_keeps_the_transparency_of_the_structure(photo: Photo, tiny_model: Path, tmp_path: Path) -> None:
    a, b, out = photo("a.png", seed=1, mode="RGBA"), photo("b.png", seed=2), tmp_path / "out.png"
    assert run("swap", a, b, "-m", tiny_model, "-o", out) == 0
    np.testing.assert_array_equal(pixels(out)[..., 3], pixels(a)[..., 3])


def test_the_same_swap_gives_the_same_bytes(photo: Photo, tiny_model: Path, tmp_path: Path) -> None:
    a, b, out = photo("a.png", seed=1), photo("b.png", seed=2), tmp_path / "out.png"
    run("swap", a, b, "-m", tiny_model, "-o", out)
    before = out.read_bytes()
    assert run("swap", a, b, "-m", tiny_model, "-o", out, "--force") == 0
    assert out.read_bytes() == before


def test_an_output_is_never_overwritten_unasked(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded before the output was looked at")

    monkeypatch.setattr(SwappingAutoencoder, "from_pretrained", load)
    a = photo("a.png")
    taken = [tmp_path / name for name in ("out.png", "out_1.00.png", "000.png", "codes.safetensors")]
    for path in taken:
        path.write_text("precious")
    common = ("-m", tiny_model, "-o")
    assert run("swap", a, a, *common, taken[0]) == 1
    assert run("swap", a, a, *common, tmp_path / "out.png", "--strength", 0.5, 1) == 1
    assert run("grid", "--structure", a, "--texture", a, *common, taken[0]) == 1
    assert run("mix", a, a, *common, tmp_path) == 1
    assert run("encode", a, *common, taken[3]) == 1
    assert run("decode", a, *common, taken[0]) == 1
    assert all(path.read_text() == "precious" for path in taken)
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 6
    assert all("exists already" in line and "--force" in line for line in err)


@pytest.mark.parametrize("name", ["text.png", "cut.png", "absent.png"])
def test_a_file_that_is_no_image_is_one_sentence_with_its_path(
    name: str, photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    a = photo("a.png")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "cut.png").write_bytes(a.read_bytes()[:200])
    assert run("swap", a, tmp_path / name, "-m", tiny_model, "-o", tmp_path / "o.png") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert str(tmp_path / name) in err
    assert not (tmp_path / "o.png").exists()


def test_a_model_that_is_none_is_one_sentence(photo: Photo, tmp_path: Path, capsys: Streams) -> None:
    a = photo("a.png")
    assert run("swap", a, a, "-m", tmp_path, "-o", tmp_path / "o.png") == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} holds no model")


def test_quiet_says_nothing_and_json_says_one_object(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    a, out = photo("a.png"), tmp_path / "o.png"
    assert run("swap", a, a, "-m", tiny_model, "-o", out, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run("swap", a, a, "-m", tiny_model, "-o", out, "--force", "--json") == 0
    text, err = capsys.readouterr()
    assert json.loads(text) == {"outputs": [str(out)], "strengths": [1.0]}
    assert err == ""


# ── grid ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_grid_has_headers_a_blank_corner_and_every_swap(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    rows = [photo("s/0.png", (20, 16), 1), photo("s/1.png", (20, 16), 2)]
    columns = [photo(f"t{i}.png", (20, 16), 3 + i) for i in range(3)]
    out = tmp_path / "grid.png"
    assert run("grid", "--structure", tmp_path / "s", "--texture", *columns, "-m", tiny_model, "-o", out) == 0
    sheet = pixels(out)
    assert sheet.shape == (16 * 3 + 2 * 2, 20 * 4 + 2 * 3, 3)

    def cell(row: int, column: int) -> np.ndarray:
        return sheet[18 * row : 18 * row + 16, 22 * column : 22 * column + 20]

    assert (cell(0, 0) == 255).all()
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(cell(i + 1, 0), pixels(row))
        for j, column in enumerate(columns):
            np.testing.assert_array_equal(cell(0, j + 1), pixels(column))
            np.testing.assert_array_equal(cell(i + 1, j + 1), pixels(net.swap_images(row, column)))


def test_a_grid_encodes_each_image_once(
    photo: Photo, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("encode", "decode"):
        original = getattr(SwappingAutoencoder, name)

        def counted(
            *arguments: object, name: str = name, original: Callable[..., object] = original
        ) -> object:
            calls.append(name)
            return original(*arguments)

        monkeypatch.setattr(SwappingAutoencoder, name, counted)
    images = [photo(f"{i}.png", seed=i) for i in range(5)]
    out = tmp_path / "grid.png"
    assert run("grid", "--structure", *images[:2], "--texture", *images[2:], "-m", tiny_model, "-o", out) == 0
    assert (calls.count("encode"), calls.count("decode")) == (5, 6)


def test_a_picture_on_both_sides_of_a_grid_is_encoded_once(
    photo: Photo, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swapae.runtime.networks import FoldedEncoder

    sizes: list[int] = []
    original = FoldedEncoder.middle

    def middle(self: FoldedEncoder, images: torch.Tensor) -> torch.Tensor:
        sizes.append(len(images))
        return original(self, images)

    monkeypatch.setattr(FoldedEncoder, "middle", middle)
    images = [photo(f"{i}.png", seed=i, mode=mode) for i, mode in enumerate(("RGB", "RGBA", "RGB"))]
    out = tmp_path / "grid.png"
    assert run("grid", "--structure", *images, "--texture", *images, "-m", tiny_model, "-o", out) == 0
    assert sizes == [1, 1, 1]


def test_rows_of_a_grid_are_pasted_as_they_come(
    photo: Photo, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swapae.sheet import Sheet

    events: list[object] = []
    paste_row, decode = Sheet.paste_row, SwappingAutoencoder.decode

    def pasted(self: Sheet, row: int, cells: list[Image.Image | None]) -> None:
        events.append(row)
        paste_row(self, row, cells)

    def decoded(*arguments: object) -> object:
        events.append("decode")
        return decode(*arguments)

    monkeypatch.setattr(Sheet, "paste_row", pasted)
    monkeypatch.setattr(SwappingAutoencoder, "decode", decoded)
    images, out = [photo(f"{i}.png", seed=i) for i in range(2)], tmp_path / "grid.png"
    assert run("grid", "--structure", *images, "--texture", *images, "-m", tiny_model, "-o", out) == 0
    assert events == [0, "decode", "decode", 1, "decode", "decode", 2]


def test_a_large_texture_does_not_widen_the_grid(photo: Photo, tiny_model: Path, tmp_path: Path) -> None:
    a, b, out = photo("a.png", (20, 16)), photo("b.png", (80, 32)), tmp_path / "grid.png"
    assert run("grid", "--structure", a, "--texture", b, "-m", tiny_model, "-o", out) == 0
    assert pixels(out).shape == (16 + 2 + 8, 20 * 2 + 2, 3)


def test_a_folder_without_images_is_named(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    a, empty = photo("a.png"), tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "o.png"
    assert run("grid", "--structure", empty, "--texture", a, "-m", tiny_model, "-o", out) == 1
    assert f"{empty} holds no images" in capsys.readouterr().err


# ── mix ──────────────────────────────────────────────────────────────────────────────────────────


def test_mix_goes_from_the_reconstruction_to_the_swap(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    a, b, out = photo("a.png", seed=1), photo("b.png", seed=2), tmp_path / "steps"
    assert run("mix", a, b, "-m", tiny_model, "--steps", 5, "-o", out) == 0
    assert sorted(p.name for p in out.iterdir()) == [f"00{i}.png" for i in range(5)]
    for i in range(5):
        np.testing.assert_array_equal(pixels(out / f"00{i}.png"), pixels(net.swap_images(a, b, i / 4)))


def test_mix_needs_two_steps(photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    a = photo("a.png")
    assert run("mix", a, a, "-m", tiny_model, "--steps", 1, "-o", tmp_path / "x") == 2
    assert "--steps must be 2 or more" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


# ── pairs ────────────────────────────────────────────────────────────────────────────────────────


def test_pairs_are_reconstructed_and_swapped_by_file_name(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    for i, name in enumerate(("a.png", "b.b.png")):
        photo(f"in/input_structure/{name}", (20, 17), i)
        photo(f"in/input_style/{name}", (24, 12), 10 + i)
    (tmp_path / "in/input_structure/notes.txt").write_text("not an image")
    folder, out = tmp_path / "in", tmp_path / "out"
    assert run("pairs", folder, "-m", tiny_model, "-o", out) == 0
    kinds = ("rec", "structure", "style", "swap")
    assert sorted(p.name for p in out.iterdir()) == [f"{n}_{k}.png" for n in ("a", "b.b") for k in kinds]
    structure, style = folder / "input_structure/b.b.png", folder / "input_style/b.b.png"
    np.testing.assert_array_equal(pixels(out / "b.b_structure.png"), pixels(structure))
    np.testing.assert_array_equal(pixels(out / "b.b_style.png"), pixels(style))
    np.testing.assert_array_equal(pixels(out / "b.b_rec.png"), pixels(net.swap_images(structure, structure)))
    np.testing.assert_array_equal(pixels(out / "b.b_swap.png"), pixels(net.swap_images(structure, style)))


def test_an_image_without_a_partner_is_refused(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    photo("in/input_structure/a.png")
    assert run("pairs", tmp_path / "in", "-m", tiny_model, "-o", tmp_path / "out") == 1
    assert "there is no folder" in capsys.readouterr().err
    photo("in/input_style/b.png")
    assert run("pairs", tmp_path / "in", "-m", tiny_model, "-o", tmp_path / "out") == 1
    assert "input_style has no a.png (and 1 more without a partner)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_two_pairs_that_would_write_the_same_files_are_refused(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    for half in ("structure", "style"):
        photo(f"in/input_{half}/a.png")
        photo(f"in/input_{half}/a.bmp")
    assert run("pairs", tmp_path / "in", "-m", tiny_model, "-o", tmp_path / "out") == 1
    assert "are called a:" in capsys.readouterr().err


# ── encode and decode ────────────────────────────────────────────────────────────────────────────


def test_decode_of_encode_is_the_reconstruction_and_takes_another_texture(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, b = photo("a.png", (21, 15), 1), photo("b.png", (24, 12), 2)
    codes = [tmp_path / "a.safetensors", tmp_path / "codes" / "b.safetensors"]
    assert run("encode", a, "-m", tiny_model, "-o", codes[0], "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["structure"] == [1, 4, 4, 6]
    assert report["texture"] == [1, 16]
    assert report["size"] == [15, 21]
    assert run("encode", b, "-m", tiny_model, "-o", codes[1]) == 0
    rec, hybrid, noisy = (tmp_path / f"{name}.png" for name in ("rec", "hybrid", "noisy"))
    common = ("-m", tiny_model, "-o")
    assert run("decode", codes[0], *common, rec) == 0
    assert run("decode", codes[0], *common, hybrid, "--texture", codes[1]) == 0
    assert run("decode", codes[0], *common, noisy, "--noise", 7) == 0
    np.testing.assert_array_equal(pixels(rec), pixels(net.swap_images(a, a)))
    np.testing.assert_array_equal(pixels(hybrid), pixels(net.swap_images(a, b)))
    assert not np.array_equal(pixels(noisy), pixels(rec))
    np.testing.assert_array_equal(pixels(noisy), pixels(net.decode_image(net.encode_image(a), noise=7)))


def test_codes_of_another_model_are_refused_with_both_numbers(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    from swapae import Codes

    path = tmp_path / "c.safetensors"
    Codes(torch.zeros(1, 8, 4, 4), torch.zeros(1, 16), (16, 16)).save(path)
    assert run("decode", path, "-m", tiny_model, "-o", tmp_path / "o.png") == 1
    assert "8 structure and 16 texture channels, this model has 4 and 16" in capsys.readouterr().err
