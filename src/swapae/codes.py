"""`Codes`: the pair an image becomes, and the currency of every edit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from swapae.errors import UserError
from swapae.files import shown
from swapae.weights import load_kept, save_tensors
from swapae_onnx.batches import check_pair, kept_axis
from swapae_onnx.batches import check_weights as check_weights
from swapae_onnx.batches import common_batch as common_batch

FORMAT = "swapae.codes/1"


@dataclass(frozen=True, eq=False)
class Codes:
    """The structure and texture codes of a batch of images of one size.

    Attributes:
        structure: where things are, `[B, Cs, h, w]`.
        texture: what they look like, a vector `[B, Ct]` or a map `[B, Ct, h', w']`.
        size: (height, width) of the images, in pixels; `decode` crops to it.
    """

    structure: Tensor
    texture: Tensor
    size: tuple[int, int]

    def __post_init__(self) -> None:
        check_pair(self.structure.shape, self.texture.shape)

    def __len__(self) -> int:
        return len(self.structure)

    def __getitem__(self, index: int | slice) -> "Codes":
        """Take some images' codes; an int keeps the batch axis."""
        index = kept_axis(index, len(self))
        return Codes(self.structure[index], self.texture[index], self.size)

    @staticmethod
    def cat(parts: Sequence["Codes"]) -> "Codes":
        """Join batches of images of one size."""
        sizes = {part.size for part in parts}
        if len(sizes) != 1:
            raise ValueError(f"codes join to a batch when their images have one size, not {sorted(sizes)}.")
        return Codes(
            torch.cat([part.structure for part in parts]),
            torch.cat([part.texture for part in parts]),
            parts[0].size,
        )

    def to(self, device: str | torch.device) -> "Codes":
        """Move both codes to a device."""
        return Codes(self.structure.to(device), self.texture.to(device), self.size)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a safetensors file; it appears whole or not at all.

        Args:
            path: file to write; its folder is made.
            force: replace an existing file.

        Raises:
            UserError: the file exists already, or cannot be written.
        """
        tensors = {"structure": self.structure, "texture": self.texture}
        save_tensors(path, tensors, {"format": FORMAT, "size": json.dumps(self.size)}, force)

    @staticmethod
    def load(path: str | Path) -> "Codes":
        """Read what `save` wrote, on the CPU.

        Raises:
            UserError: the file is missing, damaged, or holds no codes.
        """
        tensors, metadata = load_kept(path, FORMAT, "codes", "swapae encode")
        try:
            height, width = map(int, json.loads(metadata["size"]))
            found = Codes(tensors["structure"], tensors["texture"], (height, width))
            if min(height, width) < 1 or not (_are_numbers(found.structure) and _are_numbers(found.texture)):
                raise ValueError("it has numbers that are none")
            return found
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UserError(f"{shown(path)} is damaged and cannot be read as codes ({error}).") from error


def blend(textures: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Compute `Σ wᵢ · textureᵢ`, not normalised: the generator does that.

    Args:
        textures: batches of equal size or of 1.
        weights: one for each; a texture of weight 0 is left out, so the others come through bit by bit.

    Raises:
        ValueError: when there are not as many weights as textures, all are 0, or batches or shapes differ.
    """
    check_weights(len(textures), weights)
    batch = common_batch(*map(len, textures))
    if len({texture.shape[1:] for texture in textures}) > 1:
        shapes = ", ".join(str(list(texture.shape)) for texture in textures)
        raise ValueError(f"textures of different shapes, {shapes}, do not mix; bring them to one.")
    parts = [weight * texture for texture, weight in zip(textures, weights, strict=True) if weight != 0]
    return _batched(sum(parts[1:], start=parts[0]), batch)


def paired(codes: Codes, texture: Tensor) -> Codes:
    """Give `codes` another texture; either side may be a batch of 1.

    Raises:
        ValueError: when the batches do not pair.
    """
    batch = common_batch(len(codes), len(texture))
    return Codes(_batched(codes.structure, batch), _batched(texture, batch), codes.size)


def _batched(tensor: Tensor, batch: int) -> Tensor:
    return tensor.expand(batch, *tensor.shape[1:])


def _are_numbers(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and bool(tensor.isfinite().all())
