"""mix by weights, of structures, and along the sphere; steps along the line stand in test_pictures.py."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.cli.tools import Photo, Streams, pixels, run

from swapae import SwappingAutoencoder, open_image
from swapae.editing import interpolate, mix
from swapae.images import resize


@pytest.fixture
def three(photo: Photo) -> list[Path]:
    return [photo("a.png", (20, 16), 1), photo("b.png", (24, 20), 2), photo("c.png", (20, 16), 3)]


@pytest.mark.parametrize("path", ["line", "sphere"])
def test_weights_mix_the_textures_of_all_images_in_one_picture(
    path: str, three: list[Path], tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    out = tmp_path / "new" / "o.png"
    arguments = ("-m", tiny_model, "--weights", 1, 2.5, 0.5, "--path", path, "-o", out, "--json")
    assert run("mix", *three, *arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"outputs": [str(out)], "weights": [1, 2.5, 0.5]}
    parts = [net.encode_image(file) for file in three]
    made = mix(parts, textures=[1, 2.5, 0.5], path=path)  # type: ignore[arg-type]
    np.testing.assert_array_equal(pixels(out), pixels(net.decode_image(made)))
    assert os.listdir(tmp_path / "new") == ["o.png"]


def test_structures_mix_at_the_size_of_the_first(
    three: list[Path], tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    a, b, _ = three
    own, other = net.encode_image(a), net.encode_image(resize(open_image(b), (20, 16)))
    for of, amounts in (("structure", (0.5, 0.0)), ("both", (0.5, 0.5))):
        arguments = ("-m", tiny_model, "--steps", 3, "--of", of, "--path", "sphere", "-o", tmp_path / of)
        assert run("mix", a, b, *arguments) == 0
        expected = interpolate(own, other, structure=amounts[0], texture=amounts[1])
        np.testing.assert_array_equal(pixels(tmp_path / of / "001.png"), pixels(net.decode_image(expected)))
        assert sorted(os.listdir(tmp_path / of)) == ["000.png", "001.png", "002.png"]
    whole = tmp_path / "weighted.png"
    assert run("mix", a, b, "-m", tiny_model, "--of", "both", "--weights", 0, 1, "-o", whole) == 0
    np.testing.assert_allclose(pixels(whole).astype(int), pixels(net.decode_image(other)).astype(int), atol=1)


@pytest.mark.parametrize(
    ("num", "weights", "message"),
    [
        (3, (), "3 are mixed by --weights"),
        (3, (1, 2), "3 images need as many --weights, not 2"),
        (2, (1, -1), "numbers from 0 on"),
        (2, (0, 0), "not all 0"),
        (2, ("nan", 1), "numbers from 0 on"),
        (9, (1,) * 9, "up to 8 images"),
    ],
)
def test_weights_that_make_no_mix_are_a_usage_error(
    num: int,
    weights: tuple[object, ...],
    message: str,
    photo: Photo,
    tiny_model: Path,
    tmp_path: Path,
    capsys: Streams,
) -> None:
    given = ("--weights", *weights) if weights else ()
    assert run("mix", *[photo("a.png")] * num, "-m", tiny_model, *given, "-o", tmp_path / "x.png") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


def test_a_mix_by_weights_overwrites_nothing_unasked(photo: Photo, tiny_model: Path, tmp_path: Path) -> None:
    a, out = photo("a.png"), tmp_path / "o.png"
    out.write_text("precious")
    assert run("mix", a, a, "-m", tiny_model, "--weights", 1, 1, "-o", out) == 1
    assert out.read_text() == "precious"
    assert run("mix", a, a, "-m", tiny_model, "--weights", 1, 1, "-o", out, "--force") == 0
    assert pixels(out).shape == (16, 20, 3)
