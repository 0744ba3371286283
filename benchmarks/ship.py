"""Put a trained run into the package as a model in the box: weights, gallery, card.

    python -m benchmarks.ship RUN synthetic64 [--before RUN …] [--report REPORT.json …] [--force]
    python -m benchmarks.ship RUN clothing --photos VALIDATION_PHOTOS --data TRAINING_PHOTOS …

writes src/swapae/models/NAME, whole or not at all: the averaged encoder and generator in half precision (at
most 16 MB), its principal directions, a gallery of a dozen, the card and its page. Figures are those of the
reports of `swapae eval RUN -o …` that are given, or else are measured now, of the weights as they are shipped
(minutes). Photos of a gallery should be of the validation set; only their codes are kept.
"""

import argparse
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from benchmarks import model_card
from benchmarks.machine import processor
from benchmarks.ship_directions import write_directions
from benchmarks.ship_gallery import Entry, write_codes, write_rendered
from benchmarks.ship_kinds import KINDS, Kind
from swapae import SwappingAutoencoder, box
from swapae import config as configs
from swapae.cards import read_reports
from swapae.cli.directions import ENOUGH
from swapae.cli.exhibit import Exhibit
from swapae.cli.info import counts
from swapae.cli.main import main as swapae
from swapae.codes import Codes
from swapae.data.folder import FolderSource
from swapae.errors import UserError
from swapae.galleries import gallery
from swapae.images import save_image
from swapae.metrics.lpips import LPIPS
from swapae.presets import PRESETS
from swapae.training.card import departures, last_line
from swapae.training.config import TrainConfig
from swapae.training.origin import read_record
from swapae.training.run import RunFolder

MOST_BYTES = 16_000_000
MOST_BYTES_BESIDE = 2_000_000  # of gallery, card and picture
PICTURE = "swaps.jpg"
PUBLISHED = PRESETS["church_pretrained"]


@dataclass(frozen=True)
class Options:
    """The command line."""

    run: Path
    name: str
    before: list[Path]
    photos: Path | None
    data: str
    images: int
    report: list[Path]
    pairs: int | None
    weights: Path | None
    machine: str
    limit: list[str]
    force: bool


