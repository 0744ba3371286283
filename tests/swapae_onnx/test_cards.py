"""What the cards tell to do works: that of an exported folder, and the page of the small distribution."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.shipping.conftest import ROOT
from tests.swapae_onnx.conftest import Both

from swapae_onnx.__main__ import main


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.mark.parametrize("name", ["exported", "distribution"])
def test_the_code_of_a_card_runs(
    both: Both, photo: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    page = both.folder / "README.md" if name == "exported" else ROOT / "distributions/swapae-onnx/README.md"
    folder = "this-folder" if name == "exported" else "exported"
    (tmp_path / folder).symlink_to(both.folder)
    for picture in ("structure.png", "texture.png", "church.jpg", "sunset.jpg"):
        photo(picture)
    monkeypatch.chdir(tmp_path)
    [code], [command] = blocks(page, "python"), blocks(page, "sh")
    exec(compile(code, str(page), "exec"), {})
    Path("hybrid.png").unlink()
    assert command.startswith("python -m swapae_onnx ")
    assert main(command.split()[3:]) == 0
    assert Path("hybrid.png").is_file()
