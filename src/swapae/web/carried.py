"""A recipe with all that it needs, as one JSON text: codes, masks, directions, thumbnails.

Nothing in it is decoded by a picture format's parser, and all sizes are checked before memory is taken: masks
and photos are rows of differences under zlib, codes are float32, thumbnails go through as they are.
"""

import base64
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from torch import Tensor

from swapae.codes import Codes
from swapae.editing import Direction, Directions
from swapae.editing.files import Maker
from swapae.errors import UserError
from swapae.model import ModelConfig
from swapae.web.library import MEGABYTE, Held, Library, Mask, Size, id_of
from swapae.web.png import DAMAGED, inflated
from swapae.web.schemas import LONGEST_SIDE, MOST_IMAGES, Given, Id, Kind, Name, Number, Recipe, problem

MOST_COMMAS = 20_000  # of a text that is no attack; a full recipe has some 2,000
MOST_PIXELS = 64 * MEGABYTE  # bytes of all masks and photos of a recipe
MOST_THUMBNAIL = 64 * 1024  # bytes
THUMBNAIL_SIDE = 256

Bound = Annotated[int, Field(ge=1, le=LONGEST_SIDE)]
Pair = Annotated[list[Bound], Field(min_length=2, max_length=2)]
Text = Annotated[str, Field(max_length=200)]


class Raster(Given):
    """Pixels: `[height, width]`; each byte less the one to its left, under zlib, in base64."""

    size: Pair
    data: str


class Resized(Given):
    """A structure code of the photo at another size."""

    size: Pair
    structure: str


