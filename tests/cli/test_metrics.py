import json
from pathlib import Path

import pytest

pytest.importorskip("torchvision", reason="the nets need the extra swapae[metrics]")

from swapae.cli.main import main
from swapae.metrics import fetch as fetching
from swapae.metrics.table import METRICS


def test_list_names_every_metric(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(METRICS)
    assert main(["metrics", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["metrics"]
    assert rows["FID"]["nets"] == ["EffLite0", "Inception"]
    recall = "share of images that lie among the swaps"
    assert rows["Precision"]["beside"] == {"Recall": {"better": "high", "says": recall}}
    assert any(line.startswith("Precision ") and f"; Recall: {recall}" in line for line in lines)


def test_fetch_brings_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pretend(remote: fetching.Remote, folder: Path, progress: fetching.Progress) -> Path:
        for here in (1, 5_000_000, 10_000_000):
            progress(here, 10_000_000)
        return folder / remote.filename

    monkeypatch.setattr(fetching, "fetch", pretend)
    assert main(["metrics", "fetch", "inception", "alex", "--to", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "alexnet-owt-7be5be79.pth") in out
    assert "5 of 10 MB" in out
    assert main(["metrics", "fetch", "efflite0"]) == 1
    assert "Inception, VGG16, alex, squeeze can be fetched" in capsys.readouterr().err
