"""What the page of an evaluation shows of a set of images, and of the synthetic benchmark."""

from collections.abc import Callable, Sequence

from torch import Tensor

from swapae.codes import Codes
from swapae.data.synthetic.sample import Split
from swapae.evaluation.gallery import Made, Section, section
from swapae.evaluation.photos import Photos
from swapae.evaluation.singles import Singles
from swapae.evaluation.synthetic import System, answer, batches
from swapae.metrics.pairs import PairList
from swapae.model import SwappingAutoencoder

SWAPS, RECONSTRUCTIONS = ("Swaps", "pairs"), ("Reconstructions", "reconstructions")

Maker = Callable[[int], Made]


def of_photos(model: SwappingAutoencoder, photos: Photos, pairs: PairList, singles: Singles) -> list[Section]:
    """Pairs and reconstructions of a set of images, as `evaluate` left it."""

    def pair(number: int) -> Made:
        own, other = (photos.numbers[place] for place in pairs.pairs[number])
        images = photos.stack([own, other])
        codes = model.encode(images)
        hybrid = model.decode(Codes(codes.structure[:1], codes.texture[1:], codes.size))
        detail = f"{photos.source.name_of(own)} in the texture of {photos.source.name_of(other)}"
        return f"Pair {number}", detail, {"structure": images[0], "texture": images[1], "hybrid": hybrid[0]}

    def reconstruction(number: int) -> Made:
        images = photos.stack([number])
        made = model.decode(model.encode(images))
        pictures = {"image": images[0], "reconstruction": made[0]}
        return f"Image {number}", photos.source.name_of(number), pictures

    return _sections(singles, len(pairs), photos.numbers, pair, reconstruction)


def of_synthetic(
    system: System, num_pairs: int, seed: int, split: Split, size: int, singles: Singles
) -> list[Section]:
    """Pairs beside their true swaps, and reconstructions where the system makes them."""

    def made(number: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        (seen,) = batches([number], seed, split, size, 1)
        answers = answer(system, seen)
        return {role: images[0] for role, images in seen.images.items()}, {
            role: images[0] for role, images in answers.items()
        }

    def pair(number: int) -> Made:
        seen, answers = made(number)
        pictures = {"structure": seen["structure"], "texture": seen["texture"]}
        pictures |= {"hybrid": answers["hybrid"], "true swap": seen["truth"]}
        return f"Pair {number}", "", pictures

    def reconstruction(number: int) -> Made:
        seen, answers = made(number)
        pictures = {"image": seen["structure"], "reconstruction": answers["reconstruction"]}
        return f"Structure image of pair {number}", "", pictures

    made_of = range(num_pairs if singles.reconstructions else 0)
    return _sections(singles, num_pairs, made_of, pair, reconstruction)


def _sections(
    singles: Singles, num_pairs: int, images: Sequence[int], pair: Maker, reconstruction: Maker
) -> list[Section]:
    swaps = section(*SWAPS, singles.swaps, range(num_pairs), pair)
    return [swaps, section(*RECONSTRUCTIONS, singles.reconstructions, images, reconstruction)]
