"""Pictures of the generated domain as files: training reads them faster than it renders new ones.

    python -m benchmarks.render OUT COUNT [--size 64] [--first 0]

`OUT/000000.png` … are the scenes 0 … COUNT − 1 of the sequence that `swapae train synthetic` draws from
(seed 0, split `seen`): on one core 90 a second at 64². What is there already is not rendered again.
"""

import argparse
from pathlib import Path

from swapae.data.synthetic import SyntheticSource
from swapae.images import save_image

BATCH = 100


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    source = SyntheticSource(options.size, seed=0)
    for begin in range(options.first, options.count, BATCH):
        numbers = [
            n for n in range(begin, min(begin + BATCH, options.count)) if not named(options.out, n).exists()
        ]
        for number, picture in zip(numbers, source.read(numbers) if numbers else [], strict=True):
            save_image(picture, named(options.out, number))


def named(out: Path, number: int) -> Path:
    """Name the file of a scene."""
    return out / f"{number:06d}.png"


if __name__ == "__main__":
    main()
