"""An endless stream of training images without state: each is a function of (seed, position).

Positions count images from 0 over the whole training; batch k of size b holds positions k·b … k·b + b - 1. So
the number of images seen is all that has to be kept to go on exactly where a training stopped.
"""

from __future__ import annotations

import signal
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from swapae.data.source import Source
from swapae.data.transforms import DataConfig, prepare
from swapae.errors import UserError
from swapae.images import to_array

Purpose = Literal["order", "augmentation"]


class SampleStream(Dataset[Tensor]):
    """The images of a source in an order that is shuffled, endless, and the same for the same seed.

    - Of n images, positions 0 … n-1 show each one once, n … 2n-1 each one once in another order, and so on.
      A batch may lie across such a border, so a set smaller than a batch works as well.
    - A source without end is taken in its own order: image number = position.
    - Crop, zoom and flip at a position come from a random generator of its own.

    Args:
        source: where the images come from.
        config: how they are brought to size.
        stride: the model's; every side is a multiple of it.
        seed: another seed gives another order, other crops and other flips.
    """

    def __init__(self, source: Source, config: DataConfig, stride: int, seed: int) -> None:
        self.source = source
        self.config = config
        self.stride = stride
        self.seed = seed

    def index(self, position: int) -> int:
        """The number, in the source, of the image at a position."""
        num_images = self.source.num_images
        if num_images is None:
            return position
        epoch, place = divmod(position, num_images)
        return int(epoch_order(self.seed, epoch, num_images)[place])

    def images(self, positions: Sequence[int]) -> list[Image.Image]:
        """The prepared RGB pictures at some positions."""
        pictures = self.source.read([self.index(position) for position in positions])
        chances = [generator(self.seed, "augmentation", position) for position in positions]
        return [
            prepare(picture, self.config, self.stride, rng)
            for picture, rng in zip(pictures, chances, strict=True)
        ]

    def __getitem__(self, position: int) -> Tensor:
        """The image at a position, `[3, H, W]` in [-1, 1]."""
        return self.__getitems__([position])[0]

    def __getitems__(self, positions: Sequence[int]) -> list[Tensor]:
        """The images at some positions; the source is asked once for all of them."""
        return [torch.from_numpy(to_array(image)) for image in self.images(positions)]


def generator(seed: int, purpose: Purpose, number: int) -> np.random.Generator:
    """The generator of one epoch or position: Philox keyed by (seed, number), its counter set by purpose."""
    key = np.array([seed % 2**64, number], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, 1 if purpose == "order" else 2]))


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, num_images: int) -> NDArray[np.int64]:
    """The order in which an epoch shows its images, a permutation of 0 … num_images - 1.

    It sorts raw draws, which numpy promises to keep for ever; `Generator.permutation` may change.
    """
    draws = generator(seed, "order", epoch).bit_generator.random_raw(num_images)
    order: NDArray[np.int64] = np.argsort(draws, kind="stable")
    order.setflags(write=False)  # it is shared by all who ask
    return order


def evaluation_images(
    source: Source, config: DataConfig, stride: int, indices: Sequence[int]
) -> list[Image.Image]:
    """The images of these numbers prepared without chance: cut from the middle, not zoomed, not flipped."""
    return [prepare(image, config, stride, None) for image in source.read(indices)]


def to_batch(images: Sequence[Image.Image]) -> Tensor:
    """Stack RGB pictures to `[B, 3, H, W]` in [-1, 1].

    Raises:
        UserError: the pictures differ in size.
    """
    sizes = sorted({image.size for image in images})
    if len(sizes) > 1:
        small, large = (f"{width}x{height}" for width, height in (sizes[0], sizes[-1]))
        raise UserError(
            f"The images of one batch differ in size ({small} and {large}): "
            "set data.crop to random or center, data.preprocess to resize, or the batch size to 1."
        )
    return torch.from_numpy(np.stack([to_array(image) for image in images]))


def loader(
    stream: SampleStream, batch_size: int, start: int, workers: int, places: Sequence[int] | None = None
) -> Iterator[Tensor]:
    """Yield batches `[B, 3, H, W]` without end from position `start` on, the same for any number of workers.

    Files that turn out to be unreadable are added to `stream.source.skipped`, also if a worker met them.

    Args:
        stream: the images.
        batch_size: B.
        start: the number of images seen before.
        workers: processes that read ahead; 0 reads in this one.
        places: which images of each batch to read, from 0 to B - 1, in order; None is all of them.

    Raises:
        UserError: the images of a batch differ in size, none can be read, or a worker died.
    """
    positions = _Positions(batch_size, start, places)
    with closing(_pieces(stream, positions, workers)) as pieces:
        for piece in pieces:
            known = stream.source.skipped
            known.extend(entry for entry in piece.skipped if entry not in known)
            if piece.error is not None:
                raise UserError(piece.error)
            yield to_batch(piece.images)


@dataclass
class _Piece:
    """A batch on its way from a worker: pictures, a quarter of the bytes of floats, or why there are none."""

    images: list[Image.Image]
    skipped: list[tuple[str, str]]
    error: str | None = None


class _Pieces(Dataset[_Piece]):
    def __init__(self, stream: SampleStream) -> None:
        self.stream = stream

    def __getitems__(self, positions: Sequence[int]) -> _Piece:
        skipped = self.stream.source.skipped
        num_known = len(skipped)
        try:
            images = self.stream.images(positions)
        except UserError as error:  # as text, for torch would wrap the exception in the worker's traceback
            return _Piece([], skipped[num_known:], str(error))
        return _Piece(images, skipped[num_known:])


class _Positions:
    """Endless lists of the positions of a batch, or of some places of it."""

    def __init__(self, batch_size: int, start: int, places: Sequence[int] | None) -> None:
        self.batch_size = batch_size
        self.start = start
        self.places = range(batch_size) if places is None else places

    def __iter__(self) -> Iterator[list[int]]:
        first = self.start
        while True:
            yield [first + place for place in self.places]
            first += self.batch_size


def _pieces(stream: SampleStream, positions: _Positions, workers: int) -> Generator[_Piece]:
    try:
        with (
            warnings.catch_warnings()
        ):  # torch warns of more workers than cores, which the user has asked for
            warnings.filterwarnings("ignore", message="This DataLoader will create")
            pieces: Iterator[_Piece] = iter(
                DataLoader(
                    _Pieces(stream),
                    batch_sampler=positions,
                    collate_fn=_unchanged,
                    num_workers=workers,
                    multiprocessing_context="spawn" if workers else None,
                    worker_init_fn=_begin_worker,
                    generator=torch.Generator(),  # else it would draw from torch's global one
                )
            )
        yield from pieces
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        fix = "set data.workers to 0"
        raise UserError(f"A process that reads images died, often for want of memory: {fix}.") from None


def _unchanged(piece: Any) -> Any:
    return piece


def _begin_worker(_: int) -> None:
    """One thread per worker; signals are left to the main process, which ends its workers.

    Schedulers signal every process of a job: the main one, which has a step to finish, still needs this one.
    """
    torch.set_num_threads(1)
    for name in ("SIGINT", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))  # not the first
