"""Keep what a run taught: its averaged model in half precision, its config and its log.

    python -m benchmarks.keep_run RUN OUT

A later run of the same data and size has OUT as the mark to beat; `swapae eval` measures both, and
`benchmarks.side_by_side` compares.
"""

import argparse
import shutil
from pathlib import Path

from swapae import SwappingAutoencoder

KEPT = ("config.yaml", "log.jsonl")


def keep(run: Path, out: Path) -> None:
    """Write `OUT/{model.safetensors, config.json, config.yaml, log.jsonl}`; weights load as float32 again."""
    SwappingAutoencoder.from_pretrained(run, device="cpu").half().save_pretrained(out, card=False)
    for name in KEPT:
        shutil.copyfile(run / name, out / name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    keep(arguments.run, arguments.out)
