"""How fast, and how near to the plain path, each setting of `data.decode` opens large JPEGs; and the cache.

    python -m benchmarks.decode_quality [--photos FOLDER] [--count 8] [--rounds 7] [--json]

The pictures are 1024² JPEGs of quality 92, brought to 256² (`scale_shortside`), on one core: the largest
squares of photos of a folder, enlarged to 1024² (bicubic) where they are smaller, or else generated pictures.
Settings take turns, picture by picture; a ratio is the plain path's time by the setting's, the median over
the rounds. With --json one object a line: `name`, `ratio`, `images_per_second`, `psnr_median` and `psnr_min`
(dB, null where all pictures are equal).
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from PIL import Image

from swapae.data.cache import CachedSource, build
from swapae.data.folder import FolderSource
from swapae.data.reading import open_resized
from swapae.data.synthetic import SyntheticSource
from swapae.data.transforms import DataConfig, Decode
from swapae.images import open_image, resize, save_image, split_alpha

SIDE, TARGET, QUALITY = 1024, 256, 92
PLAIN = DataConfig(load_size=TARGET, crop_size=TARGET)

Way = Callable[[int], Image.Image]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="a folder of photos; generated pictures without it")
    parser.add_argument("--count", type=int, default=8, help="pictures")
    parser.add_argument("--rounds", type=int, default=7, help="times each is opened in each way")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "pictures")
        write_pictures(folder, options.photos, options.count)
        rows = measure(folder, Path(place, "cache"), options.rounds)
    for row in rows:
        print(json.dumps(row) if options.json else line(row))


def write_pictures(folder: Path, photos: Path | None, count: int) -> None:
    """Write `count` JPEGs of 1024², from photos spread evenly over their folder or generated."""
    source = SyntheticSource(SIDE // 2) if photos is None else FolderSource(photos)
    step = 1 if source.num_images is None else max(1, source.num_images // count)
    for number in range(count):
        image = source.read([number * step])[0]
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = resize(image.crop((left, top, left + side, top + side)), (SIDE, SIDE))
        save_image(square, folder / f"{number:03d}.jpg", quality=QUALITY)


def measure(folder: Path, cache: Path, rounds: int) -> list[dict[str, object]]:
    """Open every picture in every way, in turn."""
    paths = [folder / path for path in FolderSource(folder).paths]
    ways = ways_of(paths, folder, cache)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        spent = dict.fromkeys(ways, 0.0)
        for number in range(len(paths)):
            for name, way in ways.items():
                begin = time.perf_counter()
                way(number)
                spent[name] += time.perf_counter() - begin
        for name in ways:
            seconds[name].append(spent[name])
    rows: list[dict[str, object]] = []
    for name, way in ways.items():
        likeness = [psnr(ways["plain"](i), way(i)) for i in range(len(paths))]
        ratio = statistics.median(p / s for p, s in zip(seconds["plain"], seconds[name], strict=True))
        rows.append(
            {
                "name": name,
                "ratio": round(ratio, 2),
                "images_per_second": round(len(paths) / statistics.median(seconds[name]), 1),
                "psnr_median": finite(statistics.median(likeness)),
                "psnr_min": finite(min(likeness)),
            }
        )
    return rows


def ways_of(paths: Sequence[Path], folder: Path, cache: Path) -> dict[str, Way]:
    """The plain path written out, every setting, and the cache."""

    def plain(number: int) -> Image.Image:
        return resize(split_alpha(open_image(paths[number]))[0], (TARGET, TARGET))

    def by(decode: Decode) -> Way:
        config = replace(PLAIN, decode=decode)
        return lambda number: open_resized(paths[number], config)

    build(FolderSource(folder, PLAIN), PLAIN, cache, lambda _: None)
    kept = CachedSource(cache)
    ways: dict[str, Way] = {"plain": plain} | {decode: by(decode) for decode in get_args(Decode)}
    return ways | {"cache": lambda number: kept.read([number])[0]}


def psnr(a: Image.Image, b: Image.Image) -> float:
    """Likeness in dB, over all channels together; infinite where the pictures are equal."""
    error = np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def finite(value: float) -> float | None:
    """A number that JSON can hold."""
    return None if value == float("inf") else round(value, 1)


def line(row: dict[str, object]) -> str:
    """A row as text."""
    likeness = "equal" if row["psnr_min"] is None else f"{row['psnr_median']} dB, least {row['psnr_min']} dB"
    return f"{row['name']:6} {row['ratio']:8.2f}×  {row['images_per_second']:9.1f} images/s  {likeness}"


if __name__ == "__main__":
    main()