class SavedImage(Given):
    """An image: codes as little-endian float32 in base64, thumbnail, and the photo if that is shown."""

    size: Pair
    structure: str
    texture: str
    thumbnail: Annotated[str, Field(max_length=MOST_THUMBNAIL * 4 // 3 + 4)]
    photo: Raster | None = None
    resized: Annotated[list[Resized], Field(max_length=MOST_IMAGES)]


class SavedDirection(Given):
    """A direction, as in a file of directions."""

    name: Name
    kind: Kind
    shape: Annotated[list[Bound], Field(min_length=1, max_length=3)]
    vector: str
    sigma: Number
    center: Number
    num_images: Annotated[int, Field(ge=0, le=2**53)]
    share: Number | None
    gap: Number | None


class SavedModel(Given):
    """The model with which it was made."""

    name: Text
    fingerprint: Id
    structure_channels: Bound
    texture_channels: Annotated[int, Field(ge=1, le=65536)]
    multiple: Bound

    @classmethod
    def of(cls, config: ModelConfig, name: str, fingerprint: str) -> "SavedModel":
        """Describe a model by its config, its name, and the SHA-256 of its weights."""
        return cls(
            name=name[:200],
            fingerprint=fingerprint,
            structure_channels=config.structure_channels,
            texture_channels=config.texture_channels,
            multiple=config.stride,
        )


class Document(Recipe):
    """A recipe, and what its ids and names stand for."""

    model: SavedModel
    images: dict[Id, SavedImage]
    masks: dict[Id, Raster]
    directions_used: list[SavedDirection]


@dataclass(frozen=True)
class Carried:
    """What was read."""

    recipe: Recipe
    model: SavedModel
    images: Mapping[str, Held]
    masks: Mapping[str, Mask]
    directions: Sequence[Direction]


# ---- writing


def document(
    recipe: Recipe,
    library: Library,
    directions: Iterable[Direction],
    model: SavedModel,
    sizes: Iterable[Size],
) -> str:
    """Write a recipe and all that it needs as JSON.

    Args:
        recipe: what to write.
        library: that holds its images and masks.
        directions: those it uses.
        model: that it is of.
        sizes: at which structures are mixed.

    Raises:
        UnknownId: something is not there any more.
    """
    photo_of = recipe.structures[0].image if recipe.outside == "photo" else None
    images = {key: _image(library.image(key), key == photo_of, sizes) for key in images_of(recipe)}
    masks = {key: _raster(library.mask(key).pixels) for key in masks_of(recipe)}
    used = [_direction(direction) for direction in directions]
    whole = Document(**dict(recipe), model=model, images=images, masks=masks, directions_used=used)
    return whole.model_dump_json()


def images_of(recipe: Recipe) -> list[str]:
    """Name the images of a recipe, each once."""
    parts = [part.image for part in (*recipe.structures, *recipe.textures)]
    return list(dict.fromkeys([*parts, *(layer.texture for layer in recipe.layers)]))


def masks_of(recipe: Recipe) -> list[str]:
    """Name its masks, each once."""
    moves = [move.mask for move in recipe.directions if move.mask is not None]
    return list(dict.fromkeys([*moves, *(layer.mask for layer in recipe.layers)]))


def names_of(recipe: Recipe) -> list[str]:
    """Name its directions, each once."""
    return list(dict.fromkeys(move.name for move in recipe.directions))


def _image(held: Held, with_photo: bool, sizes: Iterable[Size]) -> SavedImage:
    codes = held.codes
    return SavedImage(
        size=list(codes.size),
        structure=_floats(codes.structure),
        texture=_floats(codes.texture),
        thumbnail=base64.b64encode(held.thumbnail).decode(),
        photo=_raster(held.photo) if with_photo and held.photo is not None else None,
        resized=[
            Resized(size=list(size), structure=_floats(held.resized[size]))
            for size in sizes
            if size in held.resized
        ],
    )


def _direction(one: Direction) -> SavedDirection:
    return SavedDirection(
        name=one.name,
        kind=one.kind,
        shape=list(one.vector.shape),
        vector=_floats(one.vector),
        sigma=one.sigma,
        center=one.center,
        num_images=one.num_images,
        share=one.share,
        gap=one.gap,
    )


def _floats(tensor: Tensor) -> str:
    array = tensor.detach().cpu().contiguous().numpy().astype("<f4", copy=False)
    return base64.b64encode(array.tobytes()).decode()


def _raster(pixels: NDArray[np.uint8]) -> Raster:
    rows = pixels.copy()
    rows[:, 1:] -= pixels[:, :-1]
    packed = zlib.compress(rows.tobytes(), 6)
    return Raster(size=[pixels.shape[0], pixels.shape[1]], data=base64.b64encode(packed).decode())


# ---- reading


def read(text: str, config: ModelConfig, max_side: int) -> Carried:
    """Read what `document` wrote; all of it or nothing.

    Args:
        text: from anywhere.
        config: of the model that is to decode it.
        max_side: of the largest image that is taken.

    Raises:
        UserError: it is damaged, of another model, or larger than what is taken.
    """
    try:
        found = _parsed(text)
        _check_model(found.model, config)
        reader = _Reader(config, max_side)
        images = {key: reader.image(one) for key, one in found.images.items()}
        masks = {key: Mask(reader.pixels(one, 1)) for key, one in found.masks.items()}
        for key, item in (images | masks).items():
            if id_of(item) != key:
                raise ValueError("what it holds is not what it says")
        directions = reader.directions(found.directions_used, found.model.fingerprint)
    except ValueError as error:
        raise UserError(f"{DAMAGED}: {str(error).removesuffix('.')}.") from error
    recipe = Recipe(**{name: getattr(found, name) for name in Recipe.model_fields})
    return Carried(recipe, found.model, images, masks, directions)


def _parsed(text: str) -> Document:
    """Parse a text; one that would only take memory is refused before."""
    if text.count(",") > MOST_COMMAS or text.count("{") + text.count("[") > MOST_COMMAS:
        raise ValueError("it has too many parts")
    try:
        found = Document.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(problem(error)) from None
    have = set(found.images), set(found.masks), {one.name for one in found.directions_used}
    if have != (set(images_of(found)), set(masks_of(found)), set(names_of(found))):
        raise ValueError("it lacks, or has too many, images, masks or directions")
    return found


def _check_model(saved: SavedModel, config: ModelConfig) -> None:
    mine = config.structure_channels, config.texture_channels, config.stride
    theirs = saved.structure_channels, saved.texture_channels, saved.multiple
    if theirs != mine:
        raise UserError(
            f"this picture was made with another model, '{saved.name}': its codes have {theirs[0]} structure "
            f"and {theirs[1]} texture channels at a stride of {theirs[2]}, those of this model {mine[0]}, "
            f"{mine[1]} and {mine[2]}."
        )


class _Reader:
    """Reads parts for one model, and counts the pixels they take."""

    def __init__(self, config: ModelConfig, max_side: int) -> None:
        self.config, self.max_side = config, max_side
        self._num_pixels = 0

    def image(self, saved: SavedImage) -> Held:
        size = self._size(saved.size)
        texture = _array(saved.texture, [1, self.config.texture_channels])
        codes = Codes(self._structure(saved.structure, size), texture, size)
        photo = None if saved.photo is None else self.pixels(saved.photo, 3)
        if photo is not None and photo.shape[:2] != size:
            raise ValueError("a photo has another size than its codes")
        resized = {
            self._size(one.size): self._structure(one.structure, self._size(one.size))
            for one in saved.resized
        }
        return Held(codes, _thumbnail(saved.thumbnail), photo, is_carried=True, resized=resized)

    def pixels(self, saved: Raster, channels: int) -> NDArray[np.uint8]:
        """Unpack pixels `[H, W]` or `[H, W, 3]`."""
        height, width = self._size(saved.size)
        num_bytes = height * width * channels
        self._num_pixels += num_bytes
        if self._num_pixels > MOST_PIXELS:
            raise ValueError(f"its masks and photos have more than {MOST_PIXELS:,} bytes")
        found = inflated(_bytes(saved.data), num_bytes)
        if len(found) != num_bytes:
            raise ValueError(f"a mask or photo has {len(found):,} bytes in place of {num_bytes:,}")
        rows = np.frombuffer(found, np.uint8).reshape(height, width, *[channels] * (channels > 1))
        return np.add.accumulate(rows, axis=1, dtype=np.uint8)

    def directions(self, saved: Sequence[SavedDirection], fingerprint: str) -> list[Direction]:
        """Read directions, by the rules of files of them."""
        found = tuple(
            Direction(
                one.name,
                one.kind,
                _array(one.vector, one.shape),
                one.sigma,
                one.center,
                one.num_images,
                one.share,
                one.gap,
            )
            for one in saved
        )
        config = self.config
        maker = Maker(config.structure_channels, config.texture_channels, config.stride, fingerprint)
        return list(Directions(found, maker))

    def _size(self, size: Sequence[int]) -> Size:
        if max(size) > self.max_side:
            raise UserError(
                f"this picture was made of images of {size[1]}x{size[0]}; this studio takes up to "
                f"{self.max_side} pixels a side."
            )
        return size[0], size[1]

    def _structure(self, data: str, size: Size) -> Tensor:
        stride = self.config.stride
        places = [max(-(-side // stride) * stride, self.config.min_side) // stride for side in size]
        return _array(data, [1, self.config.structure_channels, *places])


def _bytes(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        raise ValueError("it has parts that are no base64") from None


def _array(data: str, shape: Sequence[int]) -> Tensor:
    """Read float32 numbers of a shape."""
    found = _bytes(data)
    if len(found) != 4 * int(np.prod([int(side) for side in shape], dtype=object)):
        raise ValueError(f"codes have {len(found):,} bytes, which are no {'x'.join(map(str, shape))}")
    numbers = np.frombuffer(found, "<f4").astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError("codes have numbers that are not finite")
    return torch.from_numpy(numbers.reshape(tuple(shape)))


def _thumbnail(data: str) -> bytes:
    """Take a thumbnail as it is, if it is a plain lossy WebP of a size that a page may show."""
    found = _bytes(data)
    is_webp = found[:4] == b"RIFF" and found[8:16] == b"WEBPVP8 " and found[23:26] == b"\x9d\x01\x2a"
    if not is_webp or len(found) < 30 or len(found) > MOST_THUMBNAIL:
        raise ValueError("a thumbnail is none")
    sides = struct.unpack_from("<2H", found, 26)
    if not all(1 <= side & 0x3FFF <= THUMBNAIL_SIDE for side in sides):
        raise ValueError("a thumbnail is too large")
    return found
