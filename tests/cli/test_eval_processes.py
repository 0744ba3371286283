"""`swapae eval --gpus 2`: two processes over gloo find what one finds, and end as one.

With as many threads they find it to the bit; two processes have fewer each, which orders sums in another way.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torchvision", reason="LPIPS needs the extra swapae[metrics]")
pytest.importorskip("accelerate", reason="several processes need the extra swapae[train]")

from swapae.cli.main import main
from swapae.training.group import own_device

Words = list[str]


def reported(words: Words, out: Path) -> dict[str, Any]:
    assert main([*words, "--json", "--no-speed", "-o", str(out)]) == 0
    found: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return found


@pytest.fixture
def folder(photo: Callable[..., Path]) -> Path:
    """Nine images, of which two cannot be decoded; shares of three batches and of two."""
    paths = [photo(f"set/{number}.png", (24, 24), number) for number in range(9)]
    for broken in (paths[3], paths[4]):
        broken.write_bytes(broken.read_bytes()[:300])
    return paths[0].parent


def test_of_photos_every_figure_is_that_of_one_process(
    folder: Path, tiny_model: Path, lpips_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", str(tiny_model), "--data", str(folder), "--size", "24", "--batch", "2", "--pairs", "5"]
    words += ["--metrics", "lpips,texturesensitivity,color", "--weights", str(lpips_folder)]
    one = reported(words, tmp_path / "one")
    capfd.readouterr()
    two = reported_by_two(words, tmp_path / "two", capfd)
    assert (one["images"], one["unreadable"], one["pairs"]) == (7, ["3.png", "4.png"], 5)
    assert {"LPIPS-squeeze", "TextureSensitivity-LPIPS-squeeze", "Color"} < one["metrics"].keys()
    assert two == near(one)
    pairs = [(tmp_path / name / "pairs.json").read_bytes() for name in ("one", "two")]
    assert pairs[0] == pairs[1]


def test_of_true_swaps_every_figure_is_that_of_one_process(
    tiny_model: Path, lpips_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", str(tiny_model), "--data", "synthetic", "--size", "24", "--batch", "2", "--pairs", "5"]
    words += ["--weights", str(lpips_folder)]
    one = reported(words, tmp_path / "one")
    capfd.readouterr()
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "report.json").write_text("older")  # which --force, and nothing else, overwrites
    two = reported_by_two([*words, "--force"], tmp_path / "two", capfd)
    assert one["pairs"] == 5
    assert two == near(one)


def near(report: Any) -> Any:
    """The report, equal to one whose floats are a hundred-thousandth apart."""
    if isinstance(report, dict):
        return {name: near(value) for name, value in report.items()}
    if isinstance(report, list):
        return [near(value) for value in report]
    return pytest.approx(report, rel=1e-5) if isinstance(report, float) else report


def reported_by_two(words: Words, out: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*words, "--json", "--no-speed", "-o", str(out), "--gpus", "2"]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    found: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    assert json.loads(printed.out) == found  # one object, of the first process
    return found


def test_a_process_takes_the_gpu_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from swapae.training import group

    asked: list[str] = []

    def choose(name: str) -> torch.device:
        asked.append(name)
        return torch.device("cuda" if name == "auto" else name)

    monkeypatch.setattr(group, "choose_device", choose)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert own_device("auto") == torch.device("cuda", 1)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert own_device("auto") == torch.device("cuda")
    assert asked == ["auto", "cuda:1", "auto"]
