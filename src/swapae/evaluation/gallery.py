"""Pairs and reconstructions to look at: the best, the median and the worst, made again one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from swapae.cards.figures import number
from swapae.evaluation.figures import about
from swapae.evaluation.singles import EACH, OfOne, ranking
from swapae.images import encode_image, resize, to_pil
from swapae.pages.shell import data_uri

MAX_SIDE = 512  # pixels; larger pictures are shrunk
LOSSLESS_SIDE = 128  # pixels; up to here pictures are kept to the bit
QUALITY = 92  # of WebP

Pictures = dict[str, Tensor]  # caption → [3, H, W] in [-1, 1]
Made = tuple[str, str, Pictures]  # name, detail


@dataclass(frozen=True)
class Case:
    """A pair or an image, with what was made of it.

    - name: what it is called.
    - detail: more about it, if there is more.
    - pictures: by caption, as addresses that hold them.
    - figures: its own, by name.
    """

    name: str
    detail: str
    pictures: Mapping[str, str]
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Section:
    """Cases in groups.

    - title: of what they are.
    - note: in which order, in sentences.
    - figure: by which; empty if none.
    - groups: by name, best first.
    """

    title: str
    note: str
    figure: str
    groups: Mapping[str, list[Case]]


def section(
    title: str, what: str, figures: OfOne, numbers: Sequence[int], make: Callable[[int], Made]
) -> Section:
    """Make a section; only what it shows is made.

    Args:
        title: of the section.
        what: the cases are called, in the plural.
        figures: of the single cases.
        numbers: of all cases, in the order of their list.
        make: name, detail and pictures of the case of a number.
    """

    def case(place: int) -> Case:
        name, detail, pictures = make(place)
        own = {figure: values[place] for figure, values in figures.items() if place in values}
        return Case(name, detail, {caption: address(picture) for caption, picture in pictures.items()}, own)

    if not numbers:
        return Section(title, f"There are no {what}.", "", {})
    ranks = ranking(figures)
    if ranks is None:
        note = f"No metric that looks at single {what} was chosen: these are the first of the list."
        return Section(title, note, "", {"first": [case(place) for place in numbers[: 3 * EACH]]})
    values = [ranks.values[one] for one in ranks.numbers]
    best, median, worst = (number(value) for value in (values[0], values[len(values) // 2], values[-1]))
    says, better = about(ranks.figure).says, "low" if ranks.is_low_better else "high"
    note = (
        f"{len(values):,} {what} in the order of {ranks.figure} ({says}; {better} is better): "
        f"the best has {best}, the median {median}, the worst {worst}."
    )
    groups = {name: [case(place) for place in places] for name, places in ranks.picked().items()}
    return Section(title, note, ranks.figure, groups)


def address(image: Tensor) -> str:
    """Put an image `[3, H, W]` in [-1, 1] into an address: as it is if it is small, else as a good WebP."""
    picture = to_pil(image.clamp(-1, 1).float().cpu().numpy())
    longest = max(picture.size)
    if longest > MAX_SIDE:
        width, height = (max(1, round(side * MAX_SIDE / longest)) for side in picture.size)
        picture = resize(picture, (width, height))
    kind = "PNG" if longest <= LOSSLESS_SIDE else "WEBP"
    return data_uri(encode_image(picture, kind, QUALITY, "a picture"), kind.lower())
