"""Codes of images that were encoded before, found again by the images' content."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock
from typing import Literal

import torch
from torch import Tensor

DEFAULT_BYTES = 64 * 2**20  # some 4000 images of 256² at full width
OVERHEAD = 1024  # bytes an entry takes beside its tensors, about

Half = Literal["structure", "texture"]
HALVES: tuple[Half, ...] = ("structure", "texture")
Halves = Mapping[Half, Tensor]  # of one image, each with its batch axis
EncodeMissing = Callable[[Tensor, bool, bool], tuple[Tensor | None, Tensor | None]]


@dataclass(frozen=True)
class CacheStatistics:
    """What a cache was asked, and what it holds.

    Attributes:
        hits: images of which all that was wanted was there.
        misses: images that had to be encoded.
        entries: images of which something is held.
        bytes: that they take.
    """

    hits: int
    misses: int
    entries: int
    bytes: int


class CodesCache:
    """Structure and texture codes of single images, the least recently used given up first.

    Several threads, and several models, may share a cache. What goes in is copied, what comes out is meant to
    be read only; `cached_encode` copies it again. A copied or pickled cache is an empty one of the same size.

    Args:
        max_bytes: that all codes may take; an image whose codes alone take more is not kept.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes={max_bytes} must be 0 or more.")
        self.max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, Halves] = OrderedDict()
        self._bytes = self._hits = self._misses = 0
        self._lock = Lock()

    def find(self, key: Hashable, wanted: tuple[Half, ...]) -> Halves:
        """Give what is held under a key; it is a hit if that is all that is wanted."""
        with self._lock:
            held = self._entries.get(key, {})
            if held:
                self._entries.move_to_end(key)
            if all(half in held for half in wanted):
                self._hits += 1
            else:
                self._misses += 1
            return held

    def keep(self, key: Hashable, halves: Halves) -> None:
        """Hold copies of an image's codes, beside the half that may be held already."""
        copies = {half: code.detach().clone() for half, code in halves.items()}
        with self._lock:
            held = self._entries.pop(key, {})
            self._bytes -= _size(held)
            entry = {**copies, **held}
            if _size(entry) > self.max_bytes:
                return
            self._entries[key] = entry
            self._bytes += _size(entry)
            while self._bytes > self.max_bytes:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= _size(oldest)

    def clear(self) -> None:
        """Forget all codes; hits and misses go on being counted."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def statistics(self) -> CacheStatistics:
        """Tell hits and misses so far, and what is held now."""
        with self._lock:
            return CacheStatistics(self._hits, self._misses, len(self._entries), self._bytes)

    def __reduce__(self) -> tuple[type["CodesCache"], tuple[int]]:
        return CodesCache, (self.max_bytes,)


def cached_encode(
    cache: CodesCache | None,
    weights: Hashable,
    images: Tensor,
    wanted: tuple[Half, ...],
    encode_missing: EncodeMissing,
) -> list[Tensor]:
    """Encode a batch, all images at once that the cache does not know.

    Images elsewhere than on the CPU are not looked up: hashing would have to wait for the device.

    Args:
        cache: None for none.
        weights: all on which codes depend beside the image; taken before anything is encoded.
        images: `[B, 3, H, W]`.
        wanted: the codes to give, in this order.
        encode_missing: `(images, structure, texture)` → both codes, None for what was not asked for.
    """
    if cache is None or images.device.type != "cpu" or not len(images):
        fresh = _encode(encode_missing, images, wanted)
        return [fresh[half] for half in wanted]
    keys = [(weights, content_hash(image)) for image in images]
    first = {key: keys.index(key) for key in dict.fromkeys(keys)}  # equal images are encoded once
    held = {key: dict(cache.find(key, wanted)) for key in first}
    missing = [key for key, found in held.items() if not found.keys() >= set(wanted)]
    if missing:
        lacking = tuple(half for half in wanted if any(half not in held[key] for key in missing))
        rest = images if len(missing) == len(keys) else images[[first[key] for key in missing]]
        fresh = _encode(encode_missing, rest, lacking)
        for place, key in enumerate(missing):
            new = {half: codes[place : place + 1] for half, codes in fresh.items() if half not in held[key]}
            cache.keep(key, new)
            held[key].update(new)
    return [torch.cat([held[key][half] for key in keys]) for half in wanted]


def content_hash(image: Tensor) -> bytes:
    """Hash the numbers of a tensor on the CPU, their type and the tensor's shape."""
    hasher = blake2b(f"{image.dtype} {list(image.shape)} ".encode(), digest_size=20)
    hasher.update(image.detach().contiguous().view(torch.uint8).numpy().data)
    return hasher.digest()


def autocast_type(device: torch.device) -> torch.dtype | None:
    """Name the numbers that autocast would compute in, None where it is off: other numbers, other codes."""
    if not torch.amp.is_autocast_available(device.type) or not torch.is_autocast_enabled(device.type):
        return None
    return torch.get_autocast_dtype(device.type)


def _encode(encode_missing: EncodeMissing, images: Tensor, wanted: tuple[Half, ...]) -> dict[Half, Tensor]:
    structure, texture = encode_missing(images, "structure" in wanted, "texture" in wanted)
    codes: dict[Half, Tensor | None] = {"structure": structure, "texture": texture}
    return {half: code for half, code in codes.items() if code is not None}


def _size(halves: Halves) -> int:
    return sum(code.nbytes for code in halves.values()) + OVERHEAD if halves else 0
