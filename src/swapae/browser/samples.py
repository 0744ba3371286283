"""Samples on the page: those of the model's gallery, or photos of a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from swapae.codes import Codes
from swapae.errors import UserError
from swapae.files import shown, write_bytes
from swapae.galleries import Sample
from swapae.images import IMAGE_SUFFIXES, open_image, resize
from swapae.model import SwappingAutoencoder
from swapae.saving import save_image

FOLDER, CODES = "samples", "samples/codes.bin"
MOST, MOST_SIDE, SMALL = 60, 1024, 256  # samples; pixels of a side, and up to which nothing is lost
QUALITY = 92  # of JPEG


@dataclass(frozen=True, eq=False)
class Shown:
    """A sample, ready to be written.

    - codes: None where the page is to encode the picture.
    """

    title: str
    picture: Image.Image
    codes: Codes | None = None


def of_gallery(samples: dict[str, Sample], model: SwappingAutoencoder) -> list[Shown]:
    """Take a gallery; where it holds codes, the pictures are what the model makes of them."""
    return [Shown(one.about or one.name, one.show(model), one.stored) for one in samples.values()]


def of_folder(folder: Path) -> list[Shown]:
    """Read the photos of a folder, by name, made smaller where they are large.

    Raises:
        UserError: there is no such folder, no photo in it, too many, or one that cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"{shown(folder)} is no folder of photos.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise UserError(f"{shown(folder)} holds no photos.")
    if len(paths) > MOST:
        raise UserError(f"{shown(folder)} holds {len(paths)} photos, and a page takes {MOST}: choose some.")
    return [Shown(path.stem, _fitted(open_image(path))) for path in paths]


def write(folder: Path, samples: list[Shown]) -> list[dict[str, Any]]:
    """Write pictures and codes, and tell of each where it is, its title and its size (height, width)."""
    told, floats, at = [], [], 0
    for number, sample in enumerate(samples, 1):
        is_exact = max(sample.picture.size) <= SMALL or sample.picture.mode == "RGBA"
        file = f"{FOLDER}/{number:02}.{'png' if is_exact else 'jpg'}"
        save_image(sample.picture, folder / file, quality=QUALITY)
        entry: dict[str, Any] = {"id": f"sample-{number}", "title": sample.title, "file": file}
        entry["size"] = [sample.picture.height, sample.picture.width]
        if sample.codes is not None:
            for name, array in _arrays(sample.codes):
                entry[name] = [at, *array.shape]
                floats.append(array)
                at += array.size
        told.append(entry)
    if floats:
        data = np.concatenate([array.ravel() for array in floats]).astype("<f4").tobytes()
        write_bytes(folder / CODES, data)
    return told


def _arrays(codes: Codes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give both codes as maps, `[1, C, h, w]`."""
    for name, code in (("structure", codes.structure), ("texture", codes.texture)):
        whole = code if code.ndim == 4 else code[:, :, None, None]
        yield name, whole.float().cpu().numpy()


def _fitted(picture: Image.Image) -> Image.Image:
    longest = max(picture.size)
    if longest <= MOST_SIDE:
        return picture
    width, height = (max(1, round(side * MOST_SIDE / longest)) for side in picture.size)
    return resize(picture, (width, height))
