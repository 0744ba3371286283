"""Measure what the studio's frames cost, kind by kind, and how like the full frame a quick one is.

    python -m benchmarks.studio_frames [--model synthetic64] [--json]

Times are processor time of this process, the least of five moves of a slider: to codes, to pixels, to bytes.
Quick frames are of a 256² picture of sixteen samples: the structure code averaged over areas, as the studio
does, beside the codes of the picture made smaller, which would have to be encoded. The error is the mean
difference to the full frame made as small, in [-1, 1].
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from benchmarks.machine import facts
from swapae.codes import Codes
from swapae.images import resize
from swapae.web.render import encoded, smaller
from swapae.web.schemas import Move, Paint, Part, Recipe, SaveRequest
from swapae.web.studio import Studio

MOVES = 5


def least(work: Callable[[int], object], moves: int = MOVES) -> float:
    """Milliseconds of processor time of the quickest of several moves."""
    taken = []
    for move in range(moves):
        start = time.process_time()
        work(move)
        taken.append(time.process_time() - start)
    return round(1000 * min(taken), 1)


def kinds(studio: Studio) -> dict[str, Callable[[int], Recipe]]:
    """Recipes by what is moved in them."""
    a, b, c, d = (image.id for image in studio.gallery()[:4])
    mask = studio.add_mask(np.pad(np.full((64, 32), 255, np.uint8), ((0, 0), (0, 32)))).id
    four = [Part(image=key) for key in (a, b, c)]
    own = [Part(image=a)]
    name = studio.directions()[0].name

    def last(move: int) -> list[Part]:
        return [*four, Part(image=d, weight=1 + move)]

    return {
        "swap, strength": lambda n: Recipe(structures=own, textures=[Part(image=b)], strength=0.5 + n / 10),
        "mix of four textures": lambda n: Recipe(structures=own, textures=last(n)),
        "mix of four structures and textures": lambda n: Recipe(structures=last(n), textures=last(n)),
        "direction": lambda n: Recipe(structures=own, directions=[Move(name=name, strength=n + 1)]),
        "layer, its frame outside known": lambda n: Recipe(
            structures=own, layers=[Paint(texture=b, mask=mask, feather=4, strength=0.5 + n / 10)]
        ),
    }


def frames(studio: Studio) -> list[dict[str, object]]:
    """Time the parts of a frame of each kind."""
    rows: list[dict[str, object]] = []
    for name, make in kinds(studio).items():
        studio._renderer.picture(make(9))
        codes = least(lambda move, make=make: studio._composer.edited(make(move)))  # type: ignore[misc]
        whole = least(lambda move, make=make: studio._renderer.picture(make(move)))  # type: ignore[misc]
        rows.append({"kind": name, "codes ms": codes, "codes and pixels ms": whole})
    picture = studio._renderer.picture(make(0))
    rows.append({"kind": "as WebP", "ms": least(lambda _: encoded(picture, "webp"))})
    saved = studio.save(SaveRequest(recipe=make(0)))
    rows.append(
        {"kind": "saved PNG", "bytes": len(saved), "opened ms": least(lambda _: studio.open_recipe(saved))}
    )
    return rows


def quick(studio: Studio) -> list[dict[str, object]]:
    """Compare quick frames of half the size to the full one."""
    model = studio.model
    tiles = Image.new("RGB", (256, 256))
    photos = [studio._renderer.picture(Recipe(structures=[Part(image=one.id)])) for one in studio.gallery()]
    for number in range(16):
        place = 64 * (number % 4), 64 * (number // 4)
        tiles.paste(resize(photos[number % len(photos)], (64, 64)), place)
    texture = studio.library.image(studio.gallery()[5].id).codes.texture
    own = model.encode_image(tiles)
    full = Codes(own.structure, texture, own.size)
    half = smaller(full, 0.5)
    anew = Codes(model.encode_image(resize(tiles, (128, 128))).structure, texture, (128, 128))
    wanted = F.interpolate(model.decode(full), scale_factor=0.5, mode="area")

    def row(name: str, codes: Codes, error: Tensor) -> dict[str, object]:
        return {
            "frame": name,
            "ms": least(lambda _: model.decode(codes)),
            "error": round(error.abs().mean().item(), 3),
        }

    return [
        row("full", full, torch.zeros(1)),
        row("half, averaged", half, model.decode(half) - wanted),
        row("half, encoded anew", anew, model.decode(anew) - wanted),
    ]


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="synthetic64")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    studio = Studio.open(given.model, device="cpu")
    rows = [*frames(studio), *quick(studio)]
    if given.json:
        sys.stdout.write(json.dumps({"machine": facts(), "rows": rows}) + "\n")
    for row in rows if not given.json else []:
        print("  ".join(f"{name}: {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
