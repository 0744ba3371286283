"""ONNX Runtime beside PyTorch: a row of a small model, and how it is laid out."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import runtimes, table


@pytest.fixture
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_threads")
def test_all_three_are_measured_by_turns_and_compared(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
    words = ["--model", str(tiny_model), "--resolution", "32", "--threads", "1", "--rounds", "2", "--json"]
    runtimes.main(words)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == ["start", "encode", "decode", "swap"]
    for row in rows:
        assert (row["rounds"], row["threads"], row["group"]) == (2, 1, "runtimes")
        for who in runtimes.WHO:
            assert 0 < row[f"{who}_least_ms"] <= row[f"{who}_ms"]
            assert 0 < row[f"{who}_least_cpu_ms"] <= row[f"{who}_cpu_ms"]
    for row in rows[1:]:
        assert row["onnx_error"] < 1e-4 < row["onnx_int8_error"] < 1
    laid = table.page(rows).splitlines()
    assert "## ONNX Runtime and PyTorch" in laid
    assert sum(line.startswith(("| start | 64²", "| swap | 32²")) for line in laid) == 2
    ratio = rows[3]["torch_least_cpu_ms"] / rows[3]["onnx_least_cpu_ms"]
    assert f"| {ratio:.2f} | " in laid[-1]


def test_turns_alternate() -> None:
    seen: list[str] = []
    taken = runtimes.race({name: lambda name=name: seen.append(name) for name in "ab"}, rounds=2)
    assert seen == ["a", "b"] * 3
    assert [len(turns) for turns in taken.values()] == [2, 2]