def ship(options: Options) -> Path:
    """Make a model in the box of a run; its folder appears, or is replaced, as a whole.

    Raises:
        UserError: the run cannot be shipped as it is asked; the box is as before.
    """
    kind, target = KINDS[options.name], box.FOLDER / options.name
    if target.exists() and not options.force:
        raise UserError(f"{target} exists already: use --force to replace it.")
    if kind.metrics and options.photos is None:
        raise UserError(f"{options.name} needs --photos, the validation photos for its gallery.")
    config = configs.load(TrainConfig, RunFolder(options.run).config)
    size = config.discriminator.image_size
    training = cost(options, config)
    names = [options.name, str(target.resolve()), str(options.run), str(options.run.resolve())]
    names.append(str(RunFolder(options.run.resolve()).model))
    reports = read_reports(options.report, names, size)
    trained = SwappingAutoencoder.from_pretrained(options.run, device="cpu")
    with replaced(target) as folder:
        write_weights(options.run, folder)
        model = SwappingAutoencoder.from_pretrained(folder, device="cpu")
        entries = write_gallery(folder / box.GALLERY, size, model, options)
        directions = write_directions(folder / box.DIRECTIONS, folder, size, options.data, options.images)
        exhibit = Exhibit.of(model, list(gallery(folder).values()))
        save_image(exhibit.swaps(), folder / PICTURE, quality=92)
        card = {
            "format": model_card.FORMAT,
            "name": options.name,
            "about": kind.about,
            "license": "Apache-2.0",
            "data": {"about": kind.data, "license": kind.data_license},
            "image_size": size,
            "codes": {
                "structure": list(exhibit.codes.structure.shape[1:]),
                "texture": exhibit.codes.texture.shape[1],
            },
            "parameters": counts(model.state_dict()),
            **facts_of(folder / box.WEIGHTS),
            "rounding": rounding(trained, model, exhibit.codes),
            "training": training,
            "departures": departures(config, PUBLISHED()),
            "evaluations": reports or evaluations(folder, kind, size, options),
            "limits": [limit.format(size=size) for limit in kind.limits] + options.limit,
            "directions": [one.name for one in directions],
            "gallery": [entry["name"] for entry in entries],
            "picture": PICTURE,
        }
        model_card.write(folder, card)
        check_small(folder)
    return target


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of `target` when all has gone well, and is gone otherwise."""
    beside = target.with_name(f".{target.name}-{uuid4().hex}")
    beside.mkdir(parents=True)
    try:
        yield beside
        if target.exists():
            old = target.with_name(f".{target.name}-{uuid4().hex}")
            os.replace(target, old)
            os.replace(beside, target)
            shutil.rmtree(old)
        else:
            os.replace(beside, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_weights(run: Path, folder: Path) -> None:
    """Write the run's averaged weights in half precision.

    Raises:
        UserError: a weight is not finite in half precision, or the file would be too large.
    """
    model = SwappingAutoencoder.from_pretrained(run, device="cpu").half()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise UserError(f"{name} has values that half precision does not hold: {run} cannot be shipped.")
    num_bytes = sum(tensor.nbytes for tensor in model.state_dict().values())
    if num_bytes > MOST_BYTES:
        raise UserError(
            f"the weights of {run} take {num_bytes / 1e6:.1f} MB in half precision; at most "
            f"{MOST_BYTES / 1e6:g} MB are shipped."
        )
    model.save_pretrained(folder, card=False)


def write_gallery(folder: Path, size: int, model: SwappingAutoencoder, options: Options) -> list[Entry]:
    """Choose and write a dozen samples, rendered ones where there are no photos."""
    first = KINDS[options.name].first
    if options.photos is None:
        return write_rendered(folder, size, options.name, first)
    lpips = LPIPS.load(options.weights)
    return write_codes(folder, size, model, FolderSource(options.photos), lpips, first)


def cost(options: Options, config: TrainConfig) -> dict[str, Any]:
    """Add up what the run and those before it logged.

    Raises:
        UserError: the run began with weights of another one, of which nothing is said.
    """
    if read_record(RunFolder(options.run)) is not None and not options.before:
        raise UserError(
            f"{options.run} began with other weights: name those runs by --before, for they cost too."
        )
    lasts = [last_line(RunFolder(run)) for run in (*options.before, options.run)]
    return {
        "images_seen": sum(int(line["images_seen"]) for line in lasts),
        "minutes": round(sum(line["seconds"] for line in lasts) / 60, 1),
        "stretches": len(lasts),
        "machine": options.machine,
        "config": configs.to_dict(config),
    }


def facts_of(weights: Path) -> dict[str, object]:
    """Size and digest of the weights' file."""
    data = weights.read_bytes()
    return {"precision": "float16", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def rounding(trained: SwappingAutoencoder, shipped: SwappingAutoencoder, codes: Codes) -> dict[str, float]:
    """How far half precision moves decoded pictures, in levels of 255: on the average, and at the most."""
    levels = [
        np.rint((model.decode(codes).clamp(-1, 1).double().numpy() + 1) * 127.5)
        for model in (trained, shipped)
    ]
    moved = np.abs(levels[0] - levels[1])
    return {"mean": round(float(moved.mean()), 4), "largest": int(moved.max())}


def evaluations(folder: Path, kind: Kind, size: int, options: Options) -> list[dict[str, Any]]:
    """Measure the weights as they are shipped, by `swapae eval`."""
    common = ["--size", str(size), "--quiet", "--no-speed"]
    common += ["--pairs", str(options.pairs)] if options.pairs else []
    common += ["--weights", str(options.weights)] if options.weights else []
    runs = [["--data", "synthetic", "--split", split] for split in ("seen", "held_out")]
    if kind.metrics:
        runs = [["--data", str(options.photos), "--metrics", *kind.metrics]]
    with TemporaryDirectory() as place:
        files = [Path(place, str(number), "report.json") for number in range(len(runs))]
        for words, file in zip(runs, files, strict=True):
            if swapae(["eval", str(folder), *words, *common, "-o", str(file.parent)]) != 0:
                raise UserError("the model could not be measured; what is wrong stands above.")
        return read_reports(files, [str(folder), str(folder.resolve())], size)


def check_small(folder: Path) -> None:
    """Refuse a folder that holds much besides the weights."""
    beside = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    beside -= (folder / box.WEIGHTS).stat().st_size
    if beside > MOST_BYTES_BESIDE:
        raise UserError(
            f"gallery and card take {beside / 1e6:.1f} MB, at most {MOST_BYTES_BESIDE / 1e6:g} MB may."
        )


# ── the command ──────────────────────────────────────────────────────────────────────────────────


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ship", description=(__doc__ or "").split("\n")[0]
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="run directory")
    add("name", metavar="NAME", choices=list(KINDS), help=f"of the model: {', '.join(KINDS)}")
    add(
        "--before",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="runs it went on from",
    )
    add("--photos", type=Path, help="folder of validation photos, for a gallery of codes")
    add("--data", default="synthetic", help="images whose main differences become directions")
    add("--images", type=int, default=ENOUGH, metavar="N", help=f"of them, at most (default: {ENOUGH})")
    add(
        "--report",
        type=Path,
        nargs="+",
        default=[],
        help="of `swapae eval RUN -o …`; without, it is measured now",
    )
    add("--pairs", type=int, metavar="N", help="of the evaluation that is made now")
    add("--weights", type=Path, help="weights of the measuring nets (else SWAPAE_WEIGHTS, cache)")
    add(
        "--machine",
        default=f"{os.cpu_count()} cores of {processor()}",
        help="where it was trained (this one)",
    )
    add("--limit", action="append", default=[], metavar="WORDS", help="one more limit, in a sentence")
    add("--force", action="store_true", help="replace the model of that name")
    return Options(**vars(parser.parse_args(arguments)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Ship, and say what was written."""
    options = parse(arguments)
    try:
        folder = ship(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {folder}; look at {folder / PICTURE} and {folder / box.CARD_PAGE}, then commit the folder")
    return 0


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    sys.exit(main())
