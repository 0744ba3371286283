"""Feed what reads foreign files with bytes that nobody wrote, and find what it does not say it would do.

    python -m benchmarks.fuzz images|config|checkpoint|recipe [--seconds 600] [--seed 0] [--keep FOLDER]

Guided by coverage (package `atheris`). Every reader may refuse with a `UserError`; anything else ends the
search with its traceback and exit status 77, and the bytes that did it are kept in the folder.
"""

import argparse
import contextlib
import io
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

Target = Callable[[bytes], None]

MOST_BYTES = 4096  # of an input: enough for every header
MOST_PIXELS = 1 << 20  # that are decoded: the limit itself is tested elsewhere
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM")
NAMED = "fuzz"


def images(corpus: Path) -> Target:
    """Pictures, whole and as drafts."""
    from PIL import Image

    from swapae import images as pictures
    from swapae.errors import UserError

    pictures.MAX_PIXELS = MOST_PIXELS
    for name in FORMATS:
        for mode in ("RGB", "L", "RGBA", "P"):
            with contextlib.suppress(OSError, ValueError):  # a format without this mode
                Image.new(mode, (7, 5)).save(corpus / f"{name}-{mode}", name)

    def read(data: bytes) -> None:
        with contextlib.suppress(UserError):
            pictures.decode_image(io.BytesIO(data), NAMED)
        with contextlib.suppress(UserError):
            pictures.decode_draft(io.BytesIO(data), NAMED, lambda size: (2, 2))

    return read


def config(corpus: Path) -> Target:
    """Configs of a training and of a model, in YAML and JSON."""
    import json

    import yaml

    from swapae import config as configs
    from swapae.errors import UserError
    from swapae.presets import PRESETS

    tree = configs.to_dict(next(iter(PRESETS.values()))())
    classes = [type(next(iter(PRESETS.values()))()), type(next(iter(PRESETS.values()))().model)]
    for name, part in [("whole", tree), *tree.items()]:
        text = yaml.safe_dump({name: part} if name != "whole" else part)
        (corpus / name).write_bytes(b"\0" + text.encode())
        (corpus / f"{name}-json").write_bytes(b"\1" + json.dumps({name: part}).encode())
    for number, text in enumerate(
        ("!!int ''", "!!bool x", "!!timestamp x", "&a [*a]", "seed: 0x" + "f" * 99)
    ):
        (corpus / f"tag{number}").write_bytes(b"\0" + text.encode())
    folder = Path(tempfile.mkdtemp())

    def read(data: bytes) -> None:
        path = folder / ("a.json" if data[:1] > b"\0" else "a.yaml")
        path.write_bytes(data[1:])
        for cls in classes:
            with contextlib.suppress(UserError):
                configs.load(cls, path)

    return read


def checkpoint(corpus: Path) -> Target:
    """Published checkpoints: damaged files, sound archives of other pickles, sound files of other tensors.

    The first byte of an input tells which.
    """
    import torch
    from torch._weights_only_unpickler import Unpickler

    from swapae.convert import official
    from swapae.convert.official_names import Architecture
    from swapae.errors import UserError
    from swapae.networks import ModelConfig

    small = ModelConfig(
        structure_downsamplings=1, structure_channels=2, texture_channels=4, encoder_capacity=0.1,
        generator_capacity=0.05,
    )  # fmt: skip
    layout = official.published_layout(Architecture(small))
    sound = {key: torch.zeros(t.shape) if t.is_meta else t for key, t in layout.items()}
    names, types = list(sound), (torch.float16, torch.int64, torch.bool, torch.complex64)
    folder = Path(tempfile.mkdtemp())
    path = folder / "a.pth"
    few = {names[0]: sound[names[0]]}
    for number, old in enumerate((False, True)):
        torch.save(few, path, _use_new_zipfile_serialization=not old)
        (corpus / f"file{number}").write_bytes(b"\0" + path.read_bytes())
    torch.save(few, path)
    with zipfile.ZipFile(path) as archive:
        parts = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    (corpus / "said").write_bytes(b"\1" + parts["data.pkl"])
    (corpus / "changes").write_bytes(bytes(range(1, 200)))

    Unpickler.load = atheris.instrument_func(Unpickler.load)  # guided by what it does, without all of torch

    def changed(draw: Any) -> dict[str, torch.Tensor]:
        tensors: dict[str, torch.Tensor] = {official.STEPS: torch.tensor([0]), **sound}
        for _ in range(draw.ConsumeIntInRange(1, 4)):
            key = draw.PickValueInList([*names, official.STEPS])
            what = draw.ConsumeIntInRange(0, 4)
            if what == 0:
                tensors.pop(key, None)
            elif what == 1:
                tensors[key] = torch.zeros(draw.ConsumeIntListInRange(draw.ConsumeIntInRange(0, 5), 0, 9))
            elif what == 2:
                with contextlib.suppress(RuntimeError):  # a huge one of before, which has no room
                    tensors[key] = tensors.get(key, torch.zeros(1)).to(draw.PickValueInList(list(types)))
            elif what == 3:
                huge = [draw.ConsumeIntInRange(1, 2**31) for _ in range(draw.ConsumeIntInRange(1, 4))]
                with contextlib.suppress(RuntimeError):  # more than torch can count
                    tensors[key] = torch.zeros(1, dtype=draw.PickValueInList(list(types))).expand(huge)
            else:
                tensors[key.replace("0", str(draw.ConsumeIntInRange(0, 99)), 1)] = torch.zeros(2)
        return tensors

    def read(data: bytes) -> None:
        with contextlib.suppress(UserError):
            if data[:1] <= b"\1":
                path.write_bytes(data[1:] if data[:1] == b"\0" else _zipped(parts | {"data.pkl": data[1:]}))
                official.convert_official(path, folder / "out", force=True)
            else:
                official.checked(changed(atheris.FuzzedDataProvider(data[1:])), path)

    return read


