"""Running what a page says, block by block, in one folder and one process, and telling what did not work."""

import contextlib
import doctest
import importlib.util
import io
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.docs import not_run
from tests.docs.pages import (
    ROOT,
    SHELLS,
    Block,
    Command,
    blocks,
    commands,
    is_script,
    program_words,
    words_of,
)
from tests.docs.small import shortened, shortened_code

from swapae.cli.main import main

PLAIN = {"cat", "cd", "cp", "export", "ls", "mkdir", "mv", "rm", "unset", "unzip", "sha256sum"}
ONCE = (["demo"], ["demo", "--force"])  # takes seconds, and always writes the same, to a folder of its name
KEPT: dict[str, Path] = {}
MODULE = re.compile(r"^python -m ([\w.]+)")
AS_SHOWN = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WHAT_TO_DO = """
The pages' commands and code are run as they stand, in a folder that tests/docs/world.py makes (in short:
tests/docs/small.py). Mend the page; or give it there what it presupposes; or, if nothing here can run it, say
why in tests/docs/not_run.py."""


@dataclass
class Run:
    """A page in the course of being run.

    - folder: where it runs, a copy of the world.
    - given: what of the world a page may make itself; gone from here once it did.
    - names: what Python's blocks have defined.
    - faults: what did not work, with its place.
    """

    folder: Path
    patch: pytest.MonkeyPatch
    given: set[str]
    names: dict[str, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def page(self, page: Path) -> None:
        """Run all blocks of a page in their order."""
        for block in blocks(page):
            self.block(block)

    def block(self, block: Block) -> None:
        """Run a block; a fault is noted, and the next one is run."""
        if block.language in SHELLS and is_script(block):
            self.noted(f"{block.page}:{block.start}", lambda: check_script(block.code))
        elif block.language in SHELLS:
            for command in commands(block):
                self.noted(command.place, lambda command=command: self.command(command))  # type: ignore[misc]
        elif block.language in CHECKS:
            self.noted(f"{block.page}:{block.start}", lambda: CHECKS[block.language](block.code))
        elif block.language == "python" and not_run.reason(block.page, block.code) is None:
            self.noted(f"{block.page}:{block.start}", lambda: self.python(block))

    def noted(self, place: str, call: Callable[[], None]) -> None:
        try:
            call()
        except (Exception, SystemExit) as error:
            self.faults.append(f"{place}: {type(error).__name__}: {error}".replace("AssertionError: ", ""))

    def command(self, command: Command) -> None:
        """Run a line of a shell block.

        Raises:
            AssertionError: it fails, or prints something else than the page shows.
        """
        text = command.text.replace("/shared/", "shared/")
        if not_run.reason(command.page, text) is not None:
            check_others(text)
            return
        for part in re.split(r"\s+&&\s+", text):
            words = program_words(part)
            printed = self.plain(part) if words is None else self.program(words, part)
            if command.shown:
                wanted = "\n".join(command.shown).strip() + "\n"
                is_same = doctest.OutputChecker().check_output(wanted, printed.strip() + "\n", AS_SHOWN)
                assert is_same, f"`{part}` prints\n{printed}"

    def program(self, words: list[str], text: str) -> str:
        """Run a command of this program, with the variables before it, and give what it prints."""
        for name, value in re.findall(r"(?:^|(?<=\s))([A-Z_]+)=(\S+)(?=\s.*swapae )", text):
            self.patch.setenv(name, value)
        if words in ONCE and words[0] in KEPT:
            shutil.copytree(KEPT[words[0]], self.folder / words[0], dirs_exist_ok=True)
            return ""
        self.make_way(words)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(shortened(words))
        assert status == 0, (
            f"`swapae {' '.join(words)}` ended with {status}: {err.getvalue()}{out.getvalue()}"
        )
        if words in ONCE:
            KEPT[words[0]] = self.folder / words[0]
        if found := re.search(r"\s>\s*(\S+)", text):
            (self.folder / found[1]).write_text(out.getvalue())
        return out.getvalue()

    def make_way(self, words: list[str]) -> None:
        """Take away what the world gave and this command makes."""
        if words[0] == "convert" or {"-o", "--out"} & set(words):
            made = (
                words[2]
                if words[0] == "convert"
                else words[max(map(words.index, {"-o", "--out"} & set(words))) + 1]
            )
            name = made.rstrip("/")
            if name in self.given:
                self.given.discard(name)
                path = self.folder / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def without_torch(self, text: str) -> str:
        """Run a command of the package that needs no torch, and give what it prints."""
        from swapae_onnx.__main__ import main

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words_of(text)[3:])
        assert status == 0, f"`{text}` ended with {status}: {err.getvalue()}"
        return out.getvalue()

    def plain(self, text: str) -> str:
        """Run a line of the shell's own, of a few harmless kinds."""
        if text.startswith("python -m swapae_onnx "):
            return self.without_torch(text)
        first, *rest = text.split()
        assert first in PLAIN, f"nobody knows how to run `{text}`"
        if first in ("export", "unset"):
            for word in rest:
                name, _, value = word.partition("=")
                self.patch.setenv(name, value) if first == "export" else self.patch.delenv(name, False)
            return ""
        if first == "cd":
            self.patch.chdir(rest[0])
            return ""
        return subprocess.run(["bash", "-ec", text], capture_output=True, text=True, check=True).stdout

    def python(self, block: Block) -> None:
        """Run Python in the names of the page's earlier blocks."""
        code = shortened_code(block.code).replace('"/shared/', '"shared/')
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, f"{block.page}:{block.start}", "exec"), self.names)


def check_script(code: str) -> None:
    """Let a shell read a file that another program is to run; tests/test_docs.py parses its commands."""
    read = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)
    assert read.returncode == 0, read.stderr


def check_others(text: str) -> None:
    """Of what is not run: are there the extras that pip is to install, the module that Python is to run?"""
    for names in re.findall(r"swapae\[([\w,]+)\]|'\.\[([\w,]+)\]'", text):
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert set("".join(names).split(",")) <= set(known), f"no such extra: {text}"
    if (found := MODULE.match(text)) and found[1].split(".")[0] in ("swapae", "benchmarks"):
        assert importlib.util.find_spec(found[1]), f"no such module: {text}"


def _yaml(code: str) -> None:
    import yaml

    yaml.safe_load(code)


CHECKS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": _yaml,
}


@contextlib.contextmanager
def in_a_copy(world: Path, folder: Path) -> Iterator[Run]:
    """A copy of the world as the current folder; what pages change in tables and variables is put back."""
    from swapae.metrics.table import METRICS

    shutil.copytree(world, folder, dirs_exist_ok=True)
    given = {path.relative_to(world).as_posix() for path in world.rglob("*")}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in list(METRICS):
            patch.setitem(METRICS, name, METRICS[name])
        before = dict(METRICS)
        try:
            yield Run(folder, patch, given)
        finally:
            METRICS.clear()
            METRICS.update(before)
