"""`swapae export --web` writes a folder that is whole, stands alone, and takes nothing's place unasked."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swapae.browser.parts import STARTS, parts
from swapae.cli.main import main
from swapae.errors import UserError
from swapae.export import check

ELSEWHERE = re.compile(r"""(?:src|href|from|import|fetch\()\s*[=(]?\s*["'](?:https?:)?//""")


def export(*arguments: object) -> int:
    return main(["export", *map(str, arguments), "--device", "cpu", "--quiet"])


def test_the_page_names_nothing_outside_and_all_it_imports_is_there(page_folder: Path) -> None:
    for name in parts():
        text = (page_folder / name).read_text(encoding="utf-8")
        assert not ELSEWHERE.search(text), name
        for path in re.findall(r'(?:from|import)\s*\(?"(\.{1,2}/[^"]+)"', text):
            assert (page_folder / name).parent.joinpath(path).resolve().is_file(), (name, path)
    index = (page_folder / "index.html").read_text()
    named = re.findall(r'(?:src|href)="([^"#]+)"', index)
    assert len(named) > 8
    for path in named:
        assert (page_folder / path).is_file(), path
    assert "'unsafe-inline'" not in index
    assert "unsafe-eval'" not in index.replace("'wasm-unsafe-eval'", "")
    assert all((page_folder / start).is_file() for start in STARTS)
    assert not (page_folder / "js/screens/paint.js").exists()  # what is not imported stays away


def test_page_json_says_how_much_is_loaded_and_what_the_samples_are(page_folder: Path) -> None:
    page = json.loads((page_folder / "page.json").read_text(encoding="utf-8"))
    assert page["format"] == "swapae.page/1"
    assert page["name"] == "synthetic64"
    for name, count in page["bytes"].items():
        assert (page_folder / name).stat().st_size == count
    assert [page["encoder"], page["generator"]] == ["encoder.onnx", "generator.onnx"]
    assert len(page["samples"]) == 12
    assert page["codes"] is None
    assert "## Data and licence" in page["card"]
    assert "swaps.jpg" not in page["card"]  # a picture that does not come along
    card = (page_folder / "README.md").read_text(encoding="utf-8")
    assert "python -m http.server" in card
    assert "onnxruntime-web 1.30.0 (MIT" in card
    for sample in page["samples"]:
        with Image.open(page_folder / sample["file"]) as picture:
            assert [picture.height, picture.width] == sample["size"]


def test_a_gallery_of_codes_comes_as_codes(tmp_path: Path) -> None:
    from swapae import SwappingAutoencoder, gallery
    from swapae.browser import samples

    model = SwappingAutoencoder.from_pretrained("clothing", device="cpu")
    stored = dict(list(gallery("clothing").items())[:2])
    told = samples.write(tmp_path, samples.of_gallery(stored, model))
    floats = np.fromfile(tmp_path / samples.CODES, "<f4")
    for entry, sample in zip(told, stored.values(), strict=True):
        codes = sample.codes(model)
        for name, code in (("structure", codes.structure), ("texture", codes.texture[:, :, None, None])):
            start, *shape = entry[name]
            part = floats[start : start + code.numel()].reshape(shape)
            np.testing.assert_array_equal(part, code.numpy())
        assert entry["size"] == list(codes.size)


def test_a_folder_is_replaced_only_by_force_and_only_one_of_ours(
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    photo: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check, "SHAPES", check.SHAPES[:2])
    photos, target = photo("photos/a.png").parent, tmp_path / "page"
    photo("photos/large.png", (1500, 300))
    assert export(tiny_model, "--web", target, "--samples", photos) == 0
    page = json.loads((target / "page.json").read_text())
    assert [one["title"] for one in page["samples"]] == ["a", "large"]
    assert page["samples"][1]["size"] == [205, 1024]
    before = sorted(path.name for path in target.iterdir())
    assert export(tiny_model, "--web", target) == 1
    assert "--force" in capsys.readouterr().err
    assert export(tiny_model, "--web", target, "--force", "--check") == 0
    assert json.loads((target / "page.json").read_text())["samples"] == []
    assert sorted(path.name for path in target.iterdir()) == [name for name in before if name != "samples"]
    (target / "mine.txt").write_text("mine")
    assert export(tiny_model, "--web", target, "--force") == 1
    assert "mine.txt" in capsys.readouterr().err
    assert (target / "mine.txt").is_file()


def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], photo: Callable[..., Path]
) -> None:
    (tmp_path / "empty").mkdir()
    broken = photo("broken/a.png")
    broken.write_bytes(broken.read_bytes()[:40])
    for photos, sentence in [
        (tmp_path / "none", "is no folder of photos"),
        (tmp_path / "empty", "holds no photos"),
        (broken.parent, "a.png"),
    ]:
        assert export(tiny_model, "--web", tmp_path / "page", "--samples", photos) == 1
        said = capsys.readouterr().err
        assert sentence in said
        assert len(said.strip().splitlines()) == 1
        assert not (tmp_path / "page").exists()
    assert export(tiny_model) == 2
    assert export(tiny_model, "--onnx", tmp_path / "a", "--samples", tmp_path) == 2
    assert export("no-such-model", "--web", tmp_path / "page") == 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".swapae")]


def test_more_photos_than_a_page_takes_are_refused(tmp_path: Path) -> None:
    from swapae.browser import samples

    for number in range(samples.MOST + 1):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(UserError, match=rf"{samples.MOST + 1} photos"):
        samples.of_folder(tmp_path)
