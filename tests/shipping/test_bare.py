"""The wheel in a bare environment: no compiler, no locale, no home, a path with spaces and other scripts."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from tests.shipping.conftest import ROOT


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel alone; what it needs of others lies in this environment's folder."""
    folder = tmp_path_factory.mktemp("bare") / "bloße Umgebung 環境"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    done = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps"]
    subprocess.run([*done, "--quiet", "--disable-pip-version-check", str(wheel)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def hostile(bare: Path) -> dict[str, str]:
    """The environment of a poor process: no compiler in reach, ASCII alone, a home that cannot be written."""
    return {
        "PATH": str(bare / "bin"),
        "HOME": "/dev/null/home",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
    }


def held(folder: Path) -> set[tuple[str, int]]:
    """Files that are not Python's own, with their times."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {(path.relative_to(folder).as_posix(), path.stat().st_mtime_ns) for path in files}


def test_the_smoke_part_passes_where_only_the_wheel_is(bare: Path) -> None:
    before = held(bare)
    words = ["-m", "pytest", "tests/smoke", "-q", "-p", "no:cacheprovider", "--durations=5"]
    done = subprocess.run(
        [bare / "bin" / "python", *words], cwd=ROOT, env=hostile(bare), capture_output=True, timeout=500
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, said
    assert "5 passed" in said, said
    assert held(bare) == before
