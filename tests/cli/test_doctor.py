"""`swapae doctor`: the optional packages, by the extra that brings each."""

import json
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from swapae.cli import doctor
from swapae.cli.main import main

ROOT = Path(__file__).parents[2]
BRINGS = {"web": "uvicorn", "onnx": "onnxruntime", "video": "av", "scale": "ray", "heic": "pillow-heif"}


@pytest.fixture
def only_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOOKS", {"extras": doctor.LOOKS["extras"]})


@pytest.mark.usefixtures("only_extras")
def test_it_lists_every_optional_package_with_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    extras: dict[str, Any] = json.loads(capsys.readouterr().out)["extras"]
    for extra, package in BRINGS.items():
        assert package in extras[extra]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(extras) == set(project["optional-dependencies"]) - {"dev", "docs"}


@pytest.mark.usefixtures("only_extras")
def test_what_is_absent_says_so_beside_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(name: str) -> str:
        if name == "ray":
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr("importlib.metadata.version", version)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "scale: ray absent" in said
    assert "video: av 1.2" in said
