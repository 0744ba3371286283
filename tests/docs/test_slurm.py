"""The script for each task of a SLURM job, of docs/multi-gpu.md, run as two tasks on this machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, blocks, is_script
from tests.training.tools import make_images, micro

from swapae.config import save

PAGE = ROOT / "docs" / "multi-gpu.md"


def test_two_tasks_of_the_pages_script_train_one_run(tmp_path: Path) -> None:
    make_images(tmp_path / "photos")
    save(micro(total_images=16), tmp_path / "small.yaml")
    (script,) = [block.code for block in blocks(PAGE) if is_script(block) and "SLURM_PROCID" in block.code]
    for said, here in (("/shared", str(tmp_path)), ("church_default", "small.yaml --device cpu --json")):
        assert said in script
        script = script.replace(said, here)
    (tmp_path / "one.sh").write_text(script)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python").chmod(0o755)

    port = _free_port()
    tasks = [_started(tmp_path, rank, port) for rank in range(2)]

    said = [task.communicate(timeout=600) for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert json.loads(said[0][0])["is_complete"] is True
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["images_seen"] == 16


def _started(folder: Path, rank: int, port: int) -> subprocess.Popen[str]:
    own = {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_NTASKS": "2", "OMP_NUM_THREADS": "1"}
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PATH": f"{folder}:{os.environ['PATH']}"}
    paths = {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        ["bash", "one.sh"],
        cwd=folder,
        env={**os.environ, **own, **where, **paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
