"""`Codes`: the pair an image becomes, and the currency of every edit."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from swapae.errors import UserError

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
        if self.structure.ndim != 4 or self.texture.ndim not in (2, 4):
            raise ValueError(
                f"structure must be [B, C, h, w] and texture [B, C] or [B, C, h, w], "
                f"not {tuple(self.structure.shape)} and {tuple(self.texture.shape)}."
            )
        if len(self.structure) != len(self.texture):
            raise ValueError(
                f"{len(self.structure)} structure codes do not pair with {len(self.texture)} texture codes."
            )

    def __len__(self) -> int:
        return len(self.structure)

    def __getitem__(self, index: int | slice) -> "Codes":
        """Take some images' codes; an int keeps the batch axis."""
        if isinstance(index, int):
            index = range(len(self))[index]  # refuses what is out of range, resolves negatives
            index = slice(index, index + 1)
        return Codes(self.structure[index], self.texture[index], self.size)

    @staticmethod
    def cat(parts: Sequence["Codes"]) -> "Codes":
        """Join batches of images of one size."""
        sizes = {part.size for part in parts}
        if len(sizes) != 1:
            raise ValueError(f"codes of images of different sizes, {sorted(sizes)}, do not form one batch.")
        return Codes(
            torch.cat([part.structure for part in parts]),
            torch.cat([part.texture for part in parts]),
            parts[0].size,
        )

    def to(self, device: str | torch.device) -> "Codes":
        """Move both codes to a device."""
        return Codes(self.structure.to(device), self.texture.to(device), self.size)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a safetensors file; an existing one is kept unless `force`."""
        path = Path(path)
        if path.exists() and not force:
            raise UserError(f"{path} exists already; give another name, or --force to overwrite it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {"structure": self.structure.contiguous().cpu(), "texture": self.texture.contiguous().cpu()}
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            save_file(tensors, beside, metadata={"format": FORMAT, "size": json.dumps(self.size)})
            os.replace(beside, path)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
        finally:
            beside.unlink(missing_ok=True)

    @staticmethod
    def load(path: str | Path) -> "Codes":
        """Read what `save` wrote.

        Raises:
            UserError: when the file is missing or holds no codes.
        """
        path = Path(path)
        if not path.is_file():
            raise UserError(f"{path} does not exist; `swapae encode IMAGE -m MODEL -o {path}` makes such a file.")
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != FORMAT:
                    raise UserError(f"{path} holds no codes of this program ({FORMAT}); make it with `swapae encode`.")
                height, width = json.loads(metadata["size"])
                return Codes(file.get_tensor("structure"), file.get_tensor("texture"), (int(height), int(width)))
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} is damaged and cannot be read as codes ({error}).") from error
