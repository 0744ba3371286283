"""The notebooks run, shortened as `SHORT` says, and what is kept of their outputs is small and tidy."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.docs.pages import ROOT

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SHORT = {"IMAGES, PICTURES, PAIRS = 3000, 600, 60": "IMAGES, PICTURES, PAIRS = 8, 8, 4"}
MOST = 300_000  # bytes


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["swap_and_edit", "train_and_measure"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}")
    book = nbformat.read(path, 4)
    for cell in book.cells:
        for kept, short in SHORT.items():
            cell.source = cell.source.replace(kept, short)
    done = _executed(book, tmp_path)
    for before, after in zip(_code(nbformat.read(path, 4)), _code(done), strict=True):
        kinds = [[sorted(one.get("data", {"text": ""})) for one in cell.outputs] for cell in (before, after)]
        assert bool(kinds[0]) == bool(kinds[1]), after.source


def _executed(book: object, folder: Path) -> object:
    """Run a notebook in a kernel, from a thread: in pytest's own, browser tests leave an event loop."""
    import warnings

    from nbclient import NotebookClient

    def run() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the kernel's client, not of ours
            client = NotebookClient(book, timeout=600, resources={"metadata": {"path": str(folder)}})
            return asyncio.run(client.async_execute())

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def _code(book: object) -> list[object]:
    return [cell for cell in book.cells if cell.cell_type == "code"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_run_in_order_and_shows_no_error_and_no_place(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) <= MOST
    cells = _code(nbformat.read(path, 4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"execute_result", "stream"}
    assert sum("image/jpeg" in output.get("data", {}) for output in outputs) >= 2
    assert not re.search(r"/(home|root|tmp|work|usr)/", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_to_files(path: Path) -> None:
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\((?!https?:)([^)#]+)", cell.source):
                assert (path.parent / target).exists(), target
