"""Trainings end in order when they are told to, and go on with the same command."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from swapae.cli.main import main

SWAPAE = [sys.executable, "-m", "swapae"]
TINY = ["--preset", "tiny32", "--log-images", "4", "--total-images", "100000"]
IN_TIME = 30.0  # seconds from a signal to the end: those that SLURM leaves before it kills, by default

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def begin(run: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a training, and wait until it has logged something new."""
    before = seen_by(run)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [*SWAPAE, "train", "synthetic", "-o", str(run), *TINY, *options]
    child = subprocess.Popen(command, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload]
    end = time.monotonic() + 300
    while seen_by(run) <= before and child.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    return child  # type: ignore[no-any-return]


def seen_by(run: Path) -> int:
    """Images of the last whole line of the log."""
    log = run / "log.jsonl"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return int(json.loads(lines[-1])["images_seen"]) if lines else 0


def saved_by(run: Path) -> int:
    return max(
        (int(path.name.removeprefix("images_")) for path in run.glob("checkpoints/images_*")), default=0
    )


@pytest.mark.slow
def test_signals_save_a_training_in_time_which_then_goes_on(tmp_path: Path) -> None:
    """SIGTERM goes to all processes of a job, as schedulers send it: those that read ahead let it pass."""
    run = tmp_path / "run"
    for number, options in ((signal.SIGINT, []), (signal.SIGTERM, ["--data.workers", "1"])):
        child = begin(run, *options)
        told = time.monotonic()
        if options:
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)
        out, err = child.communicate(timeout=120)
        assert (child.returncode, time.monotonic() - told < IN_TIME) == (0, True), err
        assert "the same command goes on" in out
        assert "once more ends at once" in err
        assert "Traceback" not in err
        assert saved_by(run) >= seen_by(run) > 0
        assert (run / "latest").read_text().strip().endswith(f"{saved_by(run):08d}")
        assert not (run / ".lock").exists()


def test_max_time_stops_saves_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert main(["train", "synthetic", "-o", str(run), *TINY, "--max-time", "0.001s"]) == 0
    assert "saved" in capsys.readouterr().out
    assert saved_by(run) == 0
    assert (run / "checkpoints" / "images_00000000" / "MANIFEST.json").exists()
    assert main(["train", "synthetic", "-o", str(run), *TINY, "--max-time", "soon"]) == 2
    assert "write 90s, 30m or 11h30m" in capsys.readouterr().err


def test_a_run_that_somebody_trains_is_neither_trained_nor_emptied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from swapae.training.lock import locked

    run = tmp_path / "run"
    short = ["train", "synthetic", "-o", str(run), *TINY, "--max-time", "0.001s"]
    assert main(short) == 0
    files = sorted(run.rglob("*"))
    with locked(run):
        for options in ([], ["--force"]):
            assert main([*short, *options]) == 1
            assert f"is being trained by process {os.getpid()} on" in capsys.readouterr().err
        assert sorted(set(run.rglob("*")) - {run / ".lock"}) == files
    assert main(short) == 0


# ── several processes ────────────────────────────────────────────────────────────────────────────


def ranks_of(launcher: int) -> list[int]:
    """The processes that train, by rank."""
    import psutil

    found = {}
    for child in psutil.Process(launcher).children(recursive=True):
        if "train" in child.cmdline():
            found[int(child.environ()["RANK"])] = child.pid
    return [found[rank] for rank in sorted(found)]


@pytest.mark.slow
def test_two_processes_stop_together_and_end_with_one_sentence_when_one_is_killed(
    tmp_path: Path,
) -> None:
    pytest.importorskip("accelerate")
    run = tmp_path / "run"
    child = begin(run, "--gpus", "2", "--device", "cpu")
    told = time.monotonic()
    os.kill(ranks_of(child.pid)[1], signal.SIGTERM)  # one hears of it, both agree
    out, err = child.communicate(timeout=120)
    assert (child.returncode, time.monotonic() - told < IN_TIME) == (0, True), err
    assert out.count("the same command goes on") == 1
    assert saved_by(run) >= seen_by(run) > 0

    child = begin(run, "--gpus", "2", "--device", "cpu")
    ranks = ranks_of(child.pid)
    assert len(ranks) == 2
    told = time.monotonic()
    os.kill(ranks[1], signal.SIGKILL)
    _, err = child.communicate(timeout=120)
    assert (child.returncode, time.monotonic() - told < 30) == (1, True)
    said = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(said) == 1, err
    assert "process 1 of 2 was killed (SIGKILL)" in said[0]
    assert "Traceback" not in err
    end = time.monotonic() + 60  # the system may take a moment to clear away what has ended
    while any(Path(f"/proc/{pid}").exists() for pid in ranks):
        assert time.monotonic() < end
        time.sleep(0.05)
