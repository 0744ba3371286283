"""demo: with models in the box, with none, and with a training."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.ship_gallery import write_list, write_rendered
from PIL import Image

from swapae import Codes, SwappingAutoencoder, box
from swapae.cli.exhibit import Exhibit, true_swaps
from swapae.cli.main import main
from swapae.galleries import CODES, gallery

Streams = pytest.CaptureFixture[str]
SIZE = 16


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A box of two: `forms` with rendered samples, `clothes` with codes, of names that sort the other way."""
    folder = tmp_path_factory.mktemp("box")
    model = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    for name in ("forms", "clothes"):
        model.save_pretrained(folder / name)
        card = {"name": name, "about": f"{name}, for tests"}
        (folder / name / box.CARD).write_text(json.dumps(card), encoding="utf-8")
    write_rendered(folder / "forms" / "gallery", SIZE, "test")
    codes = model.encode(torch.rand(12, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    Codes(codes.structure, codes.texture, codes.size).save(folder / "clothes" / "gallery" / CODES)
    write_list(
        folder / "clothes" / "gallery", [{"name": f"n{i}", "about": "", "place": i} for i in range(12)]
    )
    return folder


@pytest.fixture
def models(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(box, "FOLDER", made)
    return made


def test_the_demo_shows_every_model_in_the_box(models: Path, tmp_path: Path, capsys: Streams) -> None:
    out = tmp_path / "my demo"
    assert run("demo", "-o", out) == 0
    text = capsys.readouterr().out
    pages = [f"{name}/{page}.png" for name in ("forms", "clothes") for page in ("swaps", "mix", "edit")]
    for file in ("overview.png", *pages):
        assert f"wrote {out / file}: " in text
        assert (out / file).is_file()
    for name in ("forms", "clothes"):
        assert len(list((out / name / "samples").iterdir())) == 12
        assert f"{name}: {name}, for tests" in text
    assert text.index("forms") < text.index("clothes")  # the one beside the truth comes first
    words = text.splitlines()[-1].removeprefix("try more: ")
    assert words.startswith(f"swapae swap '{out}/forms/samples/")
    assert words.endswith(f" -m forms -o '{out}/mine.png'")

    assert run("demo", "-o", out) == 1
    assert "overview.png exists already: use --force" in capsys.readouterr().err
    before = (out / "overview.png").read_bytes()
    assert run("demo", "-o", out, "--force", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["models"] == ["forms", "clothes"]
    assert sorted(found["outputs"]) == sorted(str(path) for path in out.rglob("*.png"))
    assert (out / "overview.png").read_bytes() == before


def cell(page: Image.Image, row: int, column: int) -> np.ndarray:
    """A cell of a swap page, 96 pixels wide, below 24 of words, 2 apart."""
    left, upper = 98 * column, 24 + 98 * row
    return np.asarray(page)[upper : upper + 96, left : left + 96]


def shown(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((96, 96), Image.Resampling.BICUBIC))


def test_swaps_are_the_models_and_beside_them_the_true_ones(models: Path) -> None:
    model = SwappingAutoencoder.from_pretrained("forms", device="cpu")
    samples = list(gallery("forms").values())
    page = Exhibit.of(model, samples).swaps()
    own, other = samples[2], samples[6]  # row 3, column 2
    swap = Codes(own.codes(model).structure, other.codes(model).texture, (SIZE, SIZE))
    difference = cell(page, 3, 2).astype(int) - shown(model.decode_image(swap))
    assert np.abs(difference).max() <= 1
    np.testing.assert_array_equal(cell(page, 3, 0), shown(own.show(model)))
    np.testing.assert_array_equal(cell(page, 0, 2), shown(other.show(model)))
    true = true_swaps([own], [other])
    assert true is not None
    beside = page.crop((6 * 98 - 2 + 12, 0, page.width, page.height))
    np.testing.assert_array_equal(cell(beside, 3, 2), shown(true[0][0]))


def test_a_sample_swapped_truly_with_itself_is_itself(models: Path) -> None:
    one = next(iter(gallery("forms").values()))
    assert one.picture is not None
    true = true_swaps([one], [one])
    assert true is not None
    np.testing.assert_array_equal(np.asarray(true[0][0]), np.asarray(one.picture))


def test_there_is_no_truth_for_codes_or_another_generators_pictures(models: Path) -> None:
    from dataclasses import replace

    coded = next(iter(gallery("clothes").values()))
    assert true_swaps([coded], [coded]) is None
    one = next(iter(gallery("forms").values()))
    old = replace(one, source=dict(one.source) | {"generator": 0})
    assert true_swaps([one], [old]) is None


def test_edits_go_to_the_farthest_texture_and_from_cool_to_warm_ones(models: Path) -> None:
    exhibit = Exhibit.of(SwappingAutoencoder.from_pretrained("clothes"), list(gallery("clothes").values()))
    textures = exhibit.codes.texture
    far = exhibit.farthest(1)
    gaps = (textures - textures[1]).norm(dim=1)
    assert gaps[far] == gaps.max() > 0
    redness = [float(np.asarray(p)[..., 0].mean() - np.asarray(p)[..., 2].mean()) for p in exhibit.shown]
    order = np.argsort(redness)
    warmer = textures[order[8:].tolist()].mean(0) - textures[order[:4].tolist()].mean(0)
    torch.testing.assert_close(exhibit.warmth()[0], warmer)


def test_too_small_a_gallery_is_one_sentence(models: Path) -> None:
    from swapae import UserError

    model = SwappingAutoencoder.from_pretrained("forms")
    with pytest.raises(UserError, match="has 3 samples, 12 are needed"):
        Exhibit.of(model, list(gallery("forms").values())[:3])


def test_an_empty_box_points_to_a_training(
    tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "FOLDER", tmp_path)
    assert run("demo", "-o", tmp_path / "demo") == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "no models to show; --train 3 trains a first taste" in err
    assert not (tmp_path / "demo").exists()


# ── a first taste of training ────────────────────────────────────────────────────────────────────


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from swapae.presets import PRESETS

    monkeypatch.setitem(PRESETS, "synthetic64", PRESETS["tiny32"])
    monkeypatch.setattr("swapae.cli.taste.NUM_STRUCTURES", 2)
    monkeypatch.setattr("swapae.cli.taste.NUM_TEXTURES", 2)


@pytest.mark.usefixtures("_quick")
def test_a_taste_says_what_it_is_trains_draws_and_goes_on(tmp_path: Path, capsys: Streams) -> None:
    out = tmp_path / "demo"
    assert run("demo", "-o", out, "--train", 0.02) == 0
    text = capsys.readouterr().out
    assert "first taste, not a trained model" in text
    assert str(out / "grid.png") in text
    with Image.open(out / "grid.png") as picture:
        assert picture.width > 2 * picture.height - 100  # two grids, side by side
    assert run("demo", "-o", out, "--train", 0.01, "--json") == 0
    seen = json.loads(capsys.readouterr().out)["images_seen"]
    assert run("demo", "-o", out, "--train", 0.01, "--json") == 0
    assert json.loads(capsys.readouterr().out)["images_seen"] > seen
    assert run("demo", "-o", out, "--train", 0.0001, "--json", "--force") == 0
    assert json.loads(capsys.readouterr().out)["images_seen"] < seen


@pytest.mark.usefixtures("_quick")
def test_a_taste_does_not_overwrite_a_picture_it_did_not_make(tmp_path: Path, capsys: Streams) -> None:
    (tmp_path / "grid.png").write_text("precious")
    assert run("demo", "-o", tmp_path, "--train", 0.01) == 1
    assert "was not made by the demo" in capsys.readouterr().err
    assert (tmp_path / "grid.png").read_text() == "precious"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "10000"])
def test_minutes_that_are_none_are_a_usage_error(minutes: str, tmp_path: Path, capsys: Streams) -> None:
    assert run("demo", "-o", tmp_path / "demo", "--train", minutes) == 2
    assert "--train must be above 0" in capsys.readouterr().err


def test_a_tastes_true_swaps_are_renderings_of_scenes_training_never_drew() -> None:
    from swapae.cli import taste
    from swapae.data.open import open_source

    source = open_source("synthetic", resolution=8)
    assert getattr(source, "seed") != taste.UNSEEN_SEED  # noqa: B009
