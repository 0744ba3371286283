"""`swapae eval` from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torchvision", reason="LPIPS needs the extra swapae[metrics]")

from swapae.cli.main import main


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
    listed = str(tmp_path / "a" / "pairs.json")
    assert main([*words, "--pairs", listed, "-o", str(tmp_path / "b"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["metrics"] == json.loads((tmp_path / "a" / "report.json").read_text("utf-8"))["metrics"]
    assert main([*words, "-o", str(tmp_path / "a")]) == 1
    assert "--force" in capsys.readouterr().err


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
