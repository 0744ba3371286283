"""directions fit, list and apply, and edit, with a tiny model of random weights."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.cli.tools import Photo, Streams, pixels, run

from swapae import Codes, ModelConfig, SwappingAutoencoder, open_image
from swapae.cli import encoding
from swapae.editing import Direction, Directions, apply, attribute, principal
from swapae.editing.files import Maker


@pytest.fixture(scope="module")
def directions(tmp_path_factory: pytest.TempPathFactory, net: SwappingAutoencoder) -> Path:
    """A file with a direction of each kind; that of a layout is for images of 20×16."""
    found = []
    for kind, shape in (("texture", (16,)), ("structure", (4,)), ("layout", (4, 4, 5))):
        vector = torch.randn(shape)
        found.append(Direction(f"{kind}1", kind, vector / vector.norm(), 0.5, 0.1, 9, share=0.125))
    path = tmp_path_factory.mktemp("directions") / "d.safetensors"
    Directions(tuple(found), Maker.of(net)).save(path)
    return path


def set_of(photo: Photo, name: str, num: int, first: int = 0) -> Path:
    for i in range(num):
        made = photo(f"{name}/{i:02}.png", (18 + i % 3, 16), first + i)
    return made.parent


def encoded(net: SwappingAutoencoder, folder: Path, size: int = 16) -> Codes:
    """The codes of the centre squares of a folder's images, which are no higher than wide."""
    parts = []
    for path in sorted(folder.iterdir()):
        picture = open_image(path)
        left = (picture.width - picture.height) // 2
        parts.append(net.encode_image(picture.crop((left, 0, left + size, size))))
    return Codes.cat(parts)


# ── fit ──────────────────────────────────────────────────────────────────────────────────────────


def test_fit_finds_the_principal_directions_of_a_folder(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    folder, out = set_of(photo, "a", 9), tmp_path / "new" / "d.safetensors"
    kinds = ("texture", "structure", "layout")
    arguments = ("--of", *kinds, "--num", 3, "--size", 16, "--batch", 4)
    assert run("directions", "fit", tiny_model, "--data", folder, *arguments, "-o", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["output"], report["images"], report["size"]) == (str(out), {str(folder): 9}, 16)
    found, expected = Directions.load(out), principal([encoded(net, folder)], kinds, 3)
    assert [one.name for one in found] == [one.name for one in expected]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.vector, other.vector, atol=1e-4, rtol=0)
        assert one.sigma == pytest.approx(other.sigma, rel=1e-4)
    assert [one["share"] for one in report["directions"]] == [one.share for one in found]
    assert found.maker == Maker.of(net)


