"""Starting several processes, and what is said when they end."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.training.tools import micro

from swapae.cli.main import main
from swapae.cli.processes import without_gpus
from swapae.errors import UserError
from swapae.training import launch as launching
from swapae.training.launch import check_launch, launch
from swapae.training.watch import LAUNCHED, PEER_STATUS


def test_without_a_gpu_the_processes_share_the_cpu_and_one_line_says_so() -> None:
    assert check_launch(micro(), 2, "cpu").count("\n") == 0
    assert "2 processes share this machine's CPU, over gloo" in check_launch(micro(), 2, "cpu")


def test_more_gpus_than_there_are_are_refused_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "choose_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="--gpus 2: this machine has 1"):
        check_launch(micro(), 2, "auto")


def test_a_batch_that_cannot_be_dealt_and_a_missing_accelerate_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UserError, match=r"batch of 4 images .* to 3 processes"):
        check_launch(micro(), 3, "cpu")
    monkeypatch.setattr(launching, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="--gpus needs Accelerate"):
        check_launch(micro(), 2, "cpu")


def test_processes_of_torchrun_start_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UserError, match="leave --gpus out"):
        check_launch(micro(), 2, "cpu")


def test_the_other_processes_get_the_command_without_what_is_done() -> None:
    words = ["data", "--gpus", "2", "-o", "run", "--force", "--seed=3"]
    assert without_gpus(words) == ["data", "-o", "run", "--force", "--seed=3"]
    assert without_gpus(["--gpus=4", "data"]) == ["data"]


@pytest.mark.parametrize(("number", "status"), [("0", 2), ("x", 2)])
def test_a_number_of_gpus_that_is_none_is_wrong_usage(
    number: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "synthetic", "-o", str(tmp_path / "run"), "--gpus", number]) == status
    assert "gpus" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────

CODE = """
import os, signal, sys, time
rank, how = int(os.environ["RANK"]), sys.argv[1]
assert os.environ["WORLD_SIZE"] == "2" and os.environ["SWAPAE_LAUNCHED"] == "1"
if rank == 1:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(int(how))
"""


@pytest.mark.parametrize("how", ["0", "5"])
def test_the_status_is_that_of_the_process_that_failed(how: str) -> None:
    before = dict(os.environ)
    assert launch(["-c", CODE, how], 2) == int(how)
    assert dict(os.environ) == before
    assert LAUNCHED not in os.environ


def test_a_killed_process_is_named_in_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        UserError, match=r"^process 1 of 2 was killed \(SIGKILL\), so the others ended; [^.]*.$"
    ):
        launch(["-c", CODE, "kill"], 2)
    assert capfd.readouterr().err == ""


def ends(**statuses: int) -> dict[int, SimpleNamespace]:
    return {int(rank[1:]): SimpleNamespace(exitcode=status) for rank, status in statuses.items()}


def test_processes_that_ended_because_of_another_are_not_the_cause() -> None:
    assert launching._status_of(ends(r0=PEER_STATUS, r1=1), 2, []) == 1
    with pytest.raises(UserError, match="process 1 of 2"):
        launching._status_of(ends(r0=PEER_STATUS, r1=-9), 2, [])
    with pytest.raises(KeyboardInterrupt):
        launching._status_of(ends(r0=-15, r1=-15), 2, [15])


def test_an_error_of_the_launcher_itself_is_raised() -> None:
    with pytest.raises(OSError, match="no port"):
        launching._status_of(OSError("no port"), 2, [])


def test_the_processes_run_this_python() -> None:
    code = f"import sys; sys.exit(sys.executable != {sys.executable!r})"
    assert launch(["-c", code], 2) == 0
