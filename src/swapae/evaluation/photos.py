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
from swapae.metrics.answers import TRIVIAL, TRIVIAL_RECONSTRUCTIONS
from swapae.metrics.collectors import Batch, Collector, pool
from swapae.metrics.loaders import Nets
from swapae.metrics.memory import Memory
from swapae.metrics.pairs import PairList, images_of
from swapae.metrics.processes import ALONE, Processes, done_by_all, first_of, share, together
from swapae.metrics.table import METRICS, Choice, start
from swapae.model import SwappingAutoencoder

CENTER_SQUARE = DataConfig(preprocess="none", crop="square", flip=False)

ROOM = 256 * 2**20  # bytes, for images that were read: a pair asks for them again

Progress = Callable[[str, int, int], None]
Collected = Callable[[Sequence[Collector]], None]

WITHOUT_CODES = (
    "structure",
    "texture",
    "hybrid",
)  # of a pair, what a system can be measured by that has none


@dataclass
class Photos:
    """The usable images of a source: each one's largest centre square, at size × size.

    - source: where they come from.
    - size: their side in pixels.
    - numbers: of the usable ones in the source; all until they are looked at.
    - unreadable: paths of images that could not be used.
    - known: images that were read, by number.
    - memory: what nets made of them; the next model that is measured on the same photos has it too.
    """

    source: Source
    size: int
    numbers: list[int]
    unreadable: list[str] = field(default_factory=list)
    known: dict[int, Tensor] = field(default_factory=dict, repr=False)
    memory: Memory = field(default_factory=Memory, repr=False)

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
        """An image `[3, size, size]` in [-1, 1]; None if it cannot be read. Kept while there is room."""
        if number not in self.known:
            image = self._read(number)
            if image is None or len(self.known) * image.nbytes >= ROOM:
                return image
            self.known[number] = image
        return self.known[number]

    def _read(self, number: int) -> Tensor | None:
        """Read it; a training would be given the next one that can be, which must not count twice here."""
        skipped = self.source.skipped
        before = len(skipped)
        (picture,) = self.source.read([number])
        if len(skipped) > before:
            self.unreadable.append(skipped[before][0])
            del skipped[before:]  # the next ones too may be among them, and are still to be asked for
            return None
        square = prepare(picture, CENTER_SQUARE, stride=1, rng=None)
        return torch.from_numpy(to_array(resize(square, (self.size, self.size))))

    def stack(self, numbers: Sequence[int]) -> Tensor:
        """Usable images by their numbers `[B, 3, size, size]`."""
        images = [self.read(number) for number in numbers]
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
    processes: Processes = ALONE,
    has_answers: bool = True,
    collected: Collected = lambda collectors: None,
) -> tuple[Report, PairList]:
    """Measure a model, and beside it the trivial answers.

    Args:
        model: what is measured.
        photos: the images; `numbers` is left with the usable ones.
        choices: the metrics.
        nets: the measuring nets.
        pairs: gives the pairs, of the number of usable images.
        batch: images, or pairs, at a time.
        progress: is told what is done, how many, and of how many.
        processes: that share the work; each gets the report, and is given the same.
        has_answers: whether the trivial answers are measured too.
        collected: is given the collectors of the model in the end: what they keep of single images and pairs.

    Raises:
        UserError: a net is missing, or there are too few images.
        ValueError: the images are too small for a net, or too few for a metric.
    """
    swaps = [choice for choice in choices if METRICS[choice[0]].of == "swap"]
    mine, others = start(choices, nets), _answers(choices, nets) if has_answers else {}
    everyone = [*mine, *(collector for found in others.values() for collector in found)]

    def measure(seen: Batch) -> None:
        _update(mine, seen)
        for name, collectors in others.items():
            _update(collectors, _answered(name, seen))

    codes = _reconstruct(model, photos, measure, batch, processes, progress)
    drawn = pairs(len(photos.numbers))
    if drawn.num_images != len(photos.numbers):
        raise UserError(
            f"the list of pairs is for {drawn.num_images} images, but {len(photos.numbers)} are usable here."
        )

    def swap_all() -> None:
        for seen, places in _swapped(model, photos, codes, drawn, batch, processes):
            measure(seen)
            progress("pairs", done_by_all(places, len(drawn), batch, processes), len(drawn))

    if swaps:
        codes.bring([photos.numbers[place] for place in images_of(drawn.pairs)], processes)
        together(processes, swap_all)
    head: Report = {
        "data": photos.source.name,
        "images": len(photos.numbers),
        "unreadable": [path for path, _ in photos.source.skipped] + photos.unreadable,
        "size": photos.size,
        "pairs": len(drawn) if swaps else 0,
        "seed": drawn.seed,
    }
    pool(everyone, processes)
    collected(mine)
    return first_of(processes, lambda: assembled(head, mine, others)), drawn


