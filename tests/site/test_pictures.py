"""The pictures of docs/system can be made anew, by the model that is in the box now."""

from pathlib import Path

import pytest
from PIL import Image
from tools import system_pictures


def test_pictures_are_made_in_the_sizes_that_the_pages_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = system_pictures.FOLDER
    monkeypatch.setattr(system_pictures, "FOLDER", tmp_path)
    system_pictures.main()
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == ["system_codes.webp", "system_losses.webp", "system_strength.webp"]
    for name in made:
        with Image.open(tmp_path / name) as now, Image.open(shown / name) as then:
            assert now.size == then.size
            assert len(set(now.resize((8, 8)).convert("L").tobytes())) > 8