def test_fit_finds_what_one_group_has_and_another_has_not(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    summer, winter, out = set_of(photo, "summer", 3), set_of(photo, "winter", 4, 50), tmp_path / "d"
    groups = ("--from", summer, "--to", winter, "--size", 16)
    assert run("directions", "fit", tiny_model, *groups, "-o", out) == 0
    assert capsys.readouterr().out.splitlines()[-2].split()[:2] == ["winter", "texture"]
    expected = attribute("winter", [encoded(net, winter)], [encoded(net, summer)])
    (one,) = Directions.load(out)
    torch.testing.assert_close(one.vector, expected.vector, atol=1e-4, rtol=0)
    assert (one.name, one.num_images) == ("winter", 7)
    assert one.gap == pytest.approx(expected.gap, rel=1e-4)
    named = ("--name", "snow", "--of", "structure", "texture", "--force", "--quiet")
    assert run("directions", "fit", tiny_model, *groups, "-o", out, *named) == 0
    assert [each.name for each in Directions.load(out)] == ["snow-structure", "snow-texture"]


def test_fit_takes_as_many_images_as_it_is_told_and_says_when_there_are_fewer(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    folder, out = set_of(photo, "a", 7), tmp_path / "d"
    fit = ("directions", "fit", tiny_model, "--data", folder, "--size", 16, "-o", out)
    assert run(*fit, "--images", 5) == 0
    assert "has" not in capsys.readouterr().out
    assert Directions.load(out)[0].num_images == 5
    assert run(*fit, "--force") == 0
    assert f"{folder} has 7 images, fewer than 5,000: all are taken" in capsys.readouterr().out
    assert Directions.load(out)[0].num_images == 7


def test_a_file_that_cannot_be_read_is_left_out_and_named(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    folder, out = set_of(photo, "a", 4), tmp_path / "d"
    (folder / "01.png").write_bytes((folder / "01.png").read_bytes()[:80])
    fit = ("directions", "fit", tiny_model, "--data", folder, "--size", 16, "-o", out)
    assert run(*fit, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["images"] == {str(folder): 3}
    assert [Path(path).name for path in report["unreadable"]] == ["01.png"]
    assert Directions.load(out)[0].num_images == 3


def test_the_generated_set_has_no_end_and_is_taken_as_far_as_is_asked(
    tiny_model: Path, tmp_path: Path
) -> None:
    fit = ("directions", "fit", tiny_model, "--data", "synthetic", "--size", 16, "--images", 6)
    assert run(*fit, "-o", tmp_path / "d") == 0
    assert Directions.load(tmp_path / "d")[0].num_images == 6


def test_the_size_is_that_of_the_training_where_it_is_known(tiny_model: Path, tmp_path: Path) -> None:
    assert encoding.trained_size(str(tiny_model)) == 256
    shutil.copytree(tiny_model, tmp_path / "run" / "model")
    (tmp_path / "run" / "config.yaml").write_text("discriminator: {image_size: 32}\n")
    assert encoding.trained_size(str(tmp_path / "run")) == 32
    shutil.copytree(tiny_model, tmp_path / "boxed")
    (tmp_path / "boxed" / "card.json").write_text('{"image_size": 64}')
    assert encoding.trained_size(str(tmp_path / "boxed")) == 64


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--data", "a", "--from", "a", "--to", "b"),
        ("--data", "a", "--to", "b"),
        ("--from", "a"),
        ("--to", "a"),
        ("--data", "a", "--num", 0),
        ("--data", "a", "--images", 0),
        ("--data", "a", "--size", -1),
        ("--data", "a", "--batch", 0),
        ("--data", "a", "--of"),
        ("--data", "a", "--of", "style"),
    ],
    ids=str,
)
def test_a_wrong_fit_is_a_usage_error(wrong: tuple[object, ...], tiny_model: Path, tmp_path: Path) -> None:
    assert run("directions", "fit", tiny_model, *wrong, "-o", tmp_path / "d") == 2
    assert os.listdir(tmp_path) == []


def test_a_fit_that_is_impossible_is_one_sentence_and_writes_nothing(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    one, out = set_of(photo, "one", 1), tmp_path / "d"
    fit = ("directions", "fit", tiny_model, "--size", 16, "-o", out)
    assert run(*fit, "--data", one) == 1
    assert run(*fit, "--data", tmp_path / "absent") == 1
    assert run(*fit, "--from", one, "--to", one) == 1
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_text("no image")
    assert run(*fit, "--from", one, "--to", tmp_path / "broken") == 1
    assert not out.exists()
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 4
    for line, words in zip(
        err, ("two images or more, not 1", "absent", "the same mean", "broken"), strict=True
    ):
        assert words in line


# ── list ─────────────────────────────────────────────────────────────────────────────────────────


def test_list_shows_what_a_file_holds(directions: Path, capsys: Streams) -> None:
    assert run("directions", "list", directions) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[f"{k}1", k] for k in ("texture", "structure", "layout")]
    assert lines[2].split("  ")[-3].strip() == f"1 = {28.648 / 20**0.5:.3g}°"
    assert lines[0].split("  ")[-3:] == ["1 = 28.6°", "12.5% of the variance", "9 images"]
    assert run("directions", "list", directions, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["directions"][0] == {
        "name": "texture1",
        "kind": "texture",
        "sigma": 0.5,
        "center": 0.1,
        "num_images": 9,
        "share": 0.125,
        "gap": None,
    }
    assert report["model"]["texture_channels"] == 16


def test_a_model_brings_its_directions_along_in_its_folder(
    photo: Photo, tiny_model: Path, directions: Path, tmp_path: Path, capsys: Streams
) -> None:
    shutil.copytree(tiny_model, tmp_path / "run" / "model")
    assert run("directions", "list", tmp_path / "run") == 1
    assert "run has no directions of its own: `swapae directions fit" in capsys.readouterr().err
    shutil.copy(directions, tmp_path / "run" / "model" / "directions.safetensors")
    assert run("directions", "list", tmp_path / "run") == 0
    assert capsys.readouterr().out.startswith("texture1")
    a, out = photo("a.png"), tmp_path / "o.png"
    assert run("edit", a, "--along", "texture1=1", "-m", tmp_path / "run", "-o", out) == 0
    assert out.exists()


# ── edit ─────────────────────────────────────────────────────────────────────────────────────────


def test_edit_moves_an_image_along_directions_one_after_the_other(
    photo: Photo,
    tiny_model: Path,
    net: SwappingAutoencoder,
    directions: Path,
    tmp_path: Path,
    capsys: Streams,
) -> None:
    a, out = photo("a.png", (20, 16)), tmp_path / "new" / "o.png"
    edit = ("edit", a, "-m", tiny_model, "--directions", directions, "-o", out)
    moves = ("--along", "layout1=+1.5", "--along", "texture1=-2", "--along=structure1=.5")
    assert run(*edit, *moves, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["output"] == str(out)
    assert [tuple(move.values()) for move in report["along"]] == [
        ("layout1", 1.5),
        ("texture1", -2.0),
        ("structure1", 0.5),
    ]
    codes, loaded = net.encode_image(a), Directions.load(directions)
    for name, strength in (("layout1", 1.5), ("texture1", -2.0), ("structure1", 0.5)):
        codes = apply(codes, loaded.named(name), strength)
    np.testing.assert_array_equal(pixels(out), pixels(net.decode_image(codes)))
    assert not np.array_equal(pixels(out), pixels(net.decode_image(net.encode_image(a))))


def test_an_edit_of_strength_0_is_the_reconstruction_and_keeps_transparency(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, directions: Path, tmp_path: Path
) -> None:
    a, out = photo("a.png", (21, 17), mode="RGBA"), tmp_path / "o.png"
    assert (
        run("edit", a, "--along", "texture1=0", "-m", tiny_model, "--directions", directions, "-o", out) == 0
    )
    np.testing.assert_array_equal(pixels(out)[..., 3], pixels(a)[..., 3])
    np.testing.assert_array_equal(pixels(out), pixels(net.swap_images(a, a)))


@pytest.mark.parametrize(
    "word", ["texture1", "texture1=", "=1", "texture1=much", "texture1=nan", "texture1=inf"]
)
def test_a_word_that_is_no_move_is_a_usage_error(
    word: str, photo: Photo, tiny_model: Path, directions: Path, tmp_path: Path, capsys: Streams
) -> None:
    out = tmp_path / "o.png"
    edit = ("edit", photo("a.png"), "-m", tiny_model, "--directions", directions, "-o", out)
    assert run(*edit, "--along", word) == 2
    assert f"--along takes NAME=STRENGTH, as texture1=+1.5, not '{word}'" in capsys.readouterr().err
    assert not out.exists()


def test_an_edit_that_is_impossible_is_one_sentence_and_writes_nothing(
    photo: Photo, tiny_model: Path, directions: Path, tmp_path: Path, capsys: Streams
) -> None:
    wide, out = photo("a.png", (28, 16)), tmp_path / "o.png"
    edit = ("edit", wide, "-m", tiny_model, "-o", out)
    assert run(*edit) == 2
    capsys.readouterr()
    assert run(*edit, "--along", "texture1=1") == 1
    assert run(*edit, "--along", "texture2=1", "--directions", directions) == 1
    assert run(*edit, "--along", "layout1=1", "--directions", directions) == 1
    assert run(*edit, "--along", "texture1=1", "--directions", wide) == 1
    assert run(*edit, "--along", "texture1=1", "--directions", tmp_path / "absent") == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 5
    words = (
        "no directions of its own",
        "Did you mean 'texture1'",
        "4×5 places, these have 4×7",
        "a.png",
        "absent",
    )
    for line, word in zip(err, words, strict=True):
        assert word in line
    out.write_text("precious")
    assert run(*edit, "--along", "texture1=1", "--directions", directions) == 1
    assert out.read_text() == "precious"


def test_directions_of_another_model_are_refused_and_of_other_weights_pointed_out(
    photo: Photo,
    tiny_model: Path,
    net: SwappingAutoencoder,
    directions: Path,
    tmp_path: Path,
    capsys: Streams,
) -> None:
    a, out = photo("a.png"), tmp_path / "o.png"
    smaller = {**vars(net.config), "texture_channels": 8, "encoder_widths": None}
    SwappingAutoencoder(ModelConfig(**smaller)).save_pretrained(tmp_path / "other")
    SwappingAutoencoder(net.config).save_pretrained(tmp_path / "same")
    edit = ("edit", a, "--along", "texture1=1", "--directions", directions, "-o", out)
    assert run(*edit, "-m", tmp_path / "other") == 1
    err = capsys.readouterr().err
    assert "was made with another model: its codes have 4 structure and 16 texture channels" in err
    assert err.count("\n") == 1
    assert not out.exists()
    assert run(*edit, "-m", tmp_path / "same") == 0
    assert "was made with other weights of this shape" in capsys.readouterr().out
    assert run(*edit, "-m", tiny_model, "--force") == 0
    assert capsys.readouterr().out == f"wrote {out}\n"


# ── apply ────────────────────────────────────────────────────────────────────────────────────────


def test_apply_shows_each_direction_at_each_strength(
    photo: Photo,
    tiny_model: Path,
    net: SwappingAutoencoder,
    directions: Path,
    tmp_path: Path,
    capsys: Streams,
) -> None:
    a, out = photo("a.png", (20, 16)), tmp_path / "o.png"
    show = ("directions", "apply", a, "-m", tiny_model, "--directions", directions, "-o", out)
    assert run(*show, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["names"] == ["texture1", "structure1", "layout1"]
    assert report["strengths"] == [-2, -1, 0, 1, 2]
    assert pixels(out).shape == (24 + 3 * (24 + 16) + 2 * 6, 5 * 20 + 4 * 2, 3)
    assert run(*show, "--names", "structure1", "--strength", -3, 0.5, "--force") == 0
    moved = apply(net.encode_image(a), Directions.load(directions).named("structure1"), 0.5)
    np.testing.assert_array_equal(pixels(out)[48:, 22:], pixels(net.decode_image(moved)))
    assert run(*show, "--force", "--strength", "nan") == 2
    assert run(*show) == 1
    assert run(*show, "--force", "--names", "texture3") == 1
