"""A word on pictures that are far larger than what the model has seen."""

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.tools import Photo, Streams, run


@pytest.fixture
def of_16(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model, whose card says that it was trained on images of 16×16."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    (folder / "card.json").write_text(json.dumps({"image_size": 16}))
    return folder


@pytest.mark.parametrize("words", [["swap", "A", "B"], ["grid", "--structure", "A", "--texture", "B"]])
def test_a_picture_more_than_twice_as_large_is_told(
    words: list[str], of_16: Path, photo: Photo, tmp_path: Path, capsys: Streams
) -> None:
    usual, large = photo("usual.png", (99, 32)), photo("large.png", (50, 33))
    for files, is_told in [((usual, usual), False), ((usual, large), True), ((large, usual), True)]:
        given = dict(zip("AB", files, strict=True))
        out = ["-m", of_16, "-o", tmp_path / "out.png", "--force"]
        assert run(*(given.get(word, word) for word in words), *out) == 0
        said = capsys.readouterr().out
        assert (
            "note: the model was trained on images of 16×16, and one of these is 50×33" in said
        ) is is_told
        assert said.count("note:") == is_told


def test_nothing_is_told_where_nobody_knows_or_nobody_asks(
    tiny_model: Path, of_16: Path, photo: Photo, tmp_path: Path, capsys: Streams
) -> None:
    large = photo("large.png", (50, 40))
    assert run("swap", large, large, "-m", tiny_model, "-o", tmp_path / "a.png") == 0
    assert run("swap", large, large, "-m", of_16, "-o", tmp_path / "b.png", "--quiet") == 0
    assert "note" not in capsys.readouterr().out
    assert run("mix", large, large, "-m", of_16, "--steps", "2", "-o", tmp_path / "c", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outputs"]
