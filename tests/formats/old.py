"""Files that earlier revisions of the program wrote, as they are kept in tests/golden/formats."""

import json
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

KEPT = Path(__file__).parents[1] / "golden" / "formats"
RUNS = sorted(path.name.removesuffix(".tar.xz") for path in KEPT.glob("20*.tar.xz"))


def unpacked(name: str, folder: Path) -> Path:
    """Unpack an archive into a folder of its name."""
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        archive.extractall(folder / name, filter="data")
    return folder / name


def photos(folder: Path) -> Path:
    """Make the images that all these files are of."""
    folder.mkdir()
    for number in range(6):
        draw = np.random.default_rng(number)
        pixels = draw.integers(0, 200, 3) + draw.integers(0, 56, (16, 20, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:02d}.png")
    return folder


def shown_image() -> Tensor:
    """The image whose codes and picture were kept, `[1, 3, 16, 20]`."""
    return torch.from_numpy(np.random.default_rng(7).uniform(-1, 1, (1, 3, 16, 20))).float()


def placed(path: Path, images: Path) -> None:
    """Put the images' folder into a file that names it: the place of then is nobody's now."""
    path.write_text(path.read_text("utf-8").replace("IMAGES", str(images)), encoding="utf-8")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
