"""`Codes`: the pair an image becomes, as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swapae_onnx.batches import check_weights, common_batch

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Codes:
    """The structure and texture codes of a batch of images of one size.

    Attributes:
        structure: where things are, `[B, Cs, h, w]`.
        texture: what they look like, a vector `[B, Ct]` or a map `[B, Ct, h', w']`.
        size: (height, width) of the images, in pixels; `decode` crops to it.
    """

    structure: Array
    texture: Array
    size: tuple[int, int]

    def __post_init__(self) -> None:
        if self.structure.ndim != 4 or self.texture.ndim not in (2, 4):
            raise ValueError(
                f"structure must be [B, C, h, w] and texture [B, C] or [B, C, h, w], "
                f"not {self.structure.shape} and {self.texture.shape}."
            )
        if len(self.structure) != len(self.texture):
            raise ValueError(
                f"{len(self.structure)} structure codes do not pair with {len(self.texture)} texture codes."
            )

    def __len__(self) -> int:
        return len(self.structure)

    def __getitem__(self, index: int | slice) -> Codes:
        """Take some images' codes; an int keeps the batch axis."""
        if not isinstance(index, slice):
            index = range(len(self))[index]  # refuses what is out of range, resolves negatives
            index = slice(index, index + 1)
        return Codes(self.structure[index], self.texture[index], self.size)

    @staticmethod
    def cat(parts: Sequence[Codes]) -> Codes:
        """Join batches of images of one size."""
        sizes = {part.size for part in parts}
        if len(sizes) != 1:
            raise ValueError(f"codes join to a batch when their images have one size, not {sorted(sizes)}.")
        return Codes(
            np.concatenate([part.structure for part in parts]),
            np.concatenate([part.texture for part in parts]),
            parts[0].size,
        )


def blend(textures: Sequence[Array], weights: Sequence[float]) -> Array:
    """Compute `Σ wᵢ · textureᵢ` of vectors `[B or 1, Ct]`; the generator normalises it.

    A texture of weight 0 is left out, so the others come through bit by bit.

    Raises:
        ValueError: when there are not as many weights as textures, all are 0, or batches differ.
    """
    check_weights(len(textures), weights)
    batch = common_batch(*map(len, textures))
    parts = [np.float32(w) * texture for texture, w in zip(textures, weights, strict=True) if w != 0]
    return batched(sum(parts[1:], start=parts[0]), batch)


def batched(array: Array, batch: int) -> Array:
    """View an array of a batch of 1 as a batch of this size."""
    return np.broadcast_to(array, (batch, *array.shape[1:]))
