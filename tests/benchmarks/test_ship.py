"""From a run to a model in the box, and what it says of itself; with tiny networks of random weights."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from benchmarks import model_card, ship, ship_gallery
from swapae import Codes, SwappingAutoencoder, box, gallery
from swapae import config as configs
from swapae.data.synthetic import render, sample_scenes
from swapae.editing import Directions
from swapae.model import WEIGHTS_FILE
from swapae.presets import PRESETS

Streams = pytest.CaptureFixture[str]
Photo = Callable[..., Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 32² images, as a training leaves it, but not trained."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    config = PRESETS["tiny32"]()
    torch.manual_seed(0)
    model = SwappingAutoencoder(config.model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder / "model")
    configs.save(config, folder / "config.yaml")
    lines = [{"images_seen": n, "seconds": n / 2} for n in (100, 240)]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The box, empty; and nothing else in the current folder."""
    monkeypatch.setattr(box, "FOLDER", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "models"


ENDS = {"ColorNearer low": 0.81, "ColorNearer high": 0.92}


def report(model: object, **changes: object) -> dict[str, object]:
    return {
        "model": str(model),
        "data": "/home/me/validation",
        "images": 30,
        "unreadable": ["/home/me/a.jpg"],
        "size": 32,
        "pairs": 9,
        "seed": 0,
        "metrics": {"LPIPS-squeeze": 0.25, "ColorNearer": 0.875, **ENDS},
        "standard_errors": {"LPIPS-squeeze": 0.01},
        "answers": {"copy structure": {"ColorNearer": 0.0}},
    } | changes


def saved(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def photos(photo: Photo, tmp_path: Path) -> Path:
    for number in range(26):
        photo(f"photos/{('hat', 'dress')[number % 2]}/{number:02}.png", (40, 36), number)
    return tmp_path / "photos"


# ── the generated domain ─────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def shipped(run: Path, lpips_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("box")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(box, "FOLDER", folder)
        words = [str(run), "synthetic64", "--pairs", "2", "--images", "8", "--weights", str(lpips_folder)]
        assert ship.main(words) == 0
    assert [path.name for path in folder.iterdir()] == ["synthetic64"]
    return folder / "synthetic64"


@pytest.fixture
def synthetic(shipped: Path, models: Path) -> Path:
    shutil.copytree(shipped, models / "synthetic64")
    return models / "synthetic64"


def test_a_run_becomes_a_model_found_by_name_in_half_precision(synthetic: Path, run: Path) -> None:
    with safe_open(synthetic / WEIGHTS_FILE, framework="pt") as file:
        kinds = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert kinds == {torch.float16}
    model = SwappingAutoencoder.from_pretrained("synthetic64", device="cpu")
    whole = SwappingAutoencoder.from_pretrained(run, device="cpu")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, whole.state_dict()[name].half().float()), name
    check_card(synthetic)

    card = box.card_of("synthetic64")
    assert [found["split"] for found in card["evaluations"]] == ["seen", "held_out"]
    assert card["training"] | {"machine": "", "config": {}} == {
        "images_seen": 240,
        "minutes": 2.0,
        "stretches": 1,
        "machine": "",
        "config": {},
    }
    assert ["loss.num_patches", 8, 4] in card["departures"]
    assert not any(name in ("seed", "total_images", "log_images") for name, *_ in card["departures"])

    samples = gallery("synthetic64")
    assert len(samples) == 12
    for key in ("form", "material"):
        assert len({sample.source[key] for sample in samples.values()}) == 12
    for sample in list(samples.values())[:3]:
        assert sample.source["seed"] not in (0, 1)  # those of trainings and of the first taste
        scene = sample_scenes(int(str(sample.source["seed"])), [int(str(sample.source["index"]))])
        drawn = render(scene.structure, scene.texture, 32)[0]
        np.testing.assert_array_equal(np.asarray(sample.show(model)), drawn)


def check_card(folder: Path) -> None:
    card = json.loads((folder / box.CARD).read_text(encoding="utf-8"))
    page = (folder / box.CARD_PAGE).read_text(encoding="utf-8")
    assert page == model_card.page(card)
    assert ship.facts_of(folder / WEIGHTS_FILE).items() <= card.items()
    assert (folder / card["picture"]).is_file()
    directions = Directions.load(folder / box.DIRECTIONS)
    assert directions.check_fit(SwappingAutoencoder.from_pretrained(folder, device="cpu"), "its own")
    assert [one.name for one in directions] == card["directions"] != []
    assert f"`{box.DIRECTIONS}`" in page
    assert str(folder) not in page + (folder / box.CARD).read_text(encoding="utf-8")


def test_an_existing_model_is_replaced_only_when_asked_and_only_as_a_whole(
    synthetic: Path, run: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (synthetic / "mark").touch()
    words = [str(run), "synthetic64", "--images", "8"]
    assert ship.main(words) == 1
    assert "exists already: use --force" in capsys.readouterr().err
    monkeypatch.setattr(ship, "MOST_BYTES_BESIDE", 10)
    words = [*words, "--report", str(saved(synthetic.parents[1] / "report.json", report(run)))]
    assert ship.main([*words, "--force"]) == 1
    assert "gallery and card take" in capsys.readouterr().err
    assert (synthetic / "mark").exists()
    assert [path.name for path in synthetic.parent.iterdir()] == ["synthetic64"]
    monkeypatch.undo()
    monkeypatch.setattr(box, "FOLDER", synthetic.parent)
    assert ship.main([*words, "--force"]) == 0
    assert not (synthetic / "mark").exists()
    assert [path.name for path in synthetic.parent.iterdir()] == ["synthetic64"]


def test_the_page_is_made_anew_with_other_figures(synthetic: Path, tmp_path: Path, capsys: Streams) -> None:
    before = (synthetic / box.CARD_PAGE).read_text(encoding="utf-8")
    (synthetic / box.CARD_PAGE).unlink()
    assert model_card.main(["synthetic64"]) == 0
    assert (synthetic / box.CARD_PAGE).read_text(encoding="utf-8") == before
    speed = {"processor": "a toaster", "device": "cpu", "threads": 1, "cores": 2, "backend": "torch"}
    speed |= {"load": 0.5, "milliseconds": {"256": {"encode": 7.25, "swap": 20}, "512": {"encode": 30}}}
    file = saved(tmp_path / "report.json", report("synthetic64", speed=speed))
    assert model_card.main(["synthetic64", "--report", str(file)]) == 0
    text = (synthetic / box.CARD_PAGE).read_text(encoding="utf-8")
    assert "| ColorNearer | 0.8750 (0.8100 to 0.9200) | 0.0000 |" in text
    assert "ColorNearer low" not in text
    assert "on a toaster (cpu), 1 of 2 cores, backend torch, load average 0.5:" in text
    assert "| encode | 7.2 | 30.0 |\n| swap | 20.0 |  |\n" in text
    assert "88% of hybrids are nearer the texture photo's colours" in text
    check_card(synthetic)
    assert model_card.main(["nothing"]) == 1
    assert "no model 'nothing'" in capsys.readouterr().err


# ── codes of photos ──────────────────────────────────────────────────────────────────────────────


def test_photos_become_codes_and_no_photo_comes_along(
    run: Path, models: Path, photos: Path, lpips_folder: Path, tmp_path: Path
) -> None:
    file = saved(tmp_path / "report.json", report(run))
    words = ["--photos", str(photos), "--data", str(photos), "--weights", str(lpips_folder)]
    words += ["--report", str(file)]
    assert (
        ship.main([str(run), "clothing", *words, "--machine", "a toaster", "--limit", "It is a test."]) == 0
    )
    folder = models / "clothing"
    check_card(folder)
    files = sorted(path.name for path in folder.rglob("*.*"))
    assert " ".join(files) == (
        "README.md card.json codes.safetensors config.json directions.safetensors gallery.json "
        "model.safetensors swaps.jpg"
    )
    samples = gallery("clothing")
    assert len(samples) == 12
    assert {sample.about for sample in samples.values()} == {"hat", "dress"}
    assert "hat" in samples
    assert "hat-2" in samples
    stored = Codes.load(folder / "gallery" / "codes.safetensors")
    assert stored.structure.dtype == stored.texture.dtype == torch.float16
    page = (folder / box.CARD_PAGE).read_text(encoding="utf-8")
    assert "a toaster" in page
    assert "- It is a test." in page
    assert "On 30 photos of `validation`, 9 pairs" in page
    assert "/home/me" not in page + (folder / box.CARD).read_text(encoding="utf-8")

    model = SwappingAutoencoder.from_pretrained("clothing", device="cpu")
    number = str(samples["hat"].source["photo"])
    with Image.open(photos / number) as picture:
        square = picture.crop((2, 0, 38, 36)).resize((32, 32), Image.Resampling.BICUBIC)
    torch.testing.assert_close(
        samples["hat"].codes(model).texture, model.encode_image(square).texture, rtol=0, atol=2e-3
    )


def test_a_gallery_takes_the_better_half_of_each_kind() -> None:
    errors, kinds = [3.0, 1.0, 2.0, 9.0, 8.0, 7.0, 0.5], ["a", "a", "a", "b", "b", "b", "c"]
    assert ship_gallery.better_halves(errors, kinds) == [6, 1, 2, 5, 4]


def test_a_gallery_is_spread_over_both_codes_and_all_kinds() -> None:
    structure = torch.tensor([[0.0], [0.1], [9.0], [9.1], [0.2]])
    texture = torch.tensor([[0.0], [0.0], [0.0], [5.0], [0.1]])
    kinds = ["a", "b", "a", "b", "b"]
    assert ship_gallery.spread(structure, texture, kinds, 2).tolist() == [0, 3]  # far in both
    assert ship_gallery.spread(structure, texture, kinds, 4).tolist() == [0, 3, 2, 4]  # two of a kind at most
    assert ship_gallery.spread(structure, texture, ["a"] * 4 + ["b"], 4).tolist()[:3] == [0, 3, 4]
    assert sorted(ship_gallery.spread(structure, texture, kinds, 5).tolist()) == [0, 1, 2, 3, 4]


def test_a_page_opens_with_the_pair_that_somebody_chose() -> None:
    entries: list[ship_gallery.Entry] = [{"name": name} for name in "abcd"]
    names = [[entry["name"] for entry in ship_gallery.put_first(entries, pair)] for pair in ("cb", "xd", ())]
    assert names == [list("cbad"), list("dabc"), list("abcd")]


def test_photos_are_measured_by_all_metrics_when_no_report_is_given(
    run: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(words: list[str]) -> int:
        asked.extend(words)
        place = Path(words[words.index("-o") + 1])
        place.mkdir()
        saved(place / "report.json", report(words[1]))
        return 0

    monkeypatch.setattr(ship, "swapae", answer)
    options = ship.parse([str(run), "clothing", "--photos", str(photos), "--pairs", "7"])
    found = ship.evaluations(run, ship.KINDS["clothing"], 32, options)
    assert " ".join(asked[2:12]) == f"--data {photos} --metrics all --size 32 --quiet --no-speed --pairs 7"
    assert found[0]["metrics"] == report("")["metrics"]


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────


def refused(capsys: Streams, *words: object) -> str:
    assert ship.main([str(word) for word in words]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert not list(box.FOLDER.glob("*")) if box.FOLDER.exists() else True
    return err


def test_what_cannot_be_shipped_is_one_sentence_and_leaves_nothing(
    run: Path, photos: Path, tmp_path: Path, capsys: Streams, lpips_folder: Path
) -> None:
    assert "needs --photos" in refused(capsys, run, "clothing")
    few = photos / "hat"
    words = ("--photos", few, "--weights", lpips_folder, "--report", saved(tmp_path / "r.json", report(run)))
    assert "has 13 usable photos; a gallery is chosen from 24 or more" in refused(
        capsys, run, "clothing", *words
    )
    other = saved(tmp_path / "other.json", report("runs/other"))
    assert "is of runs/other, not of this model" in refused(capsys, run, "synthetic64", "--report", other)
    large = saved(tmp_path / "large.json", report(run, size=64))
    assert "measured at 64 px" in refused(capsys, run, "synthetic64", "--report", large)
    torn = tmp_path / "torn.json"
    torn.write_text("{")
    assert "is no report of `swapae eval -o`" in refused(capsys, run, "synthetic64", "--report", torn)


def test_weights_that_are_too_large_in_size_or_value_are_refused(
    run: Path, tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    model = SwappingAutoencoder.from_pretrained(copy, device="cpu")
    with torch.no_grad():
        model.generator.to_rgb.bias += 1e5
    model.save_pretrained(copy / "model", force=True)
    assert "values that half precision does not hold" in refused(capsys, copy, "synthetic64")
    monkeypatch.setattr(ship, "MOST_BYTES", 1000)
    assert "at most 0.001 MB are shipped" in refused(capsys, run, "synthetic64")


def test_all_that_a_training_cost_is_counted(run: Path, tmp_path: Path, capsys: Streams) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    saved(copy / "init.json", {"init_from": "x", "folder": None, "is_whole": True})
    assert "name those runs by --before" in refused(capsys, copy, "synthetic64")
    options = ship.parse([str(copy), "synthetic64", "--before", str(run), str(run)])
    found = ship.cost(options, PRESETS["tiny32"]())
    assert (found["images_seen"], found["minutes"], found["stretches"]) == (720, 6.0, 3)
    (copy / "log.jsonl").write_text("")
    assert "log.jsonl is missing or damaged" in refused(capsys, copy, "synthetic64", "--before", run)
