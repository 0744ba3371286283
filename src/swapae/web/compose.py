"""From a recipe to codes: only what `swapae.editing` does, in the order of the commands."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import torch
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.editing import Direction, Layer, apply, covered, interpolate, mix, painted, region_mask, within
from swapae.errors import UserError
from swapae.images import resize
from swapae.model import SwappingAutoencoder
from swapae.web.library import MEGABYTE, Held, Library, Recent, Size
from swapae.web.schemas import Move, Paint, Part, Recipe

REGIONS = 64 * MEGABYTE  # of masks at the places of codes and at pixels
Region = tuple[str, float]  # a mask's id and its feather


@dataclass(frozen=True)
class Edited:
    """What a recipe makes.

    Attributes:
        codes: of the whole edit.
        base: of what is the same everywhere: without what masks hold.
        regions: where the two differ; none: nowhere.
    """

    codes: Codes
    base: Codes
    regions: Sequence[Region] = ()


class Composer:
    """Turns recipes into codes, with what a library holds and directions that are asked for by name."""

    def __init__(
        self, model: SwappingAutoencoder, library: Library, named: Callable[[str], Direction]
    ) -> None:
        self.model, self.library, self.named = model, library, named
        self._regions: Recent[Tensor] = Recent(REGIONS)

    def edited(self, recipe: Recipe) -> Edited:
        """Make codes of a recipe.

        Raises:
            UnknownId: it names what is not there any more.
            UserError: its parts do not go together.
        """
        with _told():
            codes = base = self.hybrid(recipe)
            regions: list[Region] = []
            for region, moves in groupby(recipe.directions, _region):
                steps = [(self.named(move.name), move.strength) for move in moves]
                moved = _along(codes, steps)
                if region is None:
                    base, codes = _along(base, steps) if regions else moved, moved
                else:
                    regions.append(region)
                    codes = within(codes, moved, self.region(region, codes))
            layers = [layer for layer in recipe.layers if layer.visible]
            if layers:
                codes = painted(codes, [self._layer(layer, codes) for layer in layers])
            regions += [(layer.mask, layer.feather) for layer in layers]
            return Edited(codes, base, tuple(dict.fromkeys(regions)))

    def hybrid(self, recipe: Recipe) -> Codes:
        """Mix structures, mix textures, and turn the own texture towards theirs (`swapae swap`, `mix`)."""
        first = self.codes(recipe.structures[0].image)
        structure = first.structure
        if _used(recipe.structures) != [recipe.structures[0]]:
            structures = [self.structure(part.image, first.size) for part in recipe.structures]
            parts = [Codes(one, first.texture, first.size) for one in structures]
            structure = mix(parts, structures=_weights(recipe.structures), path=recipe.path).structure
        own = Codes(structure, first.texture, first.size)
        if not recipe.textures or recipe.strength == 0:
            return own
        textures = [self.codes(part.image) for part in recipe.textures]
        used = _used(recipe.textures)
        target = (
            self.codes(used[0].image).texture
            if len(used) == 1
            else mix(textures, textures=_weights(recipe.textures), path=recipe.path).texture
        )
        other = Codes(structure, target, first.size)
        if recipe.strength == 1:  # a swap, to the bit
            return other
        return interpolate(own, other, texture=recipe.strength, path=recipe.path)

    def codes(self, id: str) -> Codes:
        """Give an image's codes, where the model is."""
        return self.library.image(id).codes.to(self.model.device)

    def structure(self, id: str, size: Size) -> Tensor:
        """Give an image's structure at a size: its own, or its photo's, resized as `swapae mix` does."""
        held = self.library.image(id)
        if held.codes.size == size:
            return self.codes(id).structure
        if size not in held.resized:
            held.resized[size] = self._encoded_at(held, size)
            self.library.grown(id)
        return held.resized[size].to(self.model.device)

    def region(self, region: Region, codes: Codes, detail: int = 1) -> Tensor:
        """Give a mask at the places of codes, or at each pixel of their canvas (`detail` = the stride)."""
        mask_id, feather = region
        key = mask_id, feather, codes.size, codes.structure.shape[2:], detail
        mask = torch.from_numpy(self.library.mask(mask_id).pixels).float()[None, None] / 255
        found = self._regions.get(key)
        if found is None:
            found = region_mask(mask, codes, self.model.config.stride, feather, detail)
            self._regions.keep(key, found, found.nbytes)
        return found

    def pixels(self, regions: Iterable[Region], codes: Codes) -> Tensor:
        """Tell how much of each pixel any of the regions covers, `[1, 1, H, W]` (`swapae paint`)."""
        stride = self.model.config.stride
        return covered((self.region(region, codes, stride) for region in regions), codes.size)

    def _layer(self, layer: Paint, codes: Codes) -> Layer:
        region = self.region((layer.mask, layer.feather), codes)
        return Layer(self.codes(layer.texture).texture, region, layer.strength)

    def _encoded_at(self, held: Held, size: Size) -> Tensor:
        if held.photo is None:
            raise UserError(
                f"structures of {_shown(size)} and {_shown(held.codes.size)} do not mix, and the photo that "
                "could be resized is not here: add it again, or take images of one size."
            )
        picture = resize(Image.fromarray(held.photo), (size[1], size[0]))
        return self.model.encode_image(picture).structure.float().cpu()


def with_strength(recipe: Recipe, name: str, strength: float) -> Recipe:
    """Set the strength of a direction; one that a recipe does not have is put behind those it has."""
    moves = list(recipe.directions)
    at = next((i for i, move in enumerate(moves) if move.name == name), len(moves))
    move = moves[at] if at < len(moves) else Move(name=name, strength=0)
    moves[at : at + 1] = [move.model_copy(update={"strength": strength})]
    return recipe.model_copy(update={"directions": moves})


def _along(codes: Codes, steps: Iterable[tuple[Direction, float]]) -> Codes:
    for direction, strength in steps:
        codes = apply(codes, direction, strength)
    return codes


def _region(move: Move) -> Region | None:
    return None if move.mask is None else (move.mask, move.feather)


def _weights(parts: Sequence[Part]) -> list[float]:
    return [part.weight for part in parts]


def _used(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.weight > 0]


def _shown(size: Size) -> str:
    return f"{size[1]}x{size[0]}"


@contextmanager
def _told() -> Iterator[None]:
    """Make the sentence of a `ValueError` of `swapae.editing` one for the user."""
    try:
        yield
    except ValueError as error:
        raise UserError(str(error)) from error
