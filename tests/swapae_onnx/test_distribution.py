"""The small distribution: what it holds, and that a model runs where it alone is, without torch."""

import email
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.shipping.conftest import ROOT, build
from tests.swapae_onnx.conftest import Both

import swapae
import swapae_onnx

pytest.importorskip("hatchling", reason="hatchling builds the distributions")

SMALL = ROOT / "distributions" / "swapae-onnx"
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "swapae", "onnx", "safetensors", "huggingface_hub"):
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv.pop(1))
import swapae_onnx
assert swapae_onnx.__file__.startswith(sys.path[0]), swapae_onnx.__file__
from swapae_onnx.__main__ import main
status = main(sys.argv[1:])
assert "torch" not in sys.modules
sys.exit(status)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", SMALL, tmp_path_factory.mktemp("wheel"))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_the_package_as_it_is_here_and_nothing_else(wheel: Path) -> None:
    package = ROOT / "src" / "swapae_onnx"
    there = {
        f"swapae_onnx/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"swapae_onnx-{swapae_onnx.__version__}.dist-info/"
    inside = contents(wheel)
    assert {name: data for name, data in inside.items() if not name.startswith(info)} == there
    assert inside[f"{info}licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert wheel.name == f"swapae_onnx-{swapae_onnx.__version__}-py3-none-any.whl"
    assert wheel.stat().st_size < 60_000


def test_it_needs_three_packages_in_the_versions_that_the_program_needs(wheel: Path) -> None:
    info = f"swapae_onnx-{swapae_onnx.__version__}.dist-info/"
    metadata = email.message_from_bytes(contents(wheel)[f"{info}METADATA"])
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split(">")[0].lower() for line in needed) == ["numpy", "onnxruntime", "pillow"]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {*whole["dependencies"], *whole["optional-dependencies"]["onnx"]}
    assert {line.lower() for line in needed} <= {line.lower() for line in asked}
    assert metadata["Requires-Python"] == whole["requires-python"]
    assert metadata["Version"] == swapae.__version__ == swapae_onnx.__version__


def test_by_way_of_its_sdist_it_is_the_same(wheel: Path, tmp_path: Path) -> None:
    twine = pytest.importorskip("twine.commands.check", reason="twine is not installed")
    sdist = build("sdist", SMALL, tmp_path)
    assert twine.check([str(sdist), str(wheel)], strict=True) is False  # whether anything failed
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert contents(build("wheel", unpacked, tmp_path / "again")) == contents(wheel)


def test_a_swap_by_the_wheel_where_there_is_no_torch(
    wheel: Path, both: Both, photo: Callable[..., Path], tmp_path: Path
) -> None:
    a, b, out = photo("a.png", (31, 18)), photo("b.png", (13, 40), 1), tmp_path / "out.png"
    words = ["swap", a, b, "-m", both.folder, "-o", out, "--strength", "0.8", "--threads", "1"]
    command = [sys.executable, "-W", "error", "-c", BLOCKED, wheel, *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(out) as picture:
        expected = np.asarray(both.torch.swap_images(a, b, 0.8)).astype(int)
        assert np.abs(np.asarray(picture).astype(int) - expected).max() <= 1
