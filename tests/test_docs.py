"""The pages say what the program takes: every command in them is parsed by it, every link leads somewhere."""

import functools
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.docs.pages import PAGES, ROOT, SHELLS, blocks, program_words, words_of
from tests.docs.pages import commands as commands_of

import swapae
from swapae.cli import commands
from swapae.cli.main import main

Place = tuple[str, int]


def command_lines(page: Path) -> Iterator[tuple[Place, list[str]]]:
    """Commands of this program in a page, each as its words, with the place of its line."""
    for block in blocks(page):
        if block.language in SHELLS:
            for command in commands_of(block):
                words = program_words(command.text)
                if words is not None:
                    yield (command.page, command.line), words


COMMANDS = [one for page in PAGES for one in command_lines(page)]


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


@pytest.mark.parametrize(("place", "words"), COMMANDS, ids=[f"{p}:{n}" for (p, n), _ in COMMANDS])
def test_a_command_in_a_page_is_one_that_the_program_takes(
    place: Place, words: list[str], called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
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
    for block in blocks(page):
        if block.language == "python":
            code = block.code
            compile(code, f"{page.name}:{block.start}", "exec")
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
