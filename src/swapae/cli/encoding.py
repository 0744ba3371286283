"""Codes of sets of images, a batch after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from swapae import box
from swapae.cli.common import Report, Running
from swapae.codes import Codes
from swapae.data.open import open_source
from swapae.data.stream import epoch_order
from swapae.errors import UserError
from swapae.evaluation.photos import Photos
from swapae.locate import find_weights
from swapae.model import WEIGHTS_FILE, SwappingAutoencoder

USUAL_SIZE = 256
SAY_EVERY = 500  # images


@dataclass
class Encoding:
    """A model that encodes sets of images, and what it met.

    - model: keeps no codes: no image comes twice.
    - size: of the centre squares, in pixels.
    - batch: images at a time.
    - most: images of a set; of a larger one as many by chance, always the same.
    - common: options, for what is said.
    """

    model: SwappingAutoencoder
    size: int
    batch: int
    most: int
    common: Running
    counts: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, name: str, size: int | None, batch: int, most: int, common: Running) -> "Encoding":
        """Load a model."""
        model = SwappingAutoencoder.from_pretrained(name, device=common.device, backend=common.backend)
        model.codes_cache = None
        return cls(model, size or trained_size(name), batch, most, common)

    def of(self, data: str) -> Iterator[Codes]:
        """Encode the images of a set.

        Raises:
            UserError: there is no such set, or none of it can be read.
        """
        photos = Photos.of(open_source(data, resolution=self.size), self.size, self.most)
        numbers = self._chosen(photos.numbers)
        if len(numbers) < self.most:
            self.common.say(f"{data} has {len(numbers):,} images, fewer than {self.most:,}: all are taken")
        self.counts[data] = 0
        for start in range(0, len(numbers), self.batch):
            images = self._read(photos, numbers[start : start + self.batch])
            if images:
                yield self.model.encode(torch.stack(images)).to("cpu")
            self._count(data, len(images), len(numbers))
        skipped = [path for path, _ in photos.source.skipped]
        self.unreadable += [*skipped, *photos.unreadable]
        if not self.counts[data]:
            raise UserError(f"none of the images in {data} can be read.")

    def report(self) -> Report:
        """What was encoded, for `--json`."""
        return {"images": self.counts, "unreadable": self.unreadable, "size": self.size}

    def _chosen(self, numbers: Sequence[int]) -> list[int]:
        """Choose images at random where there are too many; in their order, for sets are read fastest so."""
        if len(numbers) <= self.most:
            return list(numbers)
        return sorted(epoch_order(0, 0, len(numbers))[: self.most].tolist())

    @staticmethod
    def _read(photos: Photos, numbers: Sequence[int]) -> list[Tensor]:
        found = [image for image in map(photos.read, numbers) if image is not None]
        photos.known.clear()  # none is asked for again
        return found

    def _count(self, data: str, num: int, of: int) -> None:
        before = self.counts[data]
        self.counts[data] = before + num
        if before // SAY_EVERY != (before + num) // SAY_EVERY:
            self.common.say(f"{before + num:,} of {of:,} images")


def trained_size(name: str) -> int:
    """Tell the side of the images a model was trained on, where that is written down; else 256."""
    return box.image_size(find_weights(name, WEIGHTS_FILE).parent) or USUAL_SIZE
