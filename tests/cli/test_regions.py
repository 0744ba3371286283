"""paint, blend and refine, with a tiny model of random weights."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.cli.tools import Photo, Streams, pixels, run

from swapae import Codes, SwappingAutoencoder
from swapae.editing import (
    Direction,
    Directions,
    Layer,
    apply,
    joined,
    painted,
    refine,
    region_mask,
    transplanted,
    within,
)
from swapae.editing.files import Maker
from swapae.images import to_array

STRIDE = 4


@pytest.fixture
def mask(tmp_path: Path) -> Callable[..., Path]:
    """A maker of masks: white in the columns from `start` on."""

    def make(name: str, size: tuple[int, int] = (20, 16), start: int = 8) -> Path:
        values = np.zeros((size[1], size[0]), dtype=np.uint8)
        values[:, start:] = 255
        Image.fromarray(values).save(tmp_path / name)
        return tmp_path / name

    return make


def white_from(start: int, size: tuple[int, int] = (20, 16)) -> torch.Tensor:
    values = torch.zeros(1, 1, size[1], size[0])
    values[..., start:] = 1
    return values


# ── paint ────────────────────────────────────────────────────────────────────────────────────────


def test_paint_writes_the_models_picture_of_painted_codes(
    photo: Photo, mask: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, b, c = (photo(f"{i}.png", (21, 17), i) for i in range(3))
    m, n, out = mask("m.png"), mask("n.png", (40, 32), 30), tmp_path / "out.png"
    common = ("-m", tiny_model, "-o", out)
    layers = ("--texture", b, "--mask", m, "--texture", c, "--mask", n, "--strength", 1, "--strength", 2)
    assert run("paint", a, *layers, "--feather", 3, "--outside", "free", *common, "--json") == 0
    own, *others = (net.encode_image(one) for one in (a, b, c))
    masks = [white_from(8), white_from(30, (40, 32))]
    painting = [
        Layer(other.texture, region_mask(one, own, STRIDE, 3), strength)
        for other, one, strength in zip(others, masks, (1, 2), strict=True)
    ]
    np.testing.assert_array_equal(pixels(out), pixels(net.decode_image(painted(own, painting))))
    assert not np.array_equal(pixels(out), pixels(net.decode_image(own)))
    report = json.loads(capsys.readouterr().out)
    assert report["output"] == str(out)
    assert report["strengths"] == [1, 2]
    assert report["painted"] == pytest.approx([float(one.mask.mean()) for one in painting], abs=1e-4)


def test_outside_the_masks_every_pixel_stays_as_asked(
    photo: Photo, mask: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    a, out = photo("a.png", seed=1), tmp_path / "out.png"
    layer = ("--texture", photo("b.png", seed=2), "--mask", mask("m.png", start=12), "--feather", 2)
    own = pixels(net.decode_image(net.encode_image(a)))
    around = {"plain": own, "photo": pixels(a)}
    made = {}
    for outside in ("free", "plain", "photo"):
        assert run("paint", a, *layer, "-m", tiny_model, "-o", out, "--outside", outside, "--force") == 0
        made[outside] = pixels(out)
    for outside, picture in around.items():
        np.testing.assert_array_equal(made[outside][:, :10], picture[:, :10])
        np.testing.assert_array_equal(made[outside][:, 14:], made["free"][:, 14:])
    assert (made["free"][:, :10] != own[:, :10]).any()
    assert (made["free"][:, 14:] != own[:, 14:]).mean() > 0.5


def test_paint_keeps_the_transparency_of_the_image(
    photo: Photo, mask: Photo, tiny_model: Path, tmp_path: Path
) -> None:
    a, out = photo("a.png", seed=1, mode="RGBA"), tmp_path / "out.png"
    layer = ("--texture", photo("b.png", seed=2), "--mask", mask("m.png"))
    assert run("paint", a, *layer, "-m", tiny_model, "-o", out) == 0
    np.testing.assert_array_equal(pixels(out)[..., 3], pixels(a)[..., 3])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([], "each --texture needs its --mask"),
        (["--texture", "{b}"], "1 and 0"),
        (["--texture", "{b}", "--mask", "{m}", "--strength", "nan"], "--strength must be a number"),
        (["--texture", "{b}", "--mask", "{m}", "--strength", 1, "--strength", 2], "not 2 times"),
        (["--texture", "{b}", "--mask", "{m}", "--feather", -1], "0 or more, not -1"),
    ],
)
def test_wrong_layers_are_a_usage_error(
    wrong: list[object],
    said: str,
    photo: Photo,
    mask: Photo,
    tiny_model: Path,
    tmp_path: Path,
    capsys: Streams,
) -> None:
    names = {"b": photo("b.png"), "m": mask("m.png")}
    words = [str(word).format(**names) for word in wrong]
    assert run("paint", photo("a.png"), *words, "-m", tiny_model, "-o", tmp_path / "out.png") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_mask_without_white_is_one_sentence(
    photo: Photo, mask: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    a, out = photo("a.png"), tmp_path / "out.png"
    assert (
        run("paint", a, "--texture", a, "--mask", mask("m.png", start=20), "-m", tiny_model, "-o", out) == 1
    )
    assert "m.png is black or transparent everywhere" in capsys.readouterr().err
    assert not out.exists()


# ── edit, inside a mask ──────────────────────────────────────────────────────────────────────────


def test_an_edit_along_directions_keeps_to_its_mask(
    photo: Photo, mask: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    a, out, file = photo("a.png"), tmp_path / "out.png", tmp_path / "d.safetensors"
    moves = (
        Direction("up", "structure", torch.eye(4)[1], 0.5),
        Direction("red", "texture", torch.eye(16)[3], 0.5),
    )
    Directions(moves, Maker.of(net)).save(file)
    edit = (
        "edit",
        a,
        "--directions",
        file,
        "--along",
        "up=2",
        "--along",
        "red=1",
        "-m",
        tiny_model,
        "-o",
        out,
    )
    inside = ("--mask", mask("m.png", start=12), "--feather", 2)
    own = net.encode_image(a)
    moved = apply(apply(own, moves[0], 2.0), moves[1], 1.0)
    codes = within(own, moved, region_mask(white_from(12), own, STRIDE, 2))
    assert run(*edit, *inside, "--outside", "free") == 0
    free = pixels(out)
    np.testing.assert_array_equal(free, pixels(net.decode_image(codes)))
    assert run(*edit, *inside, "--force") == 0
    np.testing.assert_array_equal(pixels(out)[:, :10], pixels(net.decode_image(own))[:, :10])
    np.testing.assert_array_equal(pixels(out)[:, 14:], free[:, 14:])
    assert (pixels(out)[:, 14:] != pixels(net.decode_image(own))[:, 14:]).mean() > 0.5
    assert run(*edit, "--feather", 2, "--force") == 2


# ── blend ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("axis", ["x", "y"])
def test_blend_makes_one_picture_of_two_larger_than_either(
    axis: str, photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, b, out = photo("a.png", (24, 20), 1), photo("b.png", (40, 40), 2), tmp_path / "out.png"
    more = ("--axis", axis, "--overlap", 0.4)
    assert run("blend", a, b, *more, "-m", tiny_model, "-o", out, "--json") == 0
    small = Image.open(b).resize((20, 20) if axis == "x" else (24, 24), Image.Resampling.BICUBIC)
    codes = joined(net.encode_image(a), net.encode_image(small), STRIDE, axis, overlap=2)
    np.testing.assert_array_equal(pixels(out), pixels(net.decode_image(codes)))
    size = [36, 20] if axis == "x" else [24, 36]
    assert json.loads(capsys.readouterr().out) == {"output": str(out), "size": size}


def test_blend_puts_a_part_into_the_other_where_the_offset_says(
    photo: Photo, mask: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, b, out = photo("a.png", (24, 20), 1), photo("b.png", (20, 16), 2), tmp_path / "out.png"
    more = ("--mask", mask("m.png", start=12), "--offset", 5, "-3", "--keep-texture")
    assert run("blend", a, b, *more, "-m", tiny_model, "-o", out, "--json") == 0
    own, other = net.encode_image(a), net.encode_image(b)
    codes = transplanted(own, other, region_mask(white_from(12), other, STRIDE), (-1, 1))
    np.testing.assert_array_equal(pixels(out), pixels(net.decode_image(codes)))
    assert json.loads(capsys.readouterr().out)["offset"] == [4, -4]


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        (["--overlap", 1.5], 2, "from 0 to 1"),
        (["--feather", 2], 2, "--mask marks"),
        (["--offset", 4, 4], 2, "--mask marks"),
        (["--mask", "{m}", "--axis", "x"], 2, "side by side"),
        (["--mask", "{m}", "--offset", 400, 0], 1, "the region leaves the image"),
    ],
)
def test_what_does_not_blend_is_one_sentence(
    wrong: list[object],
    status: int,
    said: str,
    photo: Photo,
    mask: Photo,
    tiny_model: Path,
    tmp_path: Path,
    capsys: Streams,
) -> None:
    a, out = photo("a.png"), tmp_path / "out.png"
    words = [str(word).format(m=mask("m.png")) for word in wrong]
    assert run("blend", a, a, *words, "-m", tiny_model, "-o", out) == status
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not out.exists()


# ── refine ───────────────────────────────────────────────────────────────────────────────────────


def test_refine_writes_the_picture_and_the_codes_it_decodes_from(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, out, file = photo("a.png", (21, 17), 1), tmp_path / "out.png", tmp_path / "codes.safetensors"
    more = ("--codes", file, "--steps", 4)
    assert run("refine", a, *more, "-m", tiny_model, "-o", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["error"] < report["start"]
    assert (report["steps"], report["output"], report["codes"]) == (4, str(out), str(file))
    found = refine(net, torch.from_numpy(to_array(Image.open(a)))[None], steps=4)
    codes = Codes.load(file)
    assert torch.equal(codes.structure, found.codes.structure)
    np.testing.assert_array_equal(pixels(out), pixels(net.decode_image(codes)))
    assert run("refine", a, *more, "-m", tiny_model, "-o", tmp_path / "again.png") == 1
    assert "exists already" in capsys.readouterr().err
    assert not (tmp_path / "again.png").exists()


@pytest.mark.parametrize(
    "wrong",
    [["--steps", 0], ["--steps", 3, "--quality", "best"], ["--codes", "{out}"], ["--quality", "good"]],
)
def test_a_wrong_refinement_is_a_usage_error(
    wrong: list[object], photo: Photo, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    words = [str(word).format(out=out) for word in wrong]
    assert run("refine", photo("a.png"), *words, "-m", tiny_model, "-o", out) == 2
    assert not out.exists()


@pytest.mark.parametrize("command", ["paint", "blend", "refine"])
def test_none_of_them_overwrites_unasked(
    command: str, photo: Photo, mask: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    a, out = photo("a.png"), tmp_path / "out.png"
    out.write_text("precious")
    words = {"paint": [a, "--texture", a, "--mask", mask("m.png")], "blend": [a, a], "refine": [a]}[command]
    assert run(command, *words, "-m", tiny_model, "-o", out) == 1
    assert "exists already" in capsys.readouterr().err
    assert out.read_text() == "precious"