class Kept:
    """Codes of images by number: of those that this process has encoded, or that were brought to it."""

    def __init__(self) -> None:
        self.parts: list[Codes] = []
        self.row_of: dict[int, int] = {}  # in all parts together

    def add(self, numbers: Sequence[int], codes: Codes) -> None:
        """Keep the codes of some images."""
        self.row_of |= {number: len(self.row_of) + i for i, number in enumerate(numbers)}
        self.parts.append(codes)

    def of(self, numbers: Sequence[int]) -> Codes:
        """Give the codes of images, in the order of their numbers here."""
        self.parts = [Codes.cat(self.parts)]
        rows = torch.tensor([self.row_of[number] for number in numbers])
        return Codes(self.parts[0].structure[rows], self.parts[0].texture[rows], self.parts[0].size)

    def bring(self, numbers: Sequence[int], processes: Processes) -> None:
        """Bring codes here that other processes have; all call it, and each gives what it has of them."""
        if processes.num_processes == 1:
            return
        own = [number for number in numbers if number in self.row_of]
        given = [(own, self.of(own).to("cpu"))] if own else []
        self.parts, self.row_of = [], {}
        for theirs, codes in processes.gather(given):
            self.add(theirs, codes)


def _reconstruct(
    model: SwappingAutoencoder,
    photos: Photos,
    measure: Callable[[Batch], None],
    batch: int,
    processes: Processes,
    progress: Progress,
) -> Kept:
    """Go through all images once, each process through its share; leave the usable ones, give their codes."""
    kept, count, known = Kept(), len(photos.numbers), list(photos.unreadable)

    def encode_all() -> tuple[list[int], list[tuple[int, str]]]:
        unreadable: list[tuple[int, str]] = []
        for places in share(count, batch, processes):
            read = {number: photos.read(number) for number in photos.numbers[places.start : places.stop]}
            numbers = [number for number, image in read.items() if image is not None]
            paths = photos.unreadable[len(known) + len(unreadable) :]
            unreadable += zip([number for number in read if number not in numbers], paths, strict=True)
            if numbers:
                images = torch.stack([image for image in read.values() if image is not None])
                codes = model.encode(images)
                made = model.decode(codes).clamp(-1, 1).float().cpu()
                kept.add(numbers, codes)
                roles, own = {"photo": images, "reconstruction": made}, torch.tensor(numbers)
                measure(Batch(own, roles, photos={"photo": own}, memory=photos.memory))
            progress("images", done_by_all(places, count, batch, processes), count)
        return list(kept.row_of), unreadable

    everyone = together(processes, encode_all)
    photos.numbers = sorted(number for usable, _ in everyone for number in usable)
    photos.unreadable = known + [path for _, path in sorted(entry for _, lost in everyone for entry in lost)]
    if not photos.numbers:
        raise UserError(f"{photos.source.name} has no image that can be read.")
    return kept


def _swapped(
    model: SwappingAutoencoder,
    photos: Photos,
    codes: Kept,
    pairs: PairList,
    batch: int,
    processes: Processes,
) -> Iterator[tuple[Batch, range]]:
    for places in share(len(pairs), batch, processes):
        rows = pairs.pairs[places.start : places.stop]
        own, other = ([photos.numbers[place] for place in side] for side in zip(*rows, strict=True))
        structure, texture = codes.of(own), codes.of(other)
        hybrid, unswapped = (
            model.decode(paired(structure, side.texture)).clamp(-1, 1).float().cpu()
            for side in (texture, structure)
        )
        change = (texture.texture - structure.texture).float().flatten(1).norm(dim=1).cpu()
        images = {
            "structure": photos.stack(own),
            "texture": photos.stack(other),
            "hybrid": hybrid,
            "unswapped": unswapped,
            "texture_change": change,
        }
        shown = {"structure": torch.tensor(own), "texture": torch.tensor(other)}
        yield Batch(torch.tensor(places), images, photos=shown, memory=photos.memory), places


def _answers(choices: Sequence[Choice], nets: Nets) -> dict[str, list[Collector]]:
    """Collectors for the trivial answers: of swaps, and of reconstructions."""
    found: dict[str, list[Collector]] = {}
    for of, names in (("swap", TRIVIAL), ("reconstruction", TRIVIAL_RECONSTRUCTIONS)):
        asked = [choice for choice in choices if METRICS[choice[0]].of == of]
        found |= {name: start(asked, nets) for name in names} if asked else {}
    return found


def _answered(name: str, seen: Batch) -> Batch:
    """The batch as if a trivial answer had made its outputs, which has no codes to be measured by."""
    if "photo" in seen.images:
        make = TRIVIAL_RECONSTRUCTIONS.get(name)
        return seen.replaced(reconstruction=make(seen.images["photo"])) if make else seen.only(["photo"])
    swap = TRIVIAL.get(name)
    made = {"hybrid": swap(seen.images["structure"], seen.images["texture"])} if swap else {}
    return seen.replaced(**made).only(WITHOUT_CODES)


def _update(collectors: Sequence[Collector], batch: Batch) -> None:
    for collector in collectors:
        collector.update(batch)
