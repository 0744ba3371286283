"""Trainings that are killed by SIGKILL lose nothing (killed.py, with fewer kills)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_trainings_killed_at_random_moments_resume_and_end_as_one_that_nobody_killed() -> None:
    command = [sys.executable, "-m", "tests.training.killed", "--times", "8", "--seed", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 kills, 0 failures" in done.stdout
    hits = {moment: int(number) for number, moment in re.findall(r"^ *(\d+) (.+)$", done.stdout, re.M)}
    for moment in ("before the first save", "writing", "renaming", "pruning"):
        assert hits[moment] >= 1, hits
