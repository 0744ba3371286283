"""What the wheel and the sdist hold, and what an index would say to them."""

import email
import email.message
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from tests.shipping.conftest import ROOT, build

import swapae

pytest.importorskip("hatchling", reason="hatchling builds the distributions")

NEVER = ("__pycache__", ".so", ".pyc", ".dll", ".ckpt", ".pth", ".lock", ".tmp", ".log")
MEGABYTES = 40


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_twine_finds_nothing_to_say(sdist: Path, wheel: Path) -> None:
    check = pytest.importorskip("twine.commands.check", reason="twine is not installed")
    assert check.check([str(sdist), str(wheel)], strict=True) is False  # whether anything failed


def test_the_wheel_by_way_of_the_sdist_is_the_wheel_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    assert contents(build("wheel", ROOT, tmp_path)) == contents(wheel)


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    inside = contents(wheel)
    sources = ROOT / "src"
    assert {name.split("/")[0] for name in inside if ".dist-info/" not in name} == {"swapae", "swapae_onnx"}
    there = {
        path.relative_to(sources).as_posix(): path.read_bytes()
        for path in sources.rglob("*")
        if path.is_file()
        and not path.name.endswith((*NEVER, ".gitignore"))
        and "__pycache__" not in path.parts
    }
    info = f"swapae-{swapae.__version__}.dist-info/"
    assert {name: data for name, data in inside.items() if not name.startswith(info)} == there
    assert wheel.stat().st_size < MEGABYTES * 1e6
    assert wheel.name == f"swapae-{swapae.__version__}-py3-none-any.whl"  # for there was no compiler


def test_the_sdist_holds_what_building_and_testing_need_and_nothing_that_was_made(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [PurePosixPath(*PurePosixPath(name).parts[1:]) for name in archive.getnames()]
    assert not [name for name in names if name.name.endswith(NEVER) or "__pycache__" in name.parts]
    tops = {name.parts[0] for name in names}
    assert {"src", "tests", "benchmarks", "examples", "docs"} <= tops
    files = {str(name) for name in names}
    assert {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "Makefile", "CHANGELOG.md"} <= files
    assert {"tests/conftest.py", "tests/golden/ops.safetensors"} <= files
    assert not tops & {"runs", "dist", "build", ".venv", "demo"}


def test_every_licence_comes_along(wheel: Path, sdist: Path, metadata: email.message.Message) -> None:
    held = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*LICENSE*")} | {"LICENSE"}
    assert set(metadata.get_all("License-File", [])) == held
    info = f"swapae-{swapae.__version__}.dist-info/licenses/"
    inside = contents(wheel)
    for name in held:
        assert inside[info + name] == (ROOT / name).read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0 AND BSD-2-Clause AND MIT"


def test_the_readme_has_no_link_that_an_index_could_not_follow(metadata: email.message.Message) -> None:
    from markdown_it import MarkdownIt

    assert metadata["Description-Content-Type"] == "text/markdown"
    text = str(metadata.get_payload(decode=True), "utf-8")
    assert "Swapping Autoencoder" in text
    tokens = [token for block in MarkdownIt().parse(text) for token in block.children or []]
    places = [str(token.attrs.get("href") or token.attrs.get("src")) for token in tokens if token.attrs]
    assert [place for place in places if not place.startswith(("https://", "#"))] == []
    assert "](" not in "".join(token.content for token in tokens if token.type == "text")


def test_the_metadata_name_what_pip_goes_by(metadata: email.message.Message) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("swapae", swapae.__version__)
    assert metadata["Requires-Python"] == ">=3.11"
    extras = set(metadata.get_all("Provides-Extra", []))
    assert {"web", "onnx", "metrics", "video", "datasets", "train", "scale"} <= extras
    core = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert any(line.startswith("torch>=") for line in core)
