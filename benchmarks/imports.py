"""Time what a new process takes to import, to show help, and to do a first swap, by PyTorch and without it.

    python -m benchmarks.imports [--rounds 5] [--json]

All take turns. Given are the least seconds of the processor, which others' work changes little, and on the
wall. The first swap is of two pictures of 64², by `synthetic64` and by what `swapae export` makes of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.jobs import seeded_images
from benchmarks.machine import ROOT, facts
from swapae.cli.main import main as swapae
from swapae.images import save_image, to_pil

PYTHON = sys.executable


def main(arguments: list[str] | None = None) -> None:
    """Measure every command by turns, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        lines = commands(Path(folder))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
        for _ in range(1 + options.rounds):  # the first for the disk's cache
            for name, words in lines.items():
                taken[name].append(seconds_of(words))
    for name, turns in taken.items():
        own, wall = (min(turn[i] for turn in turns[1:]) for i in range(2))
        row = {"group": "imports", "name": name, "cpu_s": own, "wall_s": wall, "rounds": options.rounds}
        print(json.dumps(row | facts()) if options.json else f"{name:<36} {own:6.2f} s  wall {wall:6.2f} s")


def commands(folder: Path) -> dict[str, list[str]]:
    """Name what is measured, with two pictures and an exported model in a folder."""
    pictures = [str(folder / f"{seed}.png") for seed in range(2)]
    for seed, file in enumerate(pictures):
        save_image(to_pil(seeded_images(1, 64, seed=seed)[0].numpy()), file)
    exported = str(folder / "exported")
    if swapae(["export", "synthetic64", "--onnx", exported, "--quiet"]):
        sys.exit("the model could not be exported.")
    out = ["-o", str(folder / "out.png"), "--force"]
    imports = ["swapae", "swapae.onnx", "swapae_onnx", "torch", "onnxruntime"]
    named = ["from swapae import SwappingAutoencoder", "from swapae_onnx import SwappingAutoencoder"]
    return {
        "python alone": [PYTHON, "-c", ""],
        **{f"import {name}": [PYTHON, "-c", f"import {name}"] for name in imports},
        **{words: [PYTHON, "-c", words] for words in named},
        "swapae --help": [PYTHON, "-m", "swapae", "--help"],
        "first swap, swapae": [PYTHON, "-m", "swapae", "swap", *pictures, "-m", "synthetic64", *out],
        "first swap, swapae --backend onnx": [
            *[PYTHON, "-m", "swapae", "swap", *pictures, "-m", "synthetic64", "--backend", "onnx", *out]
        ],
        "first swap, swapae_onnx": [PYTHON, "-m", "swapae_onnx", "swap", *pictures, "-m", exported, *out],
    }


def seconds_of(words: list[str]) -> tuple[float, float]:
    """Run a command; gives seconds of the processor and on the wall."""
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    after = os.times()
    own = after.children_user - before.children_user + after.children_system - before.children_system
    return own, time.perf_counter() - began


if __name__ == "__main__":
    main()
