"""A model on a set of images: how well it reconstructs all of them and swaps pairs (docs/metrics.md)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from swapae.codes import Codes, paired
from swapae.data.source import Source
from swapae.data.transforms import DataConfig, prepare
from swapae.errors import UserError
from swapae.evaluation.report import Report, assembled
from swapae.images import resize, to_array
from swapae.metrics.answers import TRIVIAL
from swapae.metrics.collectors import Batch, Collector
from swapae.metrics.loaders import Nets
from swapae.metrics.pairs import PairList
from swapae.metrics.table import METRICS, Choice, start
from swapae.model import SwappingAutoencoder

CENTER_SQUARE = DataConfig(preprocess="none", crop="square", flip=False)

Progress = Callable[[str, int, int], None]
Kept = Callable[[Sequence[Collector]], None]


@dataclass
class Photos:
    """The usable images of a source: each one's largest centre square, at size × size.

    - source: where they come from.
    - size: their side in pixels.
    - numbers: of the usable ones in the source; all until they are looked at.
    - unreadable: paths of images that could not be used.
    """

    source: Source
    size: int
    numbers: list[int]
    unreadable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, source: Source, size: int, most: int | None = None) -> "Photos":
        """All images of a source, or the first `most` of one that has no end.

        Raises:
            UserError: the source has no end, and `most` is not given.
        """
        count = source.num_images if source.num_images is not None else most
        if count is None:
            raise UserError(f"{source.name} has no end: it cannot be measured whole.")
        return cls(source, size, list(range(count)))

    def read(self, number: int) -> Tensor | None:
        """An image `[3, size, size]` in [-1, 1]; None if it cannot be read.

        A training would be given the next one that can, which must not count twice here.
        """
        skipped = self.source.skipped
        before = len(skipped)
        (picture,) = self.source.read([number])
        if len(skipped) > before:
            self.unreadable.append(skipped[before][0])
            del skipped[before:]  # the next ones too may be among them, and are still to be asked for
            return None
        square = prepare(picture, CENTER_SQUARE, stride=1, rng=None)
        return torch.from_numpy(to_array(resize(square, (self.size, self.size))))

    def name(self, place: int) -> str:
        """What people know a usable image by."""
        return self.source.name_of(self.numbers[place])

    def stack(self, places: Sequence[int]) -> Tensor:
        """Usable images by their places among the usable `[B, 3, size, size]`."""
        images = [self.read(self.numbers[place]) for place in places]
        assert all(image is not None for image in images), "a usable image became unreadable"
        return torch.stack([image for image in images if image is not None])


def evaluate(
    model: SwappingAutoencoder,
    photos: Photos,
    choices: Sequence[Choice],
    nets: Nets,
    pairs: Callable[[int], PairList],
    *,
    batch: int = 32,
    progress: Progress = lambda what, done, of: None,
    kept: Kept = lambda collectors: None,
) -> tuple[Report, PairList]:
    """Measure a model, and beside its swaps the trivial answers.

    Args:
        model: what is measured.
        photos: the images; `numbers` is left with the usable ones.
        choices: the metrics.
        nets: the measuring nets.
        pairs: gives the pairs, of the number of usable images.
        batch: images, or pairs, at a time.
        progress: is told what is done, how many, and of how many.
        kept: is given the collectors of the model in the end: what they keep of single images and pairs.

    Raises:
        UserError: a net is missing, or there are too few images.
    """
    swaps = [choice for choice in choices if METRICS[choice[0]].of == "swap"]
    mine = start(choices, nets)
    others = {name: start(swaps, nets) for name in TRIVIAL} if swaps else {}
    everyone = [*mine, *(collector for found in others.values() for collector in found)]
    codes = _reconstruct(model, photos, everyone, batch, progress)
    drawn = pairs(len(photos.numbers))
    if drawn.num_images != len(photos.numbers):
        raise UserError(
            f"the list of pairs is for {drawn.num_images} images, but {len(photos.numbers)} are usable here."
        )
    for done, seen in enumerate(_swapped(model, photos, codes, drawn, batch) if swaps else ()):
        _update(mine, seen)
        for name, collectors in others.items():
            hybrid = TRIVIAL[name](seen.images["structure"], seen.images["texture"])
            _update(collectors, _without_codes(seen.replaced(hybrid=hybrid)))
        progress("pairs", min((done + 1) * batch, len(drawn)), len(drawn))
    kept(mine)
    head: Report = {
        "data": photos.source.name,
        "images": len(photos.numbers),
        "unreadable": [path for path, _ in photos.source.skipped] + photos.unreadable,
        "size": photos.size,
        "pairs": len(drawn) if swaps else 0,
        "seed": drawn.seed,
    }
    return assembled(head, mine, others), drawn


def _reconstruct(
    model: SwappingAutoencoder,
    photos: Photos,
    collectors: Sequence[Collector],
    batch: int,
    progress: Progress,
) -> Codes:
    """Go through all images once; leave the usable ones, and return their codes."""
    usable: list[int] = []
    codes: list[Codes] = []
    for images, numbers in _readable(photos, batch):
        codes.append(model.encode(images))
        made = model.decode(codes[-1]).clamp(-1, 1).float().cpu()
        places = torch.arange(len(usable), len(usable) + len(numbers))
        usable += numbers
        _update(collectors, Batch(places, {"photo": images, "reconstruction": made}))
        progress("images", len(usable), len(photos.numbers))
    if not usable:
        raise UserError(f"{photos.source.name} has no image that can be read.")
    photos.numbers = usable
    return Codes.cat(codes)


def _readable(photos: Photos, batch: int) -> Iterator[tuple[Tensor, list[int]]]:
    images: list[Tensor] = []
    numbers: list[int] = []
    for number in photos.numbers:
        image = photos.read(number)
        if image is not None:
            images.append(image)
            numbers.append(number)
        if len(images) == batch:
            yield torch.stack(images), numbers
            images, numbers = [], []
    if images:
        yield torch.stack(images), numbers


def _swapped(
    model: SwappingAutoencoder, photos: Photos, codes: Codes, pairs: PairList, batch: int
) -> Iterator[Batch]:
    for first in range(0, len(pairs), batch):
        rows = pairs.pairs[first : first + batch]
        own, other = (torch.tensor(side) for side in zip(*rows, strict=True))
        structure = Codes(codes.structure[own], codes.texture[own], codes.size)
        made = [model.decode(paired(structure, codes.texture[side])) for side in (other, own)]
        hybrid, unswapped = (images.clamp(-1, 1).float().cpu() for images in made)
        change = (codes.texture[other] - codes.texture[own]).float().flatten(1).norm(dim=1).cpu()
        images = {
            "structure": photos.stack(own.tolist()),
            "texture": photos.stack(other.tolist()),
            "hybrid": hybrid,
            "unswapped": unswapped,
            "texture_change": change,
        }
        yield Batch(torch.arange(first, first + len(rows)), images)


def _without_codes(batch: Batch) -> Batch:
    """What a system without codes can be measured by."""
    kept = {role: batch.images[role] for role in ("structure", "texture", "hybrid")}
    return Batch(batch.numbers, kept, batch.known)


def _update(collectors: Sequence[Collector], batch: Batch) -> None:
    for collector in collectors:
        collector.update(batch)
