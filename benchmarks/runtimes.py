"""Race ONNX Runtime against PyTorch: encode, decode and the whole swap, float32 and int8, in one process.

    python -m benchmarks.runtimes [--model synthetic64] [--resolution 256] [--threads 1] [--rounds 9] [--json]

Each is what a user calls: `swapae.SwappingAutoencoder`, without its cache of codes, and `swapae_onnx`'s, on
folders that `swapae export` writes. All take turns, round by round, after one round of warm-up. Beside the
time on the wall stands that of the processor: on a machine in use by others, it alone says something. `start`
is loading and the first swap, at 64².
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.jobs import PUBLISHED, model_of, seeded_images
from benchmarks.machine import facts
from swapae.export.folder import write_folder
from swapae.export.onnx_card import Source
from swapae.export.precision import Precision
from swapae.export.reduced import feeds_of
from swapae.model import SwappingAutoencoder
from swapae_onnx import SwappingAutoencoder as Runtime

SIZES = {"published": (256, 512), "synthetic64": (64, 256), "clothing": (64, 256)}
WORK = ("encode", "decode", "swap")
WHO = ("torch", "onnx", "onnx_int8")
START = 64  # pixels of a side

Calls = dict[str, Callable[[], Any]]
Row = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    """Measure, a row after the other."""
    options = parse(arguments)
    for name in [options.model] if options.model else SIZES:
        with tempfile.TemporaryDirectory() as place:
            folders = written(name, Path(place))
            for threads in [options.threads] if options.threads else (1, 2):
                for row in rows(name, folders, threads, options):
                    print(json.dumps(row) if options.json else line(row), flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runtimes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", help=f"one of {', '.join(SIZES)}; all of them if none is named")
    parser.add_argument("--resolution", type=int, help="pixels of a side")
    parser.add_argument("--threads", type=int, help="1 and 2 if not given")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=[*WORK, "start"], help="rows of this name")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(arguments)


def written(name: str, place: Path) -> dict[str, Path]:
    """Write a model in each form; the published one has weights drawn at random."""
    folders = {who: place / who for who in WHO}
    model = model_of(name) if name == PUBLISHED else SwappingAutoencoder.from_pretrained(name, device="cpu")
    model.save_pretrained(folders["torch"])
    side = SIZES.get(name, (256,))[0]
    feeds = feeds_of([seeded_images(1, side, seed=i) for i in range(4)], model, model.generator)
    for who, precision in (("onnx", Precision()), ("onnx_int8", Precision("int8", feeds))):
        folders[who].mkdir()
        nets = model.encoder, model.generator
        write_folder(folders[who], *nets, model.config, Source(name, "0"), precision)
    return folders


def rows(name: str, folders: Mapping[str, Path], threads: int, options: argparse.Namespace) -> Iterator[Row]:
    """Measure one model on so many threads."""
    torch.set_num_threads(threads)
    if options.only in (None, "start"):
        starts: Calls = {who: started(who, folder, threads) for who, folder in folders.items()}
        yield row_of("start", name, START, threads, race(starts, options.rounds, warm=0))
    models = {who: opened(who, folder, threads) for who, folder in folders.items()}
    for side in [options.resolution] if options.resolution else SIZES.get(name, (256,)):
        given = {who: work(who, model, side) for who, model in models.items()}
        for one in (one for one in WORK if options.only in (None, one)):
            calls = {who: found[one] for who, found in given.items()}
            yield row_of(one, name, side, threads, race(calls, options.rounds)) | errors(calls)


def opened(who: str, folder: Path, threads: int) -> Any:
    """Load a model as a user does."""
    if who != "torch":
        return Runtime.from_pretrained(folder, threads=threads)
    model = SwappingAutoencoder.from_pretrained(folder, device="cpu")
    model.codes_cache = None
    return model


def started(who: str, folder: Path, threads: int) -> Callable[[], Any]:
    """Load and swap once."""
    return lambda: work(who, opened(who, folder, threads), START)["swap"]()


def work(who: str, model: Any, side: int) -> Calls:
    """Give what is measured, on the same images."""
    pair: list[Any] = [seeded_images(1, side), seeded_images(1, side, seed=1)]
    if who != "torch":
        pair = [images.numpy() for images in pair]
    codes: list[Any] = []

    def decode() -> Any:
        codes[:] = codes or [model.encode(pair[0])]
        return model.decode(codes[0])

    return {"encode": lambda: model.encode(pair[0]), "decode": decode, "swap": lambda: model.swap(*pair)}


def race(calls: Calls, rounds: int, warm: int = 1) -> dict[str, list[tuple[float, float]]]:
    """Let all take turns; gives the seconds of each turn, on the wall and of the processor."""
    taken: dict[str, list[tuple[float, float]]] = {who: [] for who in calls}
    for turn in range(warm + rounds):
        for who, call in calls.items():
            wall, own = time.perf_counter(), time.process_time()
            call()
            if turn >= warm:
                taken[who].append((time.perf_counter() - wall, time.process_time() - own))
    return taken


def row_of(
    work: str, model: str, side: int, threads: int, taken: Mapping[str, list[tuple[float, float]]]
) -> Row:
    """Sum turns up: medians and least times, in ms."""
    row: Row = {"group": "runtimes", "name": work, "model": model, "resolution": side, "batch": 1}
    for who, turns in taken.items():
        wall, own = ([1000 * turn[i] for turn in turns] for i in range(2))
        row[f"{who}_ms"], row[f"{who}_least_ms"] = statistics.median(wall), min(wall)
        row[f"{who}_cpu_ms"], row[f"{who}_least_cpu_ms"] = statistics.median(own), min(own)
    return row | {"rounds": len(taken["torch"]), "threads": threads, **facts()}


def errors(calls: Calls) -> Row:
    """Compare what comes out with torch's: the greatest difference."""
    found = {who: arrays(call()) for who, call in calls.items()}
    return {
        f"{who}_error": max(
            float(np.abs(a - b).max()) for a, b in zip(found[who], found["torch"], strict=True)
        )
        for who in WHO[1:]
    }


def arrays(given: Any) -> list[Any]:
    """Bring codes or images to arrays."""
    parts = (given.structure, given.texture) if hasattr(given, "structure") else (given,)
    return [np.asarray(part) for part in parts]


def line(row: Row) -> str:
    """Spell a row for a reader."""
    times = " · ".join(
        f"{who} {row[f'{who}_ms']:8.1f} ({row[f'{who}_least_ms']:.1f}; cpu {row[f'{who}_least_cpu_ms']:.1f})"
        for who in WHO
    )
    head = f"{row['model']:<12} {row['name']:<7} {row['resolution']:>4}² {row['threads']} threads"
    return f"{head}  ms, median (least; processor's least): {times}"


if __name__ == "__main__":
    sys.exit(main())
