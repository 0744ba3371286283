"""The Dockerfile, which nobody has built: a linter reads it, and what it says of the program is so."""

import json
import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
from tests.shipping.conftest import ROOT

from swapae.cli.commands import COMMANDS
from swapae.web.guard import HEALTH
from swapae.web.settings import is_loopback

TEXT = (ROOT / "Dockerfile").read_text("utf-8")
LINES = re.sub(r"\\\n\s*", "", TEXT).splitlines()


def told(instruction: str) -> list[str]:
    """What follows an instruction, wherever it is given."""
    return [line.removeprefix(instruction + " ") for line in LINES if line.startswith(instruction + " ")]


def hadolint() -> Path | None:
    beside = Path(sysconfig.get_path("scripts")) / "hadolint"
    return beside if beside.exists() else (found := shutil.which("hadolint")) and Path(found)


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    program = hadolint()
    if program is None:
        pytest.skip("hadolint is not installed")
    return subprocess.run([program, "--no-color", file], capture_output=True, text=True)


def test_the_linter_finds_nothing_to_say() -> None:
    done = lint(ROOT / "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_does_look(tmp_path: Path) -> None:
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM python:latest\nRUN sudo pip install swapae\n")
    assert lint(careless).returncode == 1


def test_the_base_is_pinned_and_nobody_runs_as_root() -> None:
    assert re.search(r"^ARG PYTHON=\d+\.\d+\.\d+-slim-\w+$", TEXT, re.MULTILINE)
    assert {line.split(" AS ")[0] for line in told("FROM")} == {"python:${PYTHON}"}
    assert told("USER")[-1] != "0"
    last = TEXT[TEXT.rindex("\nFROM ") :]
    assert "\nUSER " in last
    assert not re.search(r"apt-get|g\+\+|pip install", last)


def test_no_cache_is_left() -> None:
    for line in told("RUN"):
        assert "pip install" not in line or "--no-cache-dir" in line
        assert "apt-get update" not in line or "rm -rf /var/lib/apt/lists/*" in line


def test_its_licences_are_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f'licenses="{project["license"]}"' in TEXT


def test_it_says_that_it_is_untested() -> None:
    assert "NOT BUILT OR RUN YET" in TEXT
    assert "**Untested.**" in (ROOT / "docs" / "docker.md").read_text("utf-8")


def test_its_command_is_one_of_the_program_and_asks_for_a_token() -> None:
    (entry,), (words,) = map(json.loads, told("ENTRYPOINT")), map(json.loads, told("CMD"))
    assert entry == ["swapae"]
    assert words[0] in COMMANDS
    host = words[words.index("--host") + 1]
    assert not is_loopback(host)  # then the studio takes no request without one
    assert words[words.index("--port") + 1] in told("EXPOSE")


def test_the_health_check_asks_what_is_answered_at_once() -> None:
    (check,) = told("HEALTHCHECK")
    asked = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)
    assert asked == [(told("EXPOSE")[0], HEALTH[0])]
    program = json.loads(check[check.index("[") :])
    compile(program[2], "health check", "exec")
    assert shlex.join(program).startswith("python -c ")


def test_what_is_copied_into_the_build_is_there_and_let_through() -> None:
    let = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"}
    copied = [word for line in told("COPY") if "--from" not in line for word in line.split()[:-1]]
    assert {word.removeprefix("./") for word in copied} == let
    assert all((ROOT / word).exists() for word in copied)
