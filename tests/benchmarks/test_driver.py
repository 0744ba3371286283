"""The race itself, on the smallest cases: its rows are whole, and what it compares is the same."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.driver import choose, figures
from benchmarks.jobs import Case
from benchmarks.table import page

from benchmarks import inference, train_step

ROOT = Path(__file__).parents[2]
KEYS = {
    *("name", "resolution", "batch", "ours_ms", "baseline_a_ms", "baseline_b_ms", "ratio_a", "ratio_b"),
    *("gemm_share", "gemm_gflops", "threads", "machine", "torch", "commit", "rounds", "error"),
}


@pytest.fixture(scope="module")
def row() -> dict[str, object]:
    """One row as the command line gives it."""
    command = [sys.executable, "-m", "benchmarks.inference", "--only", "swap", "--resolution", "32"]
    command += ["--batch", "2", "--model", "tiny32", "--quick", "--json", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_a_row_has_every_figure(row: dict[str, object]) -> None:
    assert set(row) >= KEYS
    assert (row["name"], row["resolution"], row["batch"], row["threads"]) == ("swap", 32, 2, 1)
    numbers = [float(str(row[key])) for key in ("ours_ms", "baseline_a_ms", "baseline_b_ms", "gemm_share")]
    assert min(numbers) > 0


def test_ours_and_the_baseline_computed_the_same(row: dict[str, object]) -> None:
    assert float(str(row["error"])) < 1e-5


def test_the_page_names_rows_and_machine(row: dict[str, object]) -> None:
    text = page([row])
    assert "| swap | 32² | 2 | tiny32 |" in text
    assert str(row["commit"]) in text


def test_ratios_are_above_1_where_the_package_wins() -> None:
    assert figures({"ours": 2.0, "a": 8.0, "b": 4.0}, "ms") == {
        "unit": "ms",
        "ours_ms": 2.0,
        "baseline_a_ms": 8.0,
        "baseline_b_ms": 4.0,
        "ratio_a": 4.0,
        "ratio_b": 2.0,
    }


def test_rows_that_need_too_much_are_left_out_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(only=None, resolution=None, batch=None, quick=False, full=True)
    kept = choose([Case("inference", "decode", 64), Case("inference", "huge", 4096, gigabytes=99)], options)
    assert [case.name for case in kept] == ["decode"]
    assert "huge" in capsys.readouterr().err


def test_quick_measures_one_row_of_those_of_a_name() -> None:
    cases = inference.cases(resolution=64)
    options = argparse.Namespace(only="decode", resolution=64, batch=None, quick=True, full=False)
    assert [(case.name, case.batch) for case in choose(cases, options)] == [("decode", 1)]


def test_operations_are_those_of_direct_convolutions() -> None:
    at_256 = {
        name: inference.flops(inference.case_of(name, 256, 1, "published")) for name in ("encode", "decode")
    }
    assert at_256["encode"] == pytest.approx(8.6e9, rel=0.02)  # model-spec §7
    assert at_256["decode"] == pytest.approx(93.1e9, rel=0.02)
    four = inference.flops(inference.case_of("decode", 256, 4, "published"))
    assert four == pytest.approx(4 * at_256["decode"], rel=1e-6)  # grouped convolutions count once each


def test_a_discriminator_step_costs_what_its_passes_do() -> None:
    by_name = {case.name: case for case in train_step.cases("tiny32")}
    flops = {name: train_step.flops(case) for name, case in by_name.items()}
    assert flops["iteration"] == pytest.approx(flops["D_step"] + flops["G_step"] + flops["R1_step"] / 16)
    assert min(flops.values()) > 0
