"""The loaded model that does one edit: a picture in, a picture out."""

from __future__ import annotations

from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from swapae.batch.edit import Edit, file_digest
from swapae.codes import Codes
from swapae.config import unknown
from swapae.editing import Direction, Directions, apply, decoded_inside, interpolate, mix, region_mask, within
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import open_image, put_alpha, split_alpha, to_array, to_pil
from swapae.model import SwappingAutoencoder
from swapae.runtime.backends import BackendName


class Editor:
    """A loaded model that does one edit: a picture in, a picture out, the same for the same picture.

    What it was made of is looked at once: codes of the photos and directions go along where it is pickled.
    The model does not: a copy loads it when it is first needed, and refuses weights that were changed since.

    Args:
        edit: what is to be done.
        device: where to compute, as `SwappingAutoencoder.from_pretrained` takes it.
        backend: what runs the model.

    Attributes:
        notes: sentences on what may surprise.

    Raises:
        UserError: the model, a photo or a direction is missing or cannot be read.

    Example:
        >>> editor = Editor(Edit("synthetic64", textures=("snow.jpg",)))  # doctest: +SKIP
        >>> editor(open_image("house.jpg")).save("out.png")  # doctest: +SKIP
    """

    def __init__(self, edit: Edit, device: str = "auto", backend: BackendName = "torch") -> None:
        self.edit, self.device, self.backend = edit, device, backend
        self.notes: list[str] = []
        self._weights = edit.weights_file()
        self._digest = file_digest(self._weights)
        self._model: SwappingAutoencoder | None = None
        photos = [open_image(photo) for photo in edit.textures]
        kept = None if edit.structure is None else open_image(edit.structure)
        self._moves = self._found_moves()
        self._texture = self._mixed([self.model.encode_image(photo).to("cpu") for photo in photos])
        self._structure = None if kept is None else self.model.encode_image(kept).to("cpu")
        self._alpha = None if kept is None else split_alpha(kept)[1]

    def __call__(self, picture: Image, mask: Tensor | None = None) -> Image:
        """Edit a picture.

        Args:
            picture: as `open_image` gives it; its transparency is kept.
            mask: of the part to edit, `[1, 1, H, W]` of any size.

        Raises:
            UserError: the picture does not go with a direction, or there is a mask and a structure.
        """
        color, alpha = split_alpha(picture)
        if self._structure is not None and mask is not None:
            raise UserError("a mask lies over the picture that is edited, not over another's structure.")
        image = torch.from_numpy(to_array(color))[None]
        with torch.no_grad():
            own = self.model.encode(image)
            try:
                codes = self._edited(own)
            except ValueError as error:  # a layout of another size
                raise UserError(str(error)) from None
            if mask is not None:
                result = self._inside(image, own, codes, mask)
            else:
                result = self.model.decode(codes).float().cpu()
        return put_alpha(to_pil(result[0].numpy()), alpha if self._structure is None else self._alpha)

    @property
    def model(self) -> SwappingAutoencoder:
        """The model, loaded when it is first asked for.

        Raises:
            UserError: it was changed since the editor was made.
        """
        if self._model is None:
            if file_digest(self._weights) != self._digest:
                raise UserError(f"the model {self.edit.model} was changed while it was in use: begin again.")
            self._model = SwappingAutoencoder.from_pretrained(
                self._weights, device=self.device, backend=self.backend
            )
            self._model.codes_cache = None  # no picture comes twice
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None}

    def on(self, device: str) -> Editor:
        """Make a copy for another device."""
        copy: Editor = object.__new__(Editor)
        copy.__dict__.update({**self.__getstate__(), "device": device})
        return copy

    def _found_moves(self) -> list[tuple[Direction, float]]:
        """Find the directions by their names, the first file first.

        Raises:
            UserError: a file is unreadable, or of another model, or there is no such direction.
        """
        known: dict[str, Direction] = {}
        for file in self.edit.direction_files():
            directions = Directions.load(file)
            if not directions.check_fit(self.model, shown(file)):
                self.notes.append(
                    f"{shown(file)} was made with other weights of this shape: what its directions do may "
                    "differ."
                )
            known = {**{direction.name: direction for direction in directions}, **known}
        missing = [name for name, _ in self.edit.along if name not in known]
        if missing:
            raise UserError(unknown(f"direction '{missing[0]}'", missing[0], list(known)))
        return [(known[name], strength) for name, strength in self.edit.along]

    def _mixed(self, parts: list[Codes]) -> Tensor | None:
        if len(parts) < 2:
            return parts[0].texture if parts else None
        weights = self.edit.weights or (1.0,) * len(parts)
        return mix(parts, textures=weights, path=self.edit.path).texture

    def _edited(self, own: Codes) -> Codes:
        codes = own
        if self._structure is not None:
            kept = self._structure.to(own.texture.device)
            codes = interpolate(kept, own, texture=self.edit.strength, path=self.edit.path)
        elif self._texture is not None:
            other = Codes(own.structure, self._texture.to(own.texture), own.size)
            codes = interpolate(own, other, texture=self.edit.strength, path=self.edit.path)
        for direction, strength in self._moves:
            codes = apply(codes, direction, strength)
        return codes

    def _inside(self, image: Tensor, own: Codes, codes: Codes, mask: Tensor) -> Tensor:
        """Decode an edit that is kept inside a mask, with what was asked for outside."""
        feather, outside = self.edit.feather, self.edit.outside
        codes = within(own, codes, region_mask(mask, own, self.model.config.stride, feather))
        return decoded_inside(self.model, own, codes, [mask], feather, outside, image)
