"""`Codes`: the pair an image becomes, as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swapae_onnx.batches import check_pair, check_weights, common_batch, kept_axis

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
        check_pair(self.structure.shape, self.texture.shape)

    def __len__(self) -> int:
        return len(self.structure)

    def __getitem__(self, index: int | slice) -> Codes:
        """Take some images' codes; an int keeps the batch axis."""
        index = kept_axis(index, len(self))
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
