"""What the pages say works: their commands and code are run, in order, a page at a time.

world.py has the folder they run in, small.py how they are made short, not_run.py what is not run and why.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.docs import not_run
from tests.docs.pages import PAGES, ROOT, SHELLS, Block, Command, blocks, commands
from tests.docs.running import WHAT_TO_DO, Run, in_a_copy
from tests.docs.small import everything_small
from tests.docs.world import build

from swapae.presets import photos64_fast, synthetic64
from swapae.training.origin import read_origin
from swapae.training.transfer import check_fit

RUN = [page for page in PAGES if any(True for _ in blocks(page))]


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with everything_small():
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("world"))


@pytest.fixture
def run(world: Path, tmp_path: Path) -> Iterator[Run]:
    with in_a_copy(world, tmp_path / "page") as run:
        yield run


@pytest.mark.parametrize("file", RUN, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_a_page_says_works(file: Path, run: Run) -> None:
    run.names |= GIVEN.get(file.name, {})
    run.page(file)
    assert not run.faults, "\n\n".join(run.faults) + WHAT_TO_DO


# What a page's Python takes for granted: pictures of the reader's own.
BATCH = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
GIVEN: dict[str, dict[str, object]] = {
    "README.md": {
        "images": BATCH,
        "images_a": BATCH,
        "images_b": BATCH.flip(0),
        "structures": list(BATCH.split(1)),
        "textures": list(BATCH.split(1)),
    }
}


def test_a_training_can_begin_with_a_model_in_the_box_as_docs_models_says() -> None:
    for preset, name in ((photos64_fast, "clothing"), (synthetic64, "synthetic64")):
        assert f"--preset {preset.__name__} --init-from {name}" in (ROOT / "docs" / "models.md").read_text()
        check_fit(read_origin(name, lambda message: None), preset())


# ── the tests of pages can fail ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "code", "words"),
    [
        ("sh", "swapae swap church.jpg sunset.jpg -m runs/mine -o out.png --strenght 1", "--strength"),
        ("sh", "swapae swap nowhere.jpg sunset.jpg -m runs/mine -o out.png", "nowhere.jpg"),
        ("sh", "swapae info runs/nobodys", "runs/nobodys"),
        ("sh", "curl https://example.org", "nobody knows how to run"),
        ("sh", "pip install 'swapae[nonsense]'", "no such extra"),
        ("console", "$ swapae --version\nswapae 99", "prints\nswapae"),
        ("python", "from swapae import SwappingAutoencoders", "SwappingAutoencoders"),
        ("python", "assert 1 == 2, 'this'", "this"),
        ("sh", "#!/bin/bash\nif", "syntax error"),
        ("json", "{", "JSONDecodeError"),
    ],
)
def test_what_does_not_work_is_found(language: str, code: str, words: str, run: Run) -> None:
    run.block(Block("docs/page.md", 7, language, code.splitlines()))
    (fault,) = run.faults
    assert fault.startswith("docs/page.md:7: ")
    assert words in fault


def test_what_a_console_shows_may_leave_out_parts(run: Run) -> None:
    run.block(Block("docs/page.md", 1, "console", ["$ swapae --version", "swapae ..."]))
    assert run.faults == []


def test_a_page_makes_what_the_world_has_once(run: Run) -> None:
    line = "swapae swap church.jpg sunset.jpg -m runs/mine -o snow.jpg"
    run.block(Block("docs/page.md", 1, "sh", [line, line]))
    (fault,) = run.faults
    assert "docs/page.md:2" in fault
    assert "exists already" in fault


def test_every_row_of_what_is_not_run_is_in_its_page() -> None:
    texts: dict[str, list[str]] = {}
    for page in PAGES:
        for block in blocks(page):
            found = [one.text for one in commands(block)] if block.language in SHELLS else [block.code]
            texts.setdefault(block.page, []).extend(found)
    for page, beginning, why in not_run.ROWS:
        assert any(text.startswith(beginning) for text in texts[page]), (page, beginning)
        assert len(why) > 10
    everything = [Command("", 0, text) for found in texts.values() for text in found]
    assert len([one for one in everything if not_run.reason(one.page, one.text) is None]) > 100
