"""One edit in words that can be written down: nothing is loaded for it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swapae import box
from swapae.errors import UserError
from swapae.files import reason, shown
from swapae.locate import find_weights

MOST = 8  # textures, as in `swapae.editing.mix`


@dataclass(frozen=True)
class Edit:
    """What is done to every picture, in this order: texture, directions, mask.

    - model: as `SwappingAutoencoder.from_pretrained` takes it.
    - textures: photos whose textures pictures get, mixed by `weights`, equal ones if there are none.
    - structure: or else a photo whose structure is kept, with the texture of each picture.
    - strength: how much of the texture: 0 is the own, 1 the other, beyond exaggerates.
    - path: by a straight `line`, as published, or along the `sphere`.
    - along: directions by name, and how far, in σ.
    - directions: files of directions; the model's own if there are none.
    - feather: pixels over which the edge of a mask fades to either side.
    - outside: what is outside of a mask, as `swapae edit --outside` says it.

    Raises:
        UserError: nothing is to be done, or what is does not go together.
    """

    model: str
    textures: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    structure: str | None = None
    strength: float = 1.0
    path: Literal["line", "sphere"] = "line"
    along: tuple[tuple[str, float], ...] = ()
    directions: tuple[str, ...] = ()
    feather: float = 0.0
    outside: Literal["plain", "photo", "free"] = "plain"

    def __post_init__(self) -> None:
        if not (self.textures or self.structure or self.along):
            raise UserError("nothing is to be done: give textures, a structure, or directions.")
        if self.textures and self.structure:
            raise UserError("give textures for all pictures, or a structure that takes on theirs, not both.")
        if len(self.textures) > MOST:
            raise UserError(f"up to {MOST} textures can be mixed, not {len(self.textures)}.")
        if self.weights and len(self.weights) != len(self.textures):
            raise UserError(f"{len(self.textures)} textures need as many weights, not {len(self.weights)}.")
        if any(not (math.isfinite(w) and w >= 0) for w in self.weights) or (
            self.weights and not any(self.weights)
        ):
            raise UserError("weights must be numbers from 0 on, and not all 0.")
        if not math.isfinite(self.strength) or not all(math.isfinite(by) for _, by in self.along):
            raise UserError("a strength must be a finite number.")
        if not 0 <= self.feather < math.inf:
            raise UserError(f"the feather must be a number of pixels, 0 or more, not {self.feather}.")

    def weights_file(self) -> Path:
        """Find the weights of the model.

        Raises:
            UserError: there is no such model.
        """
        return find_weights(self.model, box.WEIGHTS)

    def direction_files(self) -> list[Path]:
        """Name the files in which directions are looked for; none where none is asked for."""
        if not self.along:
            return []
        return list(map(Path, self.directions)) or [self.weights_file().parent / box.DIRECTIONS]


def file_digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be read ({reason(error)}).") from None
