"""From codes to pixels: whole frames as the commands make them, and quick ones that are smaller."""

import io
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.editing import kept_outside
from swapae.errors import UserError
from swapae.images import resize, to_array, to_pil
from swapae.model import SwappingAutoencoder
from swapae.saving import encode_image
from swapae.web.compose import Composer, Edited
from swapae.web.library import MEGABYTE, Recent
from swapae.web.schemas import Recipe

SLOW = 0.150  # seconds; where a frame takes longer, a smaller one comes first
QUICK = 0.100  # seconds that the smaller one may take
SMALLEST = 0.25  # of a side
FEWEST_PLACES = 8  # of a side of a smaller frame
LATE = 5  # frames by which the time of the next is estimated
BASES = 64 * MEGABYTE  # of frames without what masks hold
WEBP = {"quality": 90, "method": 1}  # method 1 takes a third of the time of the usual 4


class Renderer:
    """Turns recipes into pictures.

    The frame without what masks hold is kept: while a layer is edited, a move takes one decoding, not two.
    """

    def __init__(self, model: SwappingAutoencoder, composer: Composer) -> None:
        self.model, self.composer = model, composer
        self.pace = Pace()
        self._bases: Recent[Tensor] = Recent(BASES)

    def forget(self) -> None:
        """Forget what was made by directions that are no more."""
        self._bases.clear()

    def picture(self, recipe: Recipe, scale: float = 1.0) -> Image.Image:
        """Render a recipe at its image's size, or a part of it along each side.

        Raises:
            UserError: as `Composer.edited`; or a photo is asked for that is not there.
        """
        edited = self.composer.edited(recipe)
        frame = self._decoded(smaller(edited.codes, scale), recipe.seed)
        if edited.regions and recipe.outside != "free":
            outside = self._outside(recipe, edited, scale)
            frame = kept_outside(outside, frame, self._cover(edited, frame))
        return to_pil(frame[0].numpy())

    def pictures(self, recipes: Sequence[Recipe], scale: float) -> list[Image.Image]:
        """Render several recipes of one image by one decoding."""
        every = [self.composer.edited(recipe) for recipe in recipes]
        codes = [smaller(one.codes, scale) for one in every]
        are_kept = [
            bool(one.regions) and recipe.outside == "plain"
            for one, recipe in zip(every, recipes, strict=True)
        ]
        bases = [smaller(one.base, scale) for one, is_kept in zip(every, are_kept, strict=True) if is_kept]
        frames = list(self._decoded(_batch([*codes, *bases]), recipes[0].seed).unsqueeze(1))
        plain = iter(frames[len(codes) :])
        done = []
        for edited, recipe, frame, is_kept in zip(
            every, recipes, frames[: len(codes)], are_kept, strict=True
        ):
            if edited.regions and recipe.outside != "free":
                outside = next(plain) if is_kept else self._photo(recipe, frame)
                frame = kept_outside(outside, frame, self._cover(edited, frame))
            done.append(to_pil(frame[0].numpy()))
        return done

    def quick_scale(self, recipe: Recipe) -> float:
        """Choose at what part of its size a recipe is rendered quickly: 1 where all of it is quick enough."""
        height, width = self.composer.codes(recipe.structures[0].image).structure.shape[2:]
        seconds = self.pace.estimate(height * width) * self._frames(recipe)
        if seconds <= SLOW:
            return 1.0
        fewest = FEWEST_PLACES / min(height, width)
        return min(1.0, max(math.sqrt(QUICK / seconds), SMALLEST, fewest))

    def scale_of(self, recipe: Recipe, side: int, num: int) -> float:
        """Choose a scale for several small pictures: the full one where that is quick, else by their side.

        Where nothing is known it is by their side: many large pictures at once take minutes, and gigabytes.
        """
        codes = self.composer.codes(recipe.structures[0].image)
        seconds = self.pace.estimate(codes.structure[0, 0].numel()) * num * self._frames(recipe)
        return 1.0 if 0 < seconds <= SLOW else min(1.0, side / max(codes.size))

    def _frames(self, recipe: Recipe) -> int:
        """Count how often a recipe has to be decoded: twice where what is outside masks is not known yet."""
        has_masks = any(move.mask for move in recipe.directions) or any(one.visible for one in recipe.layers)
        is_plain = has_masks and recipe.outside == "plain"
        return 2 if is_plain and self._bases.get(_key_of_base(recipe, 1.0)) is None else 1

    def _decoded(self, codes: Codes, seed: int | None) -> Tensor:
        with self.pace.measured(len(codes), codes.structure[0, 0].numel()):
            return self.model.decode(codes, seed).float().cpu()

    def _outside(self, recipe: Recipe, edited: Edited, scale: float) -> Tensor:
        codes = smaller(edited.base, scale)
        if recipe.outside == "photo":
            return self._photo(recipe, codes.size)
        key = _key_of_base(recipe, scale)
        found = self._bases.get(key)
        if found is None:
            found = self._decoded(codes, recipe.seed)
            self._bases.keep(key, found, found.nbytes)
        return found

    def _photo(self, recipe: Recipe, like: Tensor | tuple[int, int]) -> Tensor:
        """Give the first structure's photo, [-1, 1]."""
        height, width = like.shape[2:] if isinstance(like, Tensor) else like
        photo = self.composer.library.image(recipe.structures[0].image).photo
        if photo is None:
            raise UserError(
                "the photo itself is not here any more, only its codes: add it again, or choose 'plain' for "
                "what is outside the masks."
            )
        picture = Image.fromarray(photo)
        return torch.from_numpy(
            to_array(picture if picture.size == (width, height) else resize(picture, (width, height)))
        )[None]

    def _cover(self, edited: Edited, frame: Tensor) -> Tensor:
        pixels = self.composer.pixels(edited.regions, edited.codes)
        size = frame.shape[2], frame.shape[3]
        return pixels if pixels.shape[2:] == size else F.interpolate(pixels, size=size, mode="area")


