"""What ONNX Runtime gives beside what PyTorch gives, at twenty shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from swapae.codes import Codes
from swapae.export.precision import PrecisionName
from swapae_onnx.codes import Codes as Arrays
from swapae_onnx.model import SwappingAutoencoder as Runtime

LIMIT = 1e-4  # the greatest difference of any number of codes or images
LIMITS: dict[PrecisionName, float] = {"float32": LIMIT, "float16-weights": 1e-2, "int8": 0.5}
TINY, LARGEST = 9, 256  # sides in `SHAPES`: those that are to be padded, the largest
MOST_PIXELS = 2**19  # of a batch, but for a batch of 1
SEED = 0  # of the images, and of the noise where there is some


class Shape(NamedTuple):
    """A batch of images of one size, under a texture map or their own vector, with noise or without."""

    batch: int
    height: int
    width: int
    texture: tuple[int, int] | None = None
    noise: bool = False


SHAPES = (
    Shape(1, 1, 1),
    Shape(1, 5, 9, texture=(2, 1)),
    Shape(8, 16, 16),
    Shape(2, 17, 31, texture=(1, 1), noise=True),
    Shape(3, 32, 32, texture=(3, 3)),
    Shape(1, 33, 80),
    Shape(5, 47, 29, texture=(2, 5)),
    Shape(1, 61, 60, noise=True),
    Shape(4, 64, 64),
    Shape(7, 64, 48, texture=(1, 4)),
    Shape(6, 50, 75),
    Shape(2, 96, 96, texture=(6, 6)),
    Shape(1, 101, 127, noise=True),
    Shape(2, 128, 128),
    Shape(1, 128, 65, texture=(9, 7), noise=True),
    Shape(1, 160, 240),
    Shape(1, 199, 131, texture=(16, 16)),
    Shape(1, 23, 256),
    Shape(1, 256, 256),
    Shape(1, 255, 193, texture=(5, 3)),
)


def shapes_for(min_side: int, stride: int) -> list[Shape]:
    """Give `SHAPES` with sides that this encoder tells apart: between the shortest it takes and 256, or more.

    Tiny ones stay, which are padded. Batches are smaller where even the shortest side is long.
    """
    span = max(LARGEST, min_side + 4 * stride) - min_side
    found = []
    for shape in SHAPES:
        height, width = (
            side if max(shape.height, shape.width) <= TINY else min_side + (side - 1) * span // (LARGEST - 1)
            for side in (shape.height, shape.width)
        )
        batch = min(shape.batch, max(1, MOST_PIXELS // (height * width)))
        found.append(shape._replace(batch=batch, height=height, width=width))
    return found


class Reference(Protocol):
    """The model in PyTorch."""

    def encode(self, images: Tensor) -> Codes:
        """Encode images `[B, 3, H, W]`."""
        ...

    def decode(self, codes: Codes, noise: int | None) -> Tensor:
        """Decode, with the noise of a seed."""
        ...


@dataclass(frozen=True)
class Checked:
    """A shape, and the greatest differences there, `|ONNX Runtime - PyTorch|`."""

    shape: Shape
    structure: float
    texture: float
    images: float
    limit: float = LIMIT

    @property
    def error(self) -> float:
        """The greatest of all; not a number where one of them is not."""
        return float(np.max([self.structure, self.texture, self.images]))

    @property
    def is_within(self) -> bool:
        """Whether it is no greater than its limit."""
        return self.error <= self.limit

    def as_data(self) -> dict[str, Any]:
        """Give plain data."""
        shape = self.shape
        return {
            "shape": str(self),
            "size": shape[:3],
            "texture_map": shape.texture,
            "noise": shape.noise,
            "structure": self.structure,
            "texture": self.texture,
            "images": self.images,
            "error": self.error,
        }

    def __str__(self) -> str:
        shape = self.shape
        size = "vector" if shape.texture is None else "map {}×{}".format(*shape.texture)
        return f"{shape.batch}×3×{shape.height}×{shape.width}, {size}{', noise' if shape.noise else ''}"


def check_folder(folder: Path, reference: Reference) -> Iterator[Checked]:
    """Encode and decode at each of `shapes_for` the model by both; both decode PyTorch's codes.

    What may differ by how much is said by `LIMITS`, of the precision that the folder was written in.

    Raises:
        UserError: the folder cannot be loaded.
    """
    runtime = Runtime.from_pretrained(folder, threads=torch.get_num_threads())
    limit = LIMITS[runtime.folder.config["precision"]]
    random = torch.Generator().manual_seed(SEED)
    for shape in shapes_for(runtime.folder.min_side, runtime.folder.stride):
        yield replace(_checked(runtime, reference, shape, random), limit=limit)


def _checked(runtime: Runtime, reference: Reference, shape: Shape, random: torch.Generator) -> Checked:
    images = torch.rand(shape.batch, 3, shape.height, shape.width, generator=random) * 2 - 1
    codes, ours = reference.encode(images), runtime.encode(images.numpy())
    texture = codes.texture
    if shape.texture is not None:
        places = torch.randn(*texture.shape, *shape.texture, generator=random) / texture.shape[1] ** 0.5
        texture = texture[:, :, None, None] + places
    given = Codes(codes.structure, texture, codes.size)
    seed = SEED if shape.noise else None
    expected = reference.decode(given, noise=seed).numpy()
    decoded = runtime.decode(Arrays(given.structure.numpy(), texture.numpy(), codes.size), noise=seed)
    return Checked(
        shape,
        _apart(ours.structure, codes.structure.numpy()),
        _apart(ours.texture, codes.texture.numpy()),
        _apart(decoded, expected),
    )


def _apart(ours: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    if ours.shape != expected.shape:
        return float("inf")
    return float(np.abs(ours - expected).max())
