"""The folder that the pages presuppose: photos and masks by the names they use, a run, sets, a clip.

A page that presupposes something new gets it by a line here. Where a page makes by `-o` what lies here
already (`runs/mine` where training is explained), this one is taken away first (running.py).
"""

import contextlib
import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS = (
    "a.jpg b.jpg c.jpg brick.jpg castle.jpg church.jpg coat.jpg frost.jpg house.jpg lake.jpg shirt.jpg "
    "snow.jpg sunset.jpg valley.jpg"
)
MASKS = "roof.png wall.png castle_mask.png masks/00.png masks/01.png"
FOLDERS = {
    "photos": 8,
    "photos/validation": 6,
    "validation": 6,
    "summer": 2,
    "winter": 2,
    "a": 2,
    "b": 2,
    "favourites": 2,
    "textures": 2,
    "shared/in": 2,
    "shared/photos": 8,
    "pairs/input_structure": 2,
    "pairs/input_style": 2,
}
SIZE, WIDE = (40, 32), (160, 64)


def photo(path: Path, seed: int, size: tuple[int, int] = SIZE) -> None:
    """Write a smooth picture of colours of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)


def mask(path: Path) -> None:
    """Write a mask of the lower left quarter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    white = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    white[SIZE[1] // 2 :, : SIZE[0] // 2] = 255
    Image.fromarray(white).save(path)


def build(folder: Path) -> Path:
    """Make all of it; commands of this program make what they can."""
    for seed, name in enumerate(PHOTOS.split()):
        photo(folder / name, seed, WIDE if name in ("lake.jpg", "valley.jpg") else SIZE)
    for name in MASKS.split():
        mask(folder / name)
    for seed, (place, count) in enumerate(FOLDERS.items(), 1):
        for number in range(count):
            photo(folder / place / f"{number:02d}.jpg", 100 * seed + number)
    photo(folder / "shared" / "snow.jpg", 7)
    _sets(folder)
    _clips(folder)
    _models(folder)
    return folder


def _sets(folder: Path) -> None:
    shutil.make_archive(str(folder / "photos"), "zip", folder / "photos")
    shutil.make_archive(str(folder / "frames"), "zip", folder / "textures")
    _run("data", "prepare", folder / "photos", "-o", folder / "lsun_lmdb", "--format", "lmdb")


def _clips(folder: Path) -> None:
    from tests.video.clips import clip

    for name in ("walk.mp4", "clip.mp4"):
        clip(folder / name, times=[100 * i for i in range(4)], size=SIZE)


def _models(folder: Path) -> None:
    import torch
    from tests.convert.checkpoints import random_checkpoint

    from swapae.convert.official_names import Architecture
    from swapae.presets import PRESETS

    _run("train", folder / "photos", "-o", folder / "runs" / "mine", "--preset", "photos64")
    for other in ("runs/a", "run"):
        shutil.copytree(folder / "runs" / "mine", folder / other)
    shutil.copytree(folder / "runs" / "mine" / "model", folder / "shared" / "model")
    groups = "--from", folder / "summer", "--to", folder / "winter"
    _run("directions", "fit", folder / "runs" / "mine", *groups, "-o", folder / "winter.safetensors")
    for name in ("church", "mountain"):
        own = PRESETS[f"{name}_pretrained"]()
        networks = Architecture(own.model, own.discriminator, own.patch_discriminator)
        torch.save(random_checkpoint(networks), folder / f"{name}_pretrained.pth")


def _run(*words: object) -> None:
    from tests.docs.small import shortened

    from swapae.cli.main import main

    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = main(shortened([str(word) for word in (*words, "--quiet")]))
    assert status == 0, said.getvalue()