def _zipped(parts: dict[str, bytes]) -> bytes:
    """Put parts into an archive as `torch.save` does: checksums are right, which chance would never find."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in parts.items():
            archive.writestr(f"a/{name}", data)
    return buffer.getvalue()


def recipe(corpus: Path) -> Target:
    """Pictures that carry a recipe: whole files, texts in them, and what the texts say.

    The first byte of an input tells which; texts get their checksum, which chance would never find.
    """
    import struct
    import zlib

    from swapae import ModelConfig, SwappingAutoencoder
    from swapae.errors import UserError
    from swapae.web import carried, png

    tiny = ModelConfig(structure_channels=1, texture_channels=2, encoder_capacity=0.1, generator_capacity=0.1)
    text = _saved(SwappingAutoencoder(tiny))
    packed, plain = (
        flags + b"\0\0" + rest for flags, rest in ((b"\1\0", zlib.compress(text)), (b"\0\0", text))
    )
    for number, one in enumerate(
        (b"\0" + png.SIGNATURE, b"\1" + packed, b"\1" + plain, b"\2" + text, b"\2{}")
    ):
        (corpus / str(number)).write_bytes(one)

    def read(data: bytes) -> None:
        with contextlib.suppress(UserError):
            if data[:1] == b"\2":
                carried.read(data[1:].decode("utf-8", "replace"), tiny, 64)
            elif data[:1] == b"\1":
                body = b"iTXt" + png.KEYWORD.encode() + b"\0" + data[1:]
                length, checksum = struct.pack(">I", len(body) - 4), struct.pack(">I", zlib.crc32(body))
                carried.read(png.text_of(png.SIGNATURE + length + body + checksum), tiny, 64)
            else:
                png.text_of(data[1:])

    return read


def _saved(model: Any) -> bytes:
    """A recipe with all there can be in one, as a studio of a model saves it."""
    import numpy as np

    from swapae.web.png import text_of
    from swapae.web.schemas import NewDirection, Recipe, SaveRequest
    from swapae.web.studio import Studio

    studio = Studio(model, NAMED, max_side=64)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    a, b = (studio.add_image(one).id for one in pixels)
    mask = studio.add_mask(np.full((2, 2), 255, np.uint8)).id
    studio.make_direction(NewDirection(name="d", toward=[a], away=[b]))
    made = {
        "structures": [{"image": a}],
        "textures": [{"image": b}],
        "directions": [{"name": "d", "strength": 1, "mask": mask}],
        "layers": [{"texture": b, "mask": mask}],
        "outside": "photo",
    }
    return text_of(studio.save(SaveRequest(recipe=Recipe.model_validate(made)))).encode()


TARGETS = {"images": images, "config": config, "checkpoint": checkpoint, "recipe": recipe}
SEEN = {
    "images": ["swapae", "PIL"],
    "config": ["swapae", "yaml"],
    "checkpoint": ["swapae"],
    "recipe": ["swapae"],
}


def main() -> None:
    """Search until the time is over, or something is found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--keep", type=Path, default=Path(tempfile.gettempdir()), help="folder for what is found"
    )
    given = parser.parse_args()
    corpus = Path(tempfile.mkdtemp())
    with atheris.instrument_imports(include=SEEN[given.target]):
        read = TARGETS[given.target](corpus)
    options = [f"-max_total_time={given.seconds}", f"-seed={given.seed or 1}", f"-max_len={MOST_BYTES}"]
    options += [
        f"-artifact_prefix={given.keep}/",
        "-rss_limit_mb=4096",
        "-timeout=60",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
