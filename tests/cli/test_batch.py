"""`swapae batch`, with a tiny model of random weights."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.cli.tools import Photo, Streams, pixels, run

from swapae import SwappingAutoencoder
from swapae.batch.work import Work
from swapae.editing import Direction, Directions, apply, interpolate, mix, region_mask, within
from swapae.editing.files import Maker
from swapae.images import open_image, to_pil

STRIDE = 4


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def data(photo: Photo, tmp_path: Path) -> Path:
    """A folder of four images, of three formats and two sizes."""
    photo("in/a.png", (20, 16), 1)
    photo("in/b/Straße 夏.png", (27, 21), 2)
    photo("in/b/c.webp", (20, 16), 3)
    photo("in/a.jpg", (20, 16), 4)
    return tmp_path / "in"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def results(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*.*"))
        if path.suffix in (".png", ".jpg", ".webp")
    }


def bomb(side: int) -> bytes:
    """A sound PNG of side × side black pixels, in some hundred kilobytes."""
    packer = zlib.compressobj(1)
    row = bytes(1 + side // 8)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


# ── what comes out ───────────────────────────────────────────────────────────────────────────────


def test_every_image_gets_the_texture_as_swap_gives_it_under_its_own_name(
    data: Path, photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    out, texture = tmp_path / "out", photo("t.png", seed=9)
    options = ("--texture", texture, "--strength", 0.8, "--workers", 0, "-m", tiny_model)
    assert run("batch", data, "-o", out, *options, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {name: report[name] for name in ("images", "done", "done_before", "failed", "left", "errors")} == {
        "images": 4, "done": 4, "done_before": 0, "failed": 0, "left": 0, "errors": None
    }  # fmt: skip
    assert set(results(out)) == {"a.png", "a-2.png", "b/Straße 夏.png", "b/c.png"}
    by_input = {row["input"]: row for row in lines(out / "manifest.jsonl")[1:] if row["state"] == "done"}
    for name, row in by_input.items():
        expected = net.swap_images(data / str(name), texture, 0.8)
        np.testing.assert_array_equal(pixels(out / str(row["output"])), pixels(expected))
    before = results(out)
    assert run("batch", data, "-o", out, *options) == 0
    assert "4 were done before" in capsys.readouterr().out
    assert run("batch", data, "-o", out, *options, "--strength", 1) == 1
    assert "strength was 0.8, is 1.0" in capsys.readouterr().err
    assert results(out) == before


def test_mixes_directions_and_masks_come_together(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    image, b, c = (photo(f"{name}.png", (20, 16), seed) for seed, name in enumerate(("in/a", "b", "c")))
    vector = torch.nn.functional.normalize(torch.randn(16), dim=0)
    file = tmp_path / "d.safetensors"
    Directions((Direction("snow", "texture", vector, 0.3),), Maker.of(net)).save(file)
    values = np.zeros((16, 20), dtype=np.uint8)
    values[:, 8:] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks" / "a.webp", lossless=True)
    words = (
        "--texture",
        b,
        c,
        "--weights",
        1,
        3,
        "--path",
        "sphere",
        "--strength",
        0.7,
        "--along",
        "snow=+1.5",
    )
    words += ("--directions", file, "--masks", tmp_path / "masks", "--feather", 2, "--outside", "free")
    out = tmp_path / "out"
    assert (
        run("batch", image.parent, *words, "-m", tiny_model, "-o", out, "--workers", 0, "--format", "webp")
        == 0
    )
    own, *others = (net.encode_image(one) for one in (image, b, c))
    texture = mix(others, textures=[1, 3]).texture
    codes = interpolate(own, type(own)(own.structure, texture, own.size), texture=0.7)
    codes = apply(codes, Directions.load(file).named("snow"), 1.5)
    mask = torch.from_numpy(values.astype(np.float32) / 255)[None, None]
    expected = to_pil(net.decode(within(own, codes, region_mask(mask, own, STRIDE, 2)))[0].numpy())
    assert np.abs(pixels(out / "a.webp").astype(int) - pixels(expected).astype(int)).mean() < 12  # lossy
    assert run("batch", image.parent, *words, "-m", tiny_model, "-o", tmp_path / "png", "--workers", 0) == 0
    np.testing.assert_array_equal(pixels(tmp_path / "png" / "a.png"), pixels(expected))
    words = (*words[: words.index("--outside")], "--outside", "photo")
    assert run("batch", image.parent, *words, "-m", tiny_model, "-o", tmp_path / "kept", "--workers", 0) == 0
    np.testing.assert_array_equal(pixels(tmp_path / "kept" / "a.png")[:, :6], pixels(image)[:, :6])
    photo("in/unmasked.png")
    assert run("batch", image.parent, *words, "-m", tiny_model, "-o", tmp_path / "kept", "--workers", 0) == 1
    assert "unmasked.png has no mask" in str(lines(tmp_path / "kept" / "errors.jsonl"))


def test_one_structure_takes_on_the_texture_of_each(
    data: Path, photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    kept = photo("kept.png", (22, 19), 8, "RGBA")
    out = tmp_path / "out"
    assert run("batch", data, "--structure", kept, "-m", tiny_model, "-o", out, "--workers", 0) == 0
    expected = net.swap_images(open_image(kept), data / "b" / "c.webp")
    np.testing.assert_array_equal(pixels(out / "b" / "c.png"), pixels(expected))
    assert pixels(out / "b" / "c.png").shape == (19, 22, 4)


# ── what cannot be done ──────────────────────────────────────────────────────────────────────────


def test_broken_files_are_named_with_the_reason_and_the_others_are_done(
    data: Path, photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    sound = photo("sound.jpg", (64, 64)).read_bytes()
    broken = {
        "cut.jpg": sound[: len(sound) // 2],
        "empty.png": b"",
        "text.jpg": b"this is a letter, not a picture\n",
        "bomb.png": bomb(20_000),
    }
    for name, content in broken.items():
        (data / name).write_bytes(content)
    (data / "gone.png").symlink_to("nowhere.png")
    (data / "b" / "up").symlink_to(data)
    out, texture = tmp_path / "out", photo("t.png", seed=9)
    options = ("--texture", texture, "--workers", 0, "-m", tiny_model, "-o", out)
    assert run("batch", data, *options, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["done"], report["failed"], report["left"]) == (4, 5, 0)
    errors = lines(out / "errors.jsonl")
    assert {row["input"] for row in errors} == {*broken, "gone.png"}
    assert all("\n" not in str(row["error"]) and str(row["error"]).endswith(".") for row in errors)
    assert "too many pixels" in str([row["error"] for row in errors if row["input"] == "bomb.png"])
    assert len(results(out)) == 4
    shutil.copy(data / "a.jpg", data / "cut.jpg")  # mended
    assert run("batch", data, *options) == 1
    assert len(lines(out / "errors.jsonl")) == 4
    assert "1 images done · 4 were done before · 4 failed" in capsys.readouterr().out


def test_what_nobody_can_mean_is_refused_and_leaves_no_trace(
    data: Path, photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    out, texture = tmp_path / "out", photo("t.png")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    usage = [
        ((), "nothing is to be done"),
        (("--texture", texture, "--structure", texture), "not both"),
        (("--texture", texture, "--weights", 1, 2), "1 textures need as many weights, not 2"),
        (("--texture", *[texture] * 9), "up to 8 textures"),
        (("--texture", texture, "--shard", "0/3"), "--shard takes I/N"),
        (("--texture", texture, "--quality", 0), "--quality must be 1 to 100"),
        (("--texture", texture, "--feather", 2), "are about --masks"),
        (("--structure", texture, "--masks", data), "do not go with --structure"),
        (("--texture", texture, "--workers", -1), "--workers must be 0 or more"),
        (("--along", "snow"), "--along takes NAME=STRENGTH"),
    ]
    for words, message in usage:
        assert run("batch", data, *words, "-m", tiny_model, "-o", out) == 2, words
        assert message in capsys.readouterr().err
    for words, message in [
        (("--texture", bad), "bad.png is not an image"),
        (("--texture", tmp_path / "none.png"), "none.png cannot be read"),
        (("--along", "snow=1"), "directions.safetensors"),
        (("--texture", texture, "--masks", tmp_path / "none"), "there are no masks"),
    ]:
        assert run("batch", data, *words, "-m", tiny_model, "-o", out, "--workers", 0) == 1, words
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    (tmp_path / "nothing").mkdir()
    assert run("batch", tmp_path / "nothing", "--texture", texture, "-m", tiny_model, "-o", out) == 1
    assert "There are no images in" in capsys.readouterr().err
    assert not out.exists()


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    data: Path, photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    out = tmp_path / "out"
    words = ("--texture", photo("t.png"), "-m", tiny_model, "-o", out, "--dry-run")
    assert run("batch", data, *words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["images"], report["to_do"]) == (4, 4)
    assert {"input": "b/c.webp", "output": "b/c.png"} in report["jobs"]
    assert not out.exists()


def test_images_of_an_archive_keep_their_names(
    data: Path, photo: Photo, tiny_model: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "in.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(data.rglob("*.*")):
            archive.write(path, path.relative_to(data).as_posix())
    words = ("--texture", photo("t.png", seed=9), "--workers", 0, "-m", tiny_model)
    assert run("batch", packed, *words, "-o", tmp_path / "zipped") == 0
    assert run("batch", data, *words, "-o", tmp_path / "plain") == 0
    assert results(tmp_path / "zipped") == results(tmp_path / "plain")


# ── what ends it ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_signal_ends_it_after_the_image_it_is_at_and_the_same_command_goes_on(
    data: Path,
    photo: Photo,
    tiny_model: Path,
    tmp_path: Path,
    capsys: Streams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    words = ("--texture", photo("t.png", seed=9), "--workers", 0, "-m", tiny_model)
    assert run("batch", data, *words, "-o", tmp_path / "whole") == 0
    work = Work.__call__
    for number, kind in enumerate((signal.SIGTERM, signal.SIGINT), 1):

        def interrupted(self, job, kind=kind):  # type: ignore[no-untyped-def]
            os.kill(os.getpid(), kind)
            return work(self, job)

        monkeypatch.setattr(Work, "__call__", interrupted)
        assert run("batch", data, *words, "-o", out) == 130
        assert f"{number} of 4 images are done; the same command goes on." in capsys.readouterr().err
        assert len(results(out)) == number
    monkeypatch.setattr(Work, "__call__", work)
    assert run("batch", data, *words, "-o", out) == 0
    assert results(out) == results(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.slow
def test_killed_workers_and_a_killed_command_change_nothing_of_what_comes_out(
    photo: Photo, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    for number in range(24):
        photo(f"in/{number:02}.png", (160, 160), number)
    data, out = tmp_path / "in", tmp_path / "out"
    words = ("--texture", photo("t.png", seed=99), "-m", tiny_model)
    assert run("batch", data, *words, "-o", tmp_path / "whole", "--workers", 0) == 0
    command = [
        "nice",
        "-n",
        "19",
        sys.executable,
        "-m",
        "swapae",
        "batch",
        data,
        *words,
        "-o",
        out,
        "--workers",
        "1",
    ]
    started = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    child = subprocess.Popen(list(map(str, command)), **started)  # type: ignore[call-overload]
    wait_for(lambda: len(results(out)) >= 2, child)
    workers = children(child.pid)
    os.kill(workers[0], signal.SIGKILL)
    seen = len(results(out))
    wait_for(lambda: len(results(out)) >= seen + 3, child)
    workers = children(child.pid)
    child.kill()
    child.communicate(timeout=120)
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), None)
    assert run("batch", data, *words, "-o", out, "--workers", 0, "--json") == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["done_before"] >= seen
    assert report["failed"] == 0
    assert results(out) == results(tmp_path / "whole")
    assert not list(out.rglob(".swapae-*"))


def wait_for(is_there, child) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 300
    while not is_there() and time.monotonic() < end and (child is None or child.poll() is None):
        time.sleep(0.01)
    assert is_there(), child and child.stderr.read()


def children(pid: int) -> list[int]:
    """The processes that a process began, but multiprocessing's own helper."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in listed if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
