"""Every command that runs a model gives, under ONNX Runtime, what it gives under torch."""

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.tools import Photo, Streams, pixels, run
from tests.video.clips import clip

from swapae.cli.commands import COMMANDS
from swapae.cli.common import Running
from swapae.weights import load_tensors

onnx_backend = pytest.importorskip("swapae.runtime.onnx_backend")
pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")

Words = Sequence[object]
ELSEWHERE = {"studio", "render"}  # tests/web/test_onnx.py: they have a server, and a recipe


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What ONNX Runtime was asked for."""
    asked: list[str] = []
    for name in ("encode", "decode"):
        whole = getattr(onnx_backend.OnnxBackend, name)

        def noted(self: object, *given: object, _name: str = name, _whole: Callable = whole, **more: object):
            asked.append(_name)
            return _whole(self, *given, **more)

        monkeypatch.setattr(onnx_backend.OnnxBackend, name, noted)
    return asked


@pytest.fixture
def lines(photo: Photo, tiny_model: Path, tmp_path: Path) -> dict[str, Words]:
    """A line for each command, without its output and its backend."""
    a, b, c = (photo(f"set/{name}.png", (21, 17), seed) for seed, name in enumerate("abc"))
    Image.fromarray(np.repeat(np.uint8([[0, 255]]), 10, 1).repeat(17, 0)).resize((21, 17)).save(
        tmp_path / "m.png"
    )
    mask, model = tmp_path / "m.png", ("-m", tiny_model)
    for side, file in (("input_structure", a), ("input_style", b)):
        (tmp_path / "pairs" / side).mkdir(parents=True)
        (tmp_path / "pairs" / side / "1.png").write_bytes(file.read_bytes())
    directions, codes = tmp_path / "directions.safetensors", tmp_path / "codes.safetensors"
    fit = ("directions", "fit", tiny_model, "--data", a.parent, "--size", 16, "--num", 1)
    assert run(*fit, "-o", directions, "--quiet") == 0
    assert run("encode", a, *model, "-o", codes, "--quiet") == 0
    source = clip(tmp_path / "v" / "a.mp4", [25, 90, 160])
    along = ("--directions", directions)
    return {
        "swap": ("swap", a, b, *model, "--strength", 1.25),
        "grid": ("grid", "--structure", a, c, "--texture", b, a, *model),
        "mix": ("mix", a, b, c, *model, "--weights", 1, 2, 1),
        "pairs": ("pairs", tmp_path / "pairs", *model),
        "edit": ("edit", a, "--along", "texture1=1", *along, *model),
        "directions fit": fit,
        "directions apply": ("directions", "apply", a, *along, *model),
        "paint": ("paint", a, "--texture", b, "--mask", mask, *model),
        "blend": ("blend", a, b, *model, "--overlap", 0.5),
        "refine": ("refine", a, *model, "--steps", 2),
        "video": ("video", source, "--texture", b, *model),
        "batch": ("batch", a.parent, "--texture", b, *model, "--workers", 0),
        "encode": ("encode", a, *model),
        "decode": ("decode", codes, *model, "--noise", 3),
        "eval": (
            "eval",
            tiny_model,
            "--data",
            a.parent,
            "--size",
            16,
            "--metrics",
            "l1",
            "--pairs",
            1,
            "--no-speed",
        ),
    }


ENDS = {"directions fit": ".safetensors", "encode": ".safetensors"}
FOLDERS = {"pairs", "video", "batch", "eval"}
WITHOUT_ENCODING = {"decode"}


def test_the_table_misses_no_command(lines: dict[str, Words]) -> None:
    running = {name for name, command in COMMANDS.items() if _takes_backend(command)}
    assert lines.keys() == running - ELSEWHERE
    assert len(running) >= 17


def _takes_backend(command: Callable[..., object]) -> bool:
    common = inspect.signature(command, eval_str=True).parameters["common"].annotation
    return issubclass(common.__origin__, Running)


def test_every_command_gives_the_same_and_asks_onnx_runtime(
    lines: dict[str, Words], calls: list[str], tmp_path: Path, capsys: Streams
) -> None:
    for name, words in lines.items():
        made = {}
        for backend in ("torch", "onnx"):
            made[backend] = tmp_path / "made" / backend / f"{name}{_end(name)}"
            calls.clear()
            more = ("-o", made[backend], "--backend", backend, "--device", "cpu", "--quiet")
            assert run(*words, *more) == 0, (name, capsys.readouterr().err)
            assert bool(calls) == (backend == "onnx"), name
        assert ("encode" in calls) == (name not in WITHOUT_ENCODING), name
        assert_alike(name, made["torch"], made["onnx"])


def _end(name: str) -> str:
    return "" if name in FOLDERS else ENDS.get(name, ".png")


def assert_alike(name: str, one: Path, other: Path) -> None:
    """Compare two files or folders: pictures within a level, codes and figures nearly."""
    files = [path.relative_to(one) for path in sorted(one.rglob("*.*"))] if one.is_dir() else [Path()]
    kinds = [_assert_files_alike(name, one / file, other / file) for file in files]
    assert any(kinds), (name, files)


def _assert_files_alike(name: str, one: Path, other: Path) -> bool:
    """Compare two files; whether that is a kind that can be compared."""
    if one.suffix == ".png":
        assert np.abs(pixels(one).astype(int) - pixels(other).astype(int)).max() <= 1, (name, one)
    elif one.suffix == ".safetensors":
        (mine, _), (theirs, _) = load_tensors(one), load_tensors(other)
        assert mine.keys() == theirs.keys()
        for key, value in mine.items():
            np.testing.assert_allclose(
                theirs[key].double(), value.double(), atol=1e-4, err_msg=f"{name} {key}"
            )
    elif one.name == "report.json":
        mine, theirs = (json.loads(path.read_text("utf-8")) for path in (one, other))
        assert theirs["metrics"] == pytest.approx(mine["metrics"], rel=1e-3)
    else:
        return False
    return True


def test_without_the_packages_a_command_says_what_to_install(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    a, out = photo("a.png"), tmp_path / "o.png"
    assert run("swap", a, a, "-m", tiny_model, "-o", out, "--backend", "onnx") == 1
    assert "pip install 'swapae[onnx]'" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_of_graphs_is_no_model_and_the_sentence_says_what_runs_it(
    photo: Photo, tmp_path: Path, capsys: Streams
) -> None:
    folder, a, out = tmp_path / "graphs", photo("a.png"), tmp_path / "o.png"
    folder.mkdir()
    (folder / "config.json").write_text('{"format": "swapae.onnx/1"}')
    assert run("swap", a, a, "-m", folder, "-o", out) == 1
    error = capsys.readouterr().err
    assert f"{folder} is a model exported to ONNX, which swapae_onnx runs" in error
    (folder / "config.json").write_text('["swapae.onnx/1"]')
    assert run("swap", a, a, "-m", folder, "-o", out) == 1
    assert "holds no model: there is no model.safetensors in it" in capsys.readouterr().err