class Pace:
    """How long decoding takes, by the number of places: the least time of late frames.

    One that had to wait for other work of the machine tells nothing, nor does the first of a size, which has
    buffers to make; where all of them are slow, so is the machine.
    """

    def __init__(self) -> None:
        self._late: dict[int, deque[float]] = {}

    @contextmanager
    def measured(self, num: int, num_places: int) -> Iterator[None]:
        """Take the time of decoding `num` images of so many places."""
        start = time.perf_counter()
        yield
        self.take(num_places, (time.perf_counter() - start) / num)

    def take(self, num_places: int, seconds: float) -> None:
        """Take in the time of one image."""
        if num_places in self._late:
            self._late[num_places].append(seconds)
        else:
            self._late[num_places] = deque(maxlen=LATE)

    def estimate(self, num_places: int) -> float:
        """Estimate the time of one image; by the size nearest to it, 0 if there never was one."""
        known = [size for size, late in self._late.items() if late]
        if not known:
            return 0.0
        nearest = min(known, key=lambda size: abs(math.log(size / num_places)))
        return min(self._late[nearest]) * num_places / nearest


def smaller(codes: Codes, scale: float) -> Codes:
    """Bring codes to a part of their size, by averaging the structure over areas; at 1 they stay as they are.

    A quarter of the places takes a quarter of the time. What comes out is as like the full frame as the codes
    of the photo made smaller are, which would have to be encoded anew (LOG.md, the studio's quick frames).
    """
    places = [max(1, round(side * scale)) for side in codes.structure.shape[2:]]
    if places == list(codes.structure.shape[2:]):
        return codes
    structure = F.interpolate(codes.structure, size=places, mode="area")
    texture = codes.texture
    if texture.ndim == 4:
        parts = [
            max(1, round(side * new / old))
            for side, new, old in zip(texture.shape[2:], places, codes.structure.shape[2:], strict=True)
        ]
        texture = F.interpolate(texture, size=parts, mode="area")
    height, width = (
        max(1, side * new // old)
        for side, new, old in zip(codes.size, places, codes.structure.shape[2:], strict=True)
    )
    return Codes(structure, texture, (height, width))


def fitted(picture: Image.Image, side: int | None) -> Image.Image:
    """Make a picture smaller so that its longest side is `side`; it is never made larger."""
    longest = max(picture.size)
    if side is None or side >= longest:
        return picture
    width, height = (max(1, round(length * side / longest)) for length in picture.size)
    return resize(picture, (width, height))


def encoded(picture: Image.Image, format: Literal["webp", "png"]) -> tuple[bytes, str]:
    """Give a picture as bytes, without any metadata, and their media type."""
    if format == "png":
        return encode_image(picture, "PNG", 90, "the picture"), "image/png"
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **WEBP)
    return buffer.getvalue(), "image/webp"


def _key_of_base(recipe: Recipe, scale: float) -> str:
    """Name all that the frame without what masks hold depends on."""
    everywhere = [move for move in recipe.directions if move.mask is None]
    base = recipe.model_copy(update={"directions": everywhere, "layers": [], "outside": "plain"})
    return f"{scale} {base.digest()}"


def _batch(parts: Sequence[Codes]) -> Codes:
    """Join codes of one image, of which some have texture maps."""
    maps = [part.texture for part in parts if part.texture.ndim == 4]
    size = maps[0].shape[2:] if maps else None
    textures = [
        part.texture
        if part.texture.ndim == 4 or size is None
        else part.texture[:, :, None, None].expand(-1, -1, *size)
        for part in parts
    ]
    return Codes(torch.cat([part.structure for part in parts]), torch.cat(textures), parts[0].size)
