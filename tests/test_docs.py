"""The pages say what the program takes: every command in them is parsed by it, every link leads somewhere."""

import functools
import inspect
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import swapae
from swapae.cli import commands
from swapae.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELLS = ("", "sh", "bash", "shell", "console")
Place = tuple[str, int]


def blocks(page: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Code blocks of a page: number of the first line, language, lines."""
    start, language, inside = 0, "", []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = line.strip()
        if start and fence == "```":
            yield start, language, inside
            start = 0
        elif start:
            inside.append(line)
        elif fence.startswith("```"):
            start, language, inside = number + 1, fence.removeprefix("```"), []


def command_lines(page: Path) -> Iterator[tuple[Place, str]]:
    """Commands of this program in a page, after a prompt, variables or a launcher, on one line or several."""
    for start, language, lines in blocks(page):
        if language not in SHELLS:
            continue
        text, first = "", start
        for number, line in enumerate(lines, start):
            first = number if not text else first
            text += line.removesuffix("\\") + " " if line.endswith("\\") else line
            if line.endswith("\\"):
                continue
            if found := re.search(r"(?:^|\s)(?:-m )?swapae\s+(?=[a-z-])(.*)", text):
                yield (page.relative_to(ROOT).as_posix(), first), found[1]
            text = ""


COMMANDS = [(place, line) for page in PAGES for place, line in command_lines(page)]


def words_of(line: str) -> list[str]:
    """The words of a command before a comment, a pipe, a redirection or the next command."""
    words = shlex.split(line, comments=True)
    ends = [words.index(word) for word in ("|", ";", "&&", "||", "&", ">", ">>", "2>") if word in words]
    return words[: min(ends, default=len(words))]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands that only note that they were called; of train, the fields of the config are checked too."""
    names: list[str] = []

    def silenced(name: str, command: object) -> object:
        @functools.wraps(command)  # type: ignore[arg-type]
        def note(*args: object, **given: object) -> dict[str, object]:
            names.append(name)
            if "preset" in given:
                check_settings(given)
            return {}

        return note

    for name, command in list(commands.COMMANDS.items()):
        monkeypatch.setitem(commands.COMMANDS, name, silenced(name, command))
    return names


def check_settings(given: Mapping[str, object]) -> None:
    from swapae.cli.train import base_config, configure

    preset, settings = given.get("preset"), given.get("settings") or {}
    is_file = str(preset).endswith((".yaml", ".json"))
    configure(base_config("", Path(), None if is_file else preset), settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("place", "line"), COMMANDS, ids=[f"{p}:{n}" for (p, n), _ in COMMANDS])
def test_a_command_in_a_page_is_one_that_the_program_takes(
    place: Place, line: str, called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = words_of(line)
    status = main(words)
    assert status == 0, capsys.readouterr().err
    assert called or {"--fields", "--help", "--version"} & set(words), f"{place}: {words}"


def test_there_are_commands_in_the_pages_to_be_parsed() -> None:
    pages = {page for (page, _), _ in COMMANDS}
    assert {"README.md", "docs/train.md"} <= pages
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(
    "line", ["train photos/ -o run --nonsense 3", "trian photos/", "swap a b -o c --model"]
)
def test_a_wrong_command_would_be_found(
    line: str, called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_of(line)) == 2
    assert called in ([], ["train"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_a_page_compiles_and_imports_what_there_is(page: Path) -> None:
    for start, language, lines in blocks(page):
        if language == "python":
            code = "\n".join(lines)
            compile(code, f"{page.name}:{start}", "exec")
            for name in re.findall(r"^from swapae import (.+)$", code, re.MULTILINE):
                assert all(hasattr(swapae, one.strip()) for one in name.split(",")), name
            for module, names in re.findall(r"^from (swapae\.[\w.]+) import (.+)$", code, re.MULTILINE):
                known = __import__(module, fromlist=["*"])
                assert all(hasattr(known, one.strip()) for one in names.split(",")), names


def test_the_page_on_training_names_every_argument_of_train() -> None:
    """From Python, a training takes what it takes from a terminal."""
    page = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    for name in inspect.signature(swapae.train).parameters:
        assert name in page, name
