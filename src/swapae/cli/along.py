"""What `edit` and `directions` share: where directions are found, and the words that name them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import UseAppendAction, arg

from swapae import box
from swapae.cli.common import Common, UsageError
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.codes import Codes
    from swapae.editing import Direction, Directions
    from swapae.model import SwappingAutoencoder

Files = Annotated[
    tuple[Path, ...],
    UseAppendAction,
    arg(metavar="FILE", help_behavior_hint="(repeatable; default: the model's own)"),
]


def parsed(words: Sequence[str]) -> list[tuple[str, float]]:
    """Read words like `snow=+1.5`: names and strengths, in order.

    Raises:
        UsageError: a word is none of these, or there is none.
    """
    if not words:
        raise UsageError("name a direction and a strength, as --along texture1=+1.5.")
    found = []
    for word in words:
        name, equals, text = word.rpartition("=")
        try:
            strength = float(text)
        except ValueError:
            strength = math.nan
        if not name or not equals or not math.isfinite(strength):
            raise UsageError(f"--along takes NAME=STRENGTH, as texture1=+1.5, not '{word}'.")
        found.append((name, strength))
    return found


def own_file(model: str) -> Path:
    """Find the directions that a model brings along.

    Raises:
        UserError: there is no such model, or it has none.
    """
    from swapae.locate import find_weights
    from swapae.model import WEIGHTS_FILE

    path = find_weights(model, WEIGHTS_FILE).parent / box.DIRECTIONS
    if not path.is_file():
        raise UserError(
            f"{model} has no directions of its own: `swapae directions fit {model} --data IMAGES -o FILE` "
            "finds some, and --directions FILE names them."
        )
    return path


def load_all(files: Sequence[Path], model: str) -> "list[tuple[Path, Directions]]":
    """Read files of directions, or else the model's own.

    Raises:
        UserError: one cannot be read, or the model has none.
    """
    from swapae.editing import Directions

    return [(file, Directions.load(file)) for file in files or [own_file(model)]]


def named(name: str, loaded: "Sequence[tuple[Path, Directions]]") -> "Direction":
    """Find a direction; where two files have its name, that of the first.

    Raises:
        UserError: there is none; the sentence has the nearest, and the files that were read.
    """
    from swapae.config import unknown

    everything = [direction for _, directions in loaded for direction in directions]
    for direction in everything:
        if direction.name == name:
            return direction
    where = " and ".join(f"`swapae directions list {file}`" for file, _ in loaded)
    near = unknown(f"direction '{name}'", name, [one.name for one in everything])
    raise UserError(f"{near} {where} names those that there are.")


def check_fits(
    loaded: "Sequence[tuple[Path, Directions]]", net: "SwappingAutoencoder", common: Common
) -> None:
    """Refuse directions of a model of another shape; tell of those of other weights.

    Raises:
        UserError: as said.
    """
    for file, directions in loaded:
        if not directions.check_fit(net, str(file)):
            common.say(
                f"{file} was made with other weights of this shape: what its directions do may differ."
            )


def moved(codes: "Codes", direction: "Direction", strength: float) -> "Codes":
    """Move codes along a direction.

    Raises:
        UserError: it is of images of another size.
    """
    from swapae.editing import apply

    try:
        return apply(codes, direction, strength)
    except ValueError as error:
        raise UserError(str(error)) from error
