"""Directions in small safetensors files, with what they are and of which model: data, nothing that is run."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from swapae.config import unknown
from swapae.editing.directions import KINDS, Direction
from swapae.errors import UserError
from swapae.files import shown
from swapae.model import SwappingAutoencoder
from swapae.weights import digest, load_kept, save_tensors

FORMAT = "swapae.directions/1"
MOST_IMAGES = 2**53
MOST_SIGMA = (
    1e4  # far above that of any codes: each has a length of 1, a layout one of the root of its places
)
FACTS = ("name", "kind", "sigma", "center", "num_images", "share", "gap")


@dataclass(frozen=True)
class Maker:
    """What must be equal for directions of one model to mean something to another.

    - structure_channels, texture_channels: of the codes.
    - stride: pixels of the image per place of the structure code.
    - fingerprint: SHA-256 of the encoder's weights.
    """

    structure_channels: int
    texture_channels: int
    stride: int
    fingerprint: str

    @classmethod
    def of(cls, model: SwappingAutoencoder) -> "Maker":
        """Describe a model."""
        config = model.config
        fingerprint = digest(model.encoder.state_dict())
        return cls(config.structure_channels, config.texture_channels, config.stride, fingerprint)

    def shape(self) -> str:
        """Say of what shape its codes are."""
        return (
            f"{self.structure_channels} structure and {self.texture_channels} texture channels at a stride "
            f"of {self.stride}"
        )


@dataclass(frozen=True)
class Directions(Sequence[Direction]):
    """Directions of one model, in order, each of another name.

    Raises:
        ValueError: two have one name, or one is not of codes of this model.
    """

    all: tuple[Direction, ...]
    maker: Maker

    def __post_init__(self) -> None:
        counts = Counter(direction.name for direction in self.all)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"two directions are called '{twice}'.")
        for direction in self.all:
            _check(direction, self.maker)

    def __getitem__(self, index: Any) -> Any:
        return self.all[index]

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Direction]:
        return iter(self.all)

    def named(self, name: str) -> Direction:
        """Give the direction of a name.

        Raises:
            UserError: there is none; the sentence has the nearest.
        """
        for direction in self.all:
            if direction.name == name:
                return direction
        raise UserError(unknown(f"direction '{name}'", name, [direction.name for direction in self.all]))

    def check_fit(self, model: SwappingAutoencoder, name: str) -> bool:
        """Tell whether they were found with just these weights, not only with a model of this shape.

        Args:
            model: that is to decode.
            name: of what they were read from, for the message.

        Raises:
            UserError: they are of a model of another shape.
        """
        theirs = Maker.of(model)
        if (self.maker.structure_channels, self.maker.texture_channels, self.maker.stride) != (
            theirs.structure_channels,
            theirs.texture_channels,
            theirs.stride,
        ):
            raise UserError(
                f"{name} was made with another model: its codes have {self.maker.shape()}, those of this "
                f"model {theirs.shape()}."
            )
        return self.maker.fingerprint == theirs.fingerprint

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a safetensors file; it appears whole or not at all.

        Args:
            path: file to write; its folder is made.
            force: replace an existing file.

        Raises:
            UserError: the file exists already, or cannot be written.
        """
        facts = [{fact: getattr(direction, fact) for fact in FACTS} for direction in self.all]
        metadata = {
            "format": FORMAT,
            "model": json.dumps(asdict(self.maker)),
            "directions": json.dumps(facts, ensure_ascii=False),
        }
        vectors = {_key(number): direction.vector for number, direction in enumerate(self.all)}
        save_tensors(path, vectors, metadata, force)

    @staticmethod
    def load(path: str | Path) -> "Directions":
        """Read what `save` wrote, on the CPU.

        Raises:
            UserError: the file is missing, damaged, or holds no directions.
        """
        tensors, metadata = load_kept(path, FORMAT, "directions", "swapae directions fit")
        try:
            maker = Maker(**json.loads(metadata["model"]))
            facts = json.loads(metadata["directions"])
            found = [_direction(fact, tensors[_key(number)]) for number, fact in enumerate(facts)]
            return Directions(tuple(found), maker)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise UserError(
                f"{shown(path)} is damaged and cannot be read as directions ({error})."
            ) from error


def _key(number: int) -> str:
    return f"direction.{number:04}"


def _direction(facts: dict[str, Any], vector: Tensor) -> Direction:
    if set(facts) != set(FACTS):
        raise ValueError(f"a direction has {', '.join(facts)}, not {', '.join(FACTS)}")
    share, gap = (None if facts[fact] is None else _number(facts[fact]) for fact in ("share", "gap"))
    sigma, center, num_images = (_number(facts[fact]) for fact in ("sigma", "center", "num_images"))
    return Direction(
        str(facts["name"]), facts["kind"], vector, sigma, center, int(num_images), share=share, gap=gap
    )


def _number(value: object) -> float:
    if not isinstance(value, float | int) or not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return float(value)


def _check(direction: Direction, maker: Maker) -> None:
    """Refuse what is no direction of the model's codes."""
    if direction.kind not in KINDS:
        raise ValueError(
            f"'{direction.name}' is of kind {direction.kind}, which is none of {', '.join(KINDS)}"
        )
    if not direction.name or not direction.name.isprintable() or "=" in direction.name:
        raise ValueError(f"{direction.name!r} is no name of a direction: it is empty, or has a sign like =")
    vector = direction.vector
    channels = maker.texture_channels if direction.kind == "texture" else maker.structure_channels
    num_dims = 3 if direction.kind == "layout" else 1
    if vector.ndim != num_dims or vector.shape[0] != channels or not vector.is_floating_point():
        raise ValueError(
            f"'{direction.name}' is {vector.dtype} {list(vector.shape)}, no direction of {maker.shape()}"
        )
    if not 0 <= direction.num_images <= MOST_IMAGES:
        raise ValueError(f"'{direction.name}' was found in {direction.num_images:g} images")
    if not (0 < direction.sigma <= MOST_SIGMA and abs(vector.double().norm().item() - 1) < 1e-3):
        raise ValueError(f"'{direction.name}' has no length of 1, or a σ of {direction.sigma}")
