"""`swapae completion`: the scripts complete, in the shells themselves, all that the program takes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
from tests.test_cli_surface import COMMON, FROZEN

from swapae import PRESETS, TrainConfig, box
from swapae.cli.commands import COMMANDS
from swapae.cli.completable import lines
from swapae.cli.completion import Shell, script_for
from swapae.cli.main import main
from swapae.config import field_names


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    for shell in get_args(Shell):
        (folder / shell).write_text(script_for(shell, COMMANDS), encoding="utf-8")
    return folder


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def in_bash(script: Path, folder: Path, words: Sequence[str]) -> list[str]:
    """What bash itself makes of the last word, by the function that it would call."""
    text = f"""
        source {script}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        "$(complete -p swapae | sed 's/.*-F \\([^ ]*\\).*/\\1/')" swapae
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [program("bash"), "--norc", "-c", text, "bash", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.stderr.replace("bash: compopt: not currently executing completion function\n", "") == ""
    return done.stdout.split("\n")[:-1]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "my photo *.png").touch()
    (tmp_path / "runs").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("st", {"studio"}),
        ("directions ", {"fit", "list", "apply"}),
        ("data pre", {"prepare"}),
        ("swap my", {"my photo *.png"}),
        ("swap a b -m s", {"synthetic64"}),
        ("swap a b --model r", {"runs"}),
        ("swap a b --str", {"--strength"}),
        ("swap a b -m x --strength 0.5 ", {""}),
        ("mix a b --of ", {"texture", "structure", "both"}),
        ("directions fit x --of texture la", {"layout"}),
        ("doctor --device c", {"cpu", "cuda"}),
        ("doctor --device = c", {"cpu", "cuda"}),
        ("doctor --json --dev", {"--device"}),
        ("train --preset photos64", {name for name in PRESETS if name.startswith("photos64")}),
        ("train syn", {"synthetic"}),
        ("train x --precision b", {"bf16"}),
        ("train x --model.structure-b", {"--model.structure-blocks"}),
        ("models ", set(box.names())),
        ("completion ", {"bash", "zsh", "fish"}),
        ("presets ", {""}),
        ("nonsense --a", {""}),
    ],
)
def test_bash_completes(scripts: Path, files: Path, typed: str, expected: set[str]) -> None:
    assert set(in_bash(scripts / "bash", files, ["swapae", *typed.split(" ")])) == expected


def test_bash_offers_every_command(scripts: Path, files: Path) -> None:
    found = in_bash(scripts / "bash", files, ["swapae", ""])
    assert set(found) == {name.split()[0] for name in COMMANDS}


@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "-n")])
def test_a_shell_reads_its_script(scripts: Path, shell: str, check: str) -> None:
    done = subprocess.run([program(shell), check, scripts / shell], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_fish_completes(scripts: Path, files: Path) -> None:
    words = (
        f"source {scripts / 'fish'}; complete -C 'swapae directions fit x --of t'; complete -C 'swapae data '"
    )
    done = subprocess.run([program("fish"), "-c", words], cwd=files, capture_output=True, text=True)
    assert (done.stderr, {line.split("\t")[0] for line in done.stdout.splitlines()}) == (
        "",
        {"texture", "check", "prepare"},
    )


@pytest.mark.parametrize("name", FROZEN)
def test_every_option_that_a_command_takes_is_completed(name: str) -> None:
    (line,) = lines({name: COMMANDS[name]}, box.names(), list(PRESETS))
    names = {name for value in line.options for name in value.names}
    frozen = {word for word in f"{FROZEN[name]} {COMMON}".split() if word.startswith("-")}
    if name == "train":
        fields = {f"--{field.replace('_', '-')}" for field in field_names(TrainConfig)}
        assert fields <= names
        frozen |= fields | {"--fields"}
    assert names == frozen
    assert len(line.places) == len([word for word in FROZEN[name].split() if not word.startswith("-")])


@pytest.mark.parametrize("shell", get_args(Shell))
def test_each_script_names_every_command_and_option(scripts: Path, shell: Shell) -> None:
    text = (scripts / shell).read_text("utf-8")
    for line in lines(COMMANDS, box.names(), list(PRESETS)):
        for name in (name for value in line.options for name in value.names):
            assert (name.lstrip("-") if shell == "fish" else name) in text
        assert all(word in text for word in line.name.split())


def test_zsh_finds_its_script_by_the_first_line(scripts: Path) -> None:
    assert (scripts / "zsh").read_text("utf-8").splitlines()[0] == "#compdef swapae"


def test_it_is_a_command_like_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    assert capsys.readouterr().out == script_for("bash", COMMANDS)
    assert main(["completion", "bash", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"shell": "bash", "script": script_for("bash", COMMANDS)}
    assert main(["completion", "powershell"]) == 2


def test_completing_starts_no_python(scripts: Path) -> None:
    for shell in get_args(Shell):
        code = [line for line in (scripts / shell).read_text("utf-8").splitlines() if line[:1] != "#"]
        assert not [line for line in code if "python" in line.split()]
    assert sys.executable not in (scripts / "bash").read_text("utf-8")
