"""`swapae eval` from the command line."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torchvision", reason="LPIPS needs the extra swapae[metrics]")

from tests.pages.sound import Sound

from swapae.cli.main import main
from swapae.evaluation import speed


@pytest.fixture(autouse=True)
def _small_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time the model on small images only."""
    monkeypatch.setattr(speed, "measure_speed", functools.partial(speed.measure_speed, sides=(16, 32)))


def test_synthetic_prints_one_object_with_the_promised_figures(
    tiny_model: Path,
    lpips_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["eval", str(tiny_model), "--data", "synthetic", "--pairs", "2", "--size", "24", "--json"]
    assert main([*words, "--weights", str(lpips_folder), "-o", str(tmp_path / "out")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["data"], report["pairs"]) == (str(tiny_model), "synthetic", 2)
    promised = {
        "hybrid_nearer_truth",
        "hybrid_lpips",
        "hybrid_psnr",
        "reconstruction_lpips",
        "interpolation_lpips",
    }
    assert report["metrics"].keys() == promised
    assert list(report["answers"]) == ["copy structure", "copy texture", "colour transfer"]
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8")) == report
    assert list(report["speed"]["milliseconds"]) == ["16", "32"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.json", "report.html"}
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    images = [str(image["alt"]) for image in Sound(text).all("img")]
    assert sum(alt.startswith("true swap, Pair ") for alt in images) == 2
    assert sum(alt.startswith("reconstruction, Structure image of pair ") for alt in images) == 2
    assert "2 pairs in the order of hybrid_lpips" in text
    assert '<th scope="col" class="n">32 × 32</th>' in text


def test_photos_print_a_table_and_keep_their_pairs(
    photo: Callable[..., Path], tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        folder = photo(f"set/{number}.png", (20, 20), number).parent
    words = ["eval", str(tiny_model), "--data", str(folder), "--size", "16", "--metrics", "l1,color"]
    assert main([*words, "--pairs", "3", "-o", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    assert "L1" in out
    assert "colour transfer" in out
    assert f"wrote {tmp_path / 'a' / 'report.html'}" in out
    text = (tmp_path / "a" / "report.html").read_text("utf-8")
    assert "3 pairs in the order of Color" in text
    assert "4 reconstructions in the order of L1" in text
    Sound(text)
    listed = str(tmp_path / "a" / "pairs.json")
    assert main([*words, "--pairs", listed, "-o", str(tmp_path / "b"), "--json", "--no-speed"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "speed" not in report
    assert 'id="speed"' not in (tmp_path / "b" / "report.html").read_text("utf-8")
    assert report["metrics"] == json.loads((tmp_path / "a" / "report.json").read_text("utf-8"))["metrics"]
    assert main([*words, "-o", str(tmp_path / "a")]) == 1
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("metrics", "silent"),
    [("psnr", ["pairs"]), ("precision", ["pairs", "reconstructions"]), ("color", ["reconstructions"])],
)
def test_where_no_metric_looks_at_single_ones_the_first_are_shown(
    metrics: str,
    silent: list[str],
    photo: Callable[..., Path],
    tiny_model: Path,
    tmp_path: Path,
) -> None:
    if metrics == "precision":
        pytest.importorskip("efficientnet_lite_pytorch")
    for number in range(6):
        folder = photo(f"set/{number}.png", (20, 20), number).parent
    words = ["eval", str(tiny_model), "--data", str(folder), "--size", "16", "--metrics", metrics]
    assert main([*words, "--pairs", "5", "-o", str(tmp_path / "out"), "--no-speed"]) == 0
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    for what in ("pairs", "reconstructions"):
        assert (f"No metric that looks at single {what} was chosen" in text) == (what in silent)
    images = [str(image["alt"]).partition(",")[0] for image in Sound(text).all("img")]
    assert images.count("hybrid") == (5 if "pairs" in silent else 3)
    assert images.count("reconstruction") == 6


def test_a_folder_of_outputs_is_shown_without_speed(
    lpips_folder: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from swapae.evaluation.synthetic import write_inputs

    write_inputs(tmp_path / "asked", num_pairs=2, size=24)
    (tmp_path / "outputs").mkdir()
    for name in ("00000", "00001"):
        picture = (tmp_path / "asked" / "input_style" / f"{name}.png").read_bytes()
        (tmp_path / "outputs" / f"{name}_swap.png").write_bytes(picture)
    words = ["eval", str(tmp_path / "outputs"), "--data", "synthetic", "--pairs", "2", "--size", "24"]
    assert main([*words, "--weights", str(lpips_folder), "-o", str(tmp_path / "out"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert not {"speed", "device", "backend"} & report.keys()
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "There are no reconstructions." in text
    assert [str(image["alt"]).partition(",")[0] for image in Sound(text).all("img")].count("true swap") == 2


def test_a_page_that_exists_is_kept_without_force(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.html").write_text("mine")
    assert main(["eval", str(tiny_model), "--data", "synthetic", "-o", str(tmp_path)]) == 1
    assert "report.html exists already: use --force" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "mine"


def test_too_few_pairs_for_a_metric_are_one_sentence_and_nothing_is_written(
    photo: Callable[..., Path], tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    for number in range(4):
        folder = photo(f"set/{number}.png", (20, 20), number).parent
    words = [
        "eval",
        str(tiny_model),
        "--data",
        str(folder),
        "--size",
        "16",
        "--metrics",
        "kid",
        "--pairs",
        "3",
    ]
    assert main([*words, "-o", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert "four images a side or more, not 3 and 4" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--data", "synthetic", "--weights", "/nowhere"], 1, "lpips_squeeze_v0.1.safetensors"),
        (["--data", "synthetic", "--metrics", "fid"], 2, "figures of synthetic are fixed"),
        (["--data", "synthetic", "--pairs", "many"], 2, "--pairs must be a number"),
        (["--data", "x", "--metrics", "fdi"], 1, "did you mean FID"),
        (["--data", "x", "--size", "0"], 2, "--size"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], status: int, sentence: str, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", str(tiny_model), *words]) == status
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err
