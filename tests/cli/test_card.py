import json
from pathlib import Path

import pytest

from swapae.cli.main import main

Streams = pytest.CaptureFixture[str]
FEW = ["--total-images", "4", "--batch-size", "2", "--device", "cpu", "--quiet", "--preset", "tiny32"]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_card_is_written_by_hand_and_printed(tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    out = tmp_path / "card" / "README.md"
    assert (
        run("card", tiny_model, "-o", out, "--about", "noise", "--license", "MIT", "--limit", "It is noise.")
        == 0
    )
    assert "Noise. A swapping" in out.read_text()
    assert json.loads(out.with_name("card.json").read_text())["license"] == "MIT"
    assert "note" not in capsys.readouterr().out
    assert run("card", tiny_model) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("---\nlicense: unknown\n")
    assert f"-m {tiny_model} -o out.png" in printed


def test_a_page_that_is_there_is_kept(tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    for name in ("README.md", "card.json"):
        (tmp_path / name).write_text("mine")
        assert run("card", tiny_model, "-o", tmp_path / "README.md") == 1
        assert "exists already" in capsys.readouterr().err
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "mine"}
        (tmp_path / name).unlink()
    assert run("card", tiny_model, "-o", tmp_path / "card.txt") == 1
    assert run("card", tmp_path / "nothing", "-o", tmp_path / "a.md") == 1
    assert capsys.readouterr().err.count("\n") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_gallery_is_the_picture(tmp_path: Path) -> None:
    assert run("card", "synthetic64", "-o", tmp_path / "a.md", "--quiet") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.md", "card.json", "swaps.jpg"}
    assert run("card", "synthetic64", "-o", tmp_path / "b" / "a.md", "--quiet", "--no-picture") == 0
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"a.md", "card.json"}
    assert "![" not in (tmp_path / "b" / "a.md").read_text()


def test_a_picture_that_is_there_is_kept(tmp_path: Path, capsys: Streams) -> None:
    (tmp_path / "swaps.jpg").write_text("mine")
    words = ["card", "synthetic64", "-o", tmp_path / "README.md", "--quiet"]
    assert run(*words) == 1
    assert "swaps.jpg exists already" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"swaps.jpg": "mine"}
    assert run(*words, "--no-picture") == 0
    assert (tmp_path / "swaps.jpg").read_text() == "mine"
    assert run(*words, "--force") == 0
    assert (tmp_path / "swaps.jpg").read_bytes().startswith(b"\xff\xd8")


def test_a_training_ends_with_a_card_of_its_model_and_what_goes_on_from_it_says_so(
    tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("train", "synthetic", "-o", "first", *FEW) == 0
    model = tmp_path / "first" / "model"
    card, page = json.loads((model / "card.json").read_text()), (model / "README.md").read_text()
    assert card["training"]["images_seen"] == 4
    assert ["batch_size", 32, 2] in card["departures"]
    assert "rendered by this program" in page
    assert "![Swaps by first](swaps.jpg)" in page
    assert (model / "swaps.jpg").is_file()
    assert str(tmp_path) not in page

    assert run("card", "first", "-o", model / "README.md", "--force", "--license", "MIT", "--quiet") == 0
    notice = {"notice": "Only for research."}
    (model / "card.json").write_text(json.dumps(json.loads((model / "card.json").read_text()) | notice))
    assert run("train", "synthetic", "-o", "second", "--init-from", "first", *FEW) == 0
    page = (tmp_path / "second" / "model" / "README.md").read_text()
    assert "- Its training began with the weights of `first` (licence: MIT)." in page
    assert "**Only for research.**" in page
    assert "license: mit" in page

    capsys.readouterr()
    assert run("push", "second", "me/second", "--dry-run", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)["files"]) == {
        "README.md",
        "card.json",
        "config.json",
        "model.safetensors",
        "swaps.jpg",
    }
    assert run("push", "second", "me/second", "--dry-run", "--no-picture") == 0
    said = capsys.readouterr().out
    assert "card.json" in said
    assert "swaps.jpg" not in said
    assert (tmp_path / "second" / "model" / "swaps.jpg").is_file()
