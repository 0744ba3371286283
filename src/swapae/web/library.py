"""What the studio holds: images as codes, and masks; bounded in bytes, least recently used out first."""

import hashlib
import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from swapae.codes import Codes
from swapae.errors import UserError
from swapae.web.errors import UnknownId

Size = tuple[int, int]  # height, width
T = TypeVar("T")
MEGABYTE = 2**20
ENTRY = 4096  # bytes that anything held counts for beside its numbers: what is tiny is not free


@dataclass
class Held:
    """An image.

    Attributes:
        codes: of a batch of 1, float32, on the CPU.
        thumbnail: WebP.
        photo: its pixels, uint8 `[H, W, 3]`; None of one that only has codes, or lost them to newer ones.
        title: what it shows.
        shrunk: it was larger when it came in.
        stays: it is of the gallery and never leaves.
        is_carried: a saved picture brought it along: its codes are those of its id, its photo and thumbnail
            whatever the maker of that picture put there.
        resized: structures of the photo at other sizes, `[1, C, h, w]`, for mixes with images of those.
    """

    codes: Codes
    thumbnail: bytes
    photo: NDArray[np.uint8] | None = None
    title: str = ""
    shrunk: bool = False
    stays: bool = False
    is_carried: bool = False
    resized: dict[Size, Tensor] = field(default_factory=dict)

    @property
    def num_bytes(self) -> int:
        """What it takes."""
        tensors = self.codes.structure, self.codes.texture, *self.resized.values()
        photo = 0 if self.photo is None else self.photo.nbytes
        return ENTRY + sum(tensor.nbytes for tensor in tensors) + len(self.thumbnail) + photo


@dataclass
class Mask:
    """A region: uint8 `[H, W]`, 255 is inside."""

    pixels: NDArray[np.uint8]
    stays = False

    @property
    def num_bytes(self) -> int:
        """What it takes."""
        return ENTRY + self.pixels.nbytes


class Library:
    """Images and masks by id.

    Where room is wanted the photos of the least recently used images go first, which can be edited on without
    them, then images and masks as a whole. What is of the gallery stays, and does not count.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._all: OrderedDict[str, Held | Mask] = OrderedDict()  # the least recently used first

    def add(self, *items: Held | Mask) -> list[str]:
        """Take some in, all or none, and give their ids; one that is there already gains what is new of it.

        Raises:
            UserError: they alone are larger than all there is room for.
        """
        ids = [id_of(item) for item in items]
        merged = {key: _joined(self._all.get(key), item) for key, item in zip(ids, items, strict=True)}
        needed = sum(item.num_bytes for item in merged.values() if not item.stays)
        if needed > self.max_bytes:
            raise UserError(
                f"there is room for {self.max_bytes / MEGABYTE:.1f} MB of images, and this takes "
                f"{needed / MEGABYTE:.1f}: make it smaller first."
            )
        for key, item in merged.items():
            self._all[key] = item
            self._all.move_to_end(key)
        self._make_room(len(merged))
        return ids

    def image(self, id: str) -> Held:
        """Give an image.

        Raises:
            UnknownId: it is not there, or not any more.
        """
        return self._found(id, Held, "image")

    def mask(self, id: str) -> Mask:
        """Give a mask.

        Raises:
            UnknownId: it is not there, or not any more.
        """
        return self._found(id, Mask, "mask")

    def forget(self, id: str) -> None:
        """Drop an image or a mask.

        Raises:
            UnknownId: it is not there.
            UserError: it is of the gallery.
        """
        found = self._all.get(id)
        if found is None:
            raise UnknownId(id, f"there is nothing of the id {id[:12]}… to be removed.")
        if found.stays:
            raise UserError("the gallery's images stay.")
        del self._all[id]

    def grown(self, id: str) -> None:
        """Hear that an image takes more now than before."""
        self._all.move_to_end(id)
        self._make_room(1)

    def _make_room(self, num_newest: int) -> None:
        """Drop what is too much; the newest stay whole."""
        excess = self.num_bytes - self.max_bytes
        for drop in (_photo_dropped, _all_dropped):
            for key in list(self._all)[:-num_newest]:
                if excess <= 0:
                    return
                item = self._all[key]
                if item.stays:
                    continue
                rest = drop(item)
                excess -= item.num_bytes - (rest.num_bytes if rest else 0)
                if rest is None:
                    del self._all[key]
                else:
                    self._all[key] = rest

    @property
    def num_bytes(self) -> int:
        """What all takes that may leave."""
        return sum(item.num_bytes for item in self._all.values() if not item.stays)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __contains__(self, id: str) -> bool:
        return id in self._all

    def _found(self, id: str, kind: type[T], what: str) -> T:
        found = self._all.get(id)
        if not isinstance(found, kind):
            raise UnknownId(id, f"the {what} {id[:12]}… is not here any more: add it again.")
        self._all.move_to_end(id)
        return found


class Recent(Generic[T]):
    """What was computed lately, by what it was computed from; bounded in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._num_bytes = 0
        self._all: OrderedDict[object, tuple[T, int]] = OrderedDict()

    def get(self, key: object) -> T | None:
        """Give what was kept under a key, if it is there."""
        if key not in self._all:
            return None
        self._all.move_to_end(key)
        return self._all[key][0]

    def keep(self, key: object, value: T, num_bytes: int) -> T:
        """Keep a value, if it has room, and give it back."""
        num_bytes += ENTRY
        if key not in self._all and num_bytes <= self.max_bytes:
            self._all[key] = value, num_bytes
            self._num_bytes += num_bytes
            while self._num_bytes > self.max_bytes:
                _, (_, freed) = self._all.popitem(last=False)
                self._num_bytes -= freed
        return value

    def clear(self) -> None:
        """Forget all."""
        self._all.clear()
        self._num_bytes = 0


def id_of(item: Held | Mask) -> str:
    """Make an id: SHA-256 of an image's codes and size, or of a mask's pixels."""
    if isinstance(item, Mask):
        return _digest(b"mask", item.pixels)
    codes = item.codes
    arrays = (part.detach().cpu().float().contiguous().numpy() for part in (codes.structure, codes.texture))
    return _digest(b"codes" + struct.pack("<2I", *codes.size), *arrays)


def _digest(start: bytes, *arrays: NDArray[np.generic]) -> str:
    hasher = hashlib.sha256(b"swapae " + start)
    for array in arrays:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        hasher.update(struct.pack(f"<{array.ndim + 1}I", array.ndim, *array.shape))
        hasher.update(little.data)
    return hasher.hexdigest()


def _joined(old: Held | Mask | None, new: Held | Mask) -> Held | Mask:
    """Put together what is known of one image; what a picture carried fills gaps, and replaces nothing."""
    if not isinstance(old, Held) or not isinstance(new, Held):
        return new
    if new.is_carried:
        return (
            old if old.photo is not None else replace(old, photo=new.photo, resized=new.resized | old.resized)
        )
    if new.photo is None:
        return replace(old, stays=old.stays or new.stays, title=old.title or new.title)
    return replace(
        new,
        shrunk=old.shrunk or new.shrunk,
        stays=old.stays or new.stays,
        title=old.title or new.title,
    )


def _photo_dropped(item: Held | Mask) -> Held | Mask:
    return replace(item, photo=None) if isinstance(item, Held) else item


def _all_dropped(_: Held | Mask) -> None:
    return None
