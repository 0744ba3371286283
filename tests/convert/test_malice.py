"""`swapae convert` executes nothing: what would run code is refused in a sentence, and does nothing."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.convert.malice import MALICE, write_all

from swapae.convert.official_file import read_official
from swapae.errors import UserError

Outcomes = dict[str, list[dict[str, Any]]]

WAIT = """
import contextlib, os
with contextlib.suppress(ChildProcessError):
    while True:
        os.wait()
"""
DRIVER = Path(__file__).with_name("audited.py")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("malice")


@pytest.fixture(scope="module")
def outcomes(place: Path) -> Outcomes:
    """What became of each file in a process of its own, in both rounds; and nothing was left behind."""
    names = list(write_all(place))
    before = sorted(os.listdir(place))
    done = subprocess.run(
        [sys.executable, DRIVER, *(f"{name}.pth" for name in names)],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    assert sorted(os.listdir(place)) == before
    assert not (place.parent / "escaped").exists()
    found: Outcomes = {}
    for line in map(json.loads, done.stdout.splitlines()):
        found.setdefault(str(line["file"]).removesuffix(".pth"), []).append(line)
    return found


def test_there_are_enough_of_them() -> None:
    assert len(MALICE) >= 50


@pytest.mark.parametrize("name", MALICE)
def test_it_is_refused_in_one_sentence_and_does_nothing(name: str, outcomes: Outcomes) -> None:
    first, second = outcomes[name]
    for outcome in (first, second):
        assert outcome["status"] == 1
        assert outcome["out"] == ""
        assert str(outcome["err"]).startswith(f"error: {name}.pth ")
        assert str(outcome["err"]).count("\n") == 1
    assert second["events"] == []
    assert not [event for event in first["events"] if "ran-" in event]


def test_what_can_be_named_is_named(outcomes: Outcomes) -> None:
    asked = {"posix_system": "posix.system", "popen": "subprocess.Popen", "numpy_load": "numpy.load"}
    for name, what in asked.items():
        assert f"asks for {what} besides tensors and was not read: such a file can run code" in str(
            outcomes[name][0]["err"]
        )


def test_most_of_them_do_run_where_they_are_let(place: Path) -> None:
    """The corpus is no corpus if its gadgets are blunt: an ordinary unpickler runs them."""
    ran = []
    for name in (
        "posix_system",
        "popen",
        "chained",
        "pickle_in_pickle",
        "stack_global",
        "inst",
        "obj",
        "partial",
    ):
        with zipfile.ZipFile(place / f"{name}.pth") as archive:
            data = archive.read("archive/data.pkl")
        code = f"import pickle; pickle.loads({data!r})"
        ran.append((name, code))
    folder = place / "let"
    folder.mkdir()
    every = "\n".join(code for _, code in ran) + WAIT
    subprocess.run([sys.executable, "-c", every], cwd=folder, capture_output=True, check=True, timeout=60)
    assert sorted(os.listdir(folder)) == sorted(f"ran-{name}" for name, _ in ran)


def test_an_older_torch_reads_no_checkpoint(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "any.pth").write_bytes(b"x")
    for version in ("2.6.0", "2.9.1+cpu"):
        monkeypatch.setattr(torch, "__version__", version)
        with pytest.raises(UserError, match=r"needs PyTorch 2\.10 or newer, not .*CVE-2026-24747"):
            read_official(place / "any.pth")
