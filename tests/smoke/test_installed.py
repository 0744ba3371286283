"""The smoke part: an installed package, far from the checkout's sources, does its work.

    python -m pytest tests/smoke        with pytest, hypothesis and swapae[web] installed

`tests/shipping/test_bare.py` runs it in a bare environment. Where swapae is the checkout's own it is skipped,
for all other tests are about that one.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
from importlib.metadata import version
from pathlib import Path

import pytest

import swapae
from swapae.cli.main import main

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sysconfig.get_path("scripts")) / "swapae"

if Path(swapae.__file__).is_relative_to(ROOT / "src"):
    pytest.skip("swapae is the checkout's own here, not an installed one", allow_module_level=True)


def test_the_program_is_there_and_needs_no_torch_to_explain_itself() -> None:
    env = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run([PROGRAM, "--help"], env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert "swapae COMMAND" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "swapae.cli.main" in imported
    assert "torch" not in imported
    assert version("swapae") == swapae.__version__


def test_the_demo_shows_every_model_in_the_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / os.fsdecode("viele Bilder, 写真".encode())  # as a shell gives it, whatever the locale
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main(["demo", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "error" not in report
    made = {path.relative_to(folder / "demo").as_posix() for path in (folder / "demo").rglob("*.png")}
    assert {"overview.png", "clothing/swaps.png", "synthetic64/swaps.png"} <= made


def test_a_training_begins_and_leaves_a_model(tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["--preset", "tiny32", "--total-images", "8", "--batch-size", "4"]
    assert main(["train", "synthetic", "-o", str(run), *words, "--device", "cpu", "--quiet"]) == 0
    assert (run / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert main(["info", str(run), "--quiet"]) == 0


def test_the_studio_answers_and_has_its_page() -> None:
    pytest.importorskip("fastapi", reason="the studio needs the extra web")
    words = [PROGRAM, "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as studio:
        try:
            assert studio.stdout is not None
            lines = iter(studio.stdout.readline, "")
            url = next(found[0] for line in lines if (found := re.search(r"http://[\d.:]+/", line)))
            assert json.loads(fetched(url + "livez"))
            assert b"<title>" in fetched(url)
        finally:
            studio.terminate()
            studio.stdout.close()
    assert studio.returncode in (0, 130)


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def test_nothing_of_the_checkout_is_in_reach() -> None:
    assert not [place for place in sys.path if Path(place or ".").resolve() == ROOT / "src"]
