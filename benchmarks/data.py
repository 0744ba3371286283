"""Measure the way of a 1024² JPEG to a 256² tensor, per picture, on one core: `python -m benchmarks.data`.

The plain path decodes every pixel by Pillow and resizes once, bicubic. Ours is `swapae.data`. `psnr_db` holds
the pictures of ours against those of the plain path.
"""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.driver import main
from benchmarks.jobs import Case, Job, Outputs
from swapae.data.open import open_source
from swapae.data.stream import SampleStream
from swapae.data.transforms import DataConfig

SIDE, SMALL, QUALITY, NUMBER = 1024, 256, 92, 4
FALL = 1.3  # exponent of the spectrum's fall: the files take about 420 KB, as photographs of this size do
STRIDE = 16  # of the published model

# name of the row: fields of DataConfig besides the size
SETTINGS: dict[str, dict[str, object]] = {
    "jpeg_1024_to_256": {},
    **{f"jpeg_1024_to_256_{decode}": {"decode": decode} for decode in ("close", "quick", "rough")},
}


def cases(model: str | None = None, resolution: int | None = None, batch: int | None = None) -> list[Case]:
    """List the rows."""
    return [Case("data", name, SMALL) for name in SETTINGS if resolution in (None, SMALL)]


def job(case: Case, role: str) -> Job:
    """Build a row for a role, with pictures of its own, which are the same for all."""
    torch.set_num_threads(1)
    folder = tempfile.TemporaryDirectory()
    paths = [write_picture(Path(folder.name) / f"{i}.jpg", seed=i) for i in range(NUMBER)]
    if role == "ours":
        config = DataConfig(
            preprocess="resize", load_size=SMALL, crop="none", flip=False, **SETTINGS[case.name]
        )  # type: ignore[arg-type]
        source = open_source(folder.name, resolution=SMALL, config=config)
        stream = SampleStream(source, config, STRIDE, seed=0)

    def call() -> Outputs:
        assert folder  # it lives as long as this call
        return in_order(stream) if role == "ours" else [plain(path) for path in paths]

    return Job([(1 / NUMBER, call)])


def plain(path: Path) -> Tensor:
    """Decode all, resize once."""
    with Image.open(path) as image:
        small = image.convert("RGB").resize((SMALL, SMALL), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / 127.5 - 1)


def in_order(stream: SampleStream) -> Outputs:
    """Read an epoch, and lay it in the order of the files."""
    images = stream.__getitems__(range(NUMBER))
    return [images[place] for place in np.argsort([stream.index(i) for i in range(NUMBER)])]


def write_picture(path: Path, seed: int) -> Path:
    """Write noise whose spectrum falls as a soft photograph's, in three correlated channels."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.fft.rfftfreq(SIDE), np.fft.fftfreq(SIDE))
    fall = np.maximum(np.hypot(across, down), 1 / SIDE) ** -FALL
    mix = np.array([[1, 0.2, 0.1], [1, 0, 0], [1, -0.2, 0.1]])  # grey first
    layers = [np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) * fall) for _ in range(3)]
    pixels = np.einsum("cl,lyx->yxc", mix, np.stack([layer / layer.std() for layer in layers]))
    Image.fromarray(np.clip(128 + 48 * pixels, 0, 255).astype(np.uint8)).save(path, quality=QUALITY)
    return path


def compare(found: Sequence[Tensor], expected: Sequence[Tensor]) -> dict[str, float | None]:
    """Compute the largest difference and the peak signal-to-noise ratio, over [-1, 1]."""
    difference = torch.stack(list(found)) - torch.stack(list(expected))
    mean = float(difference.square().mean())
    psnr = None if mean < 1e-12 else 10 * math.log10(4 / mean)
    return {"error": float(difference.abs().max()), "psnr_db": psnr}


if __name__ == "__main__":
    main(__doc__, cases)
