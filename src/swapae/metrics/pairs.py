"""Lists of pairs: which image gives the structure and which the texture; drawn by a seed, saved, read again.

The pairs of the article were never published (model-spec §11.5). Here a list is a pure function of the seed
and of the number of images, and a file of it keeps results comparable.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from swapae.errors import UserError
from swapae.files import check_free, shown, write_text

FORMAT = "swapae.pairs/1"


@dataclass(frozen=True)
class PairList:
    """Pairs (structure, texture) of numbers of images.

    - data: what the images are called.
    - num_images: how many there were to draw from.
    - seed: what the list was drawn by; None if it was not.
    - pairs: the numbers.
    """

    data: str
    num_images: int
    seed: int | None
    pairs: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.pairs)

    @classmethod
    def draw(cls, data: str, num_images: int, num_pairs: int, seed: int = 0) -> Self:
        """Draw pairs of two different images, each image as likely as any; pairs may come twice.

        A pair depends on the seed, its place in the list and `num_images`: a longer list begins as a shorter.

        Raises:
            UserError: there are fewer than two images, or fewer than one pair.
        """
        if num_images < 2:
            raise UserError(f"{shown(data)} has {num_images} image(s): pairs need two or more.")
        if num_pairs < 1:
            raise UserError(f"--pairs must be 1 or more, not {num_pairs}.")
        pairs = tuple(_pair(seed, place, num_images) for place in range(num_pairs))
        return cls(data, num_images, seed, pairs)

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the list as JSON, whole or not at all.

        Raises:
            UserError: the file exists and not `force`, or cannot be written.
        """
        check_free(Path(path), force)
        head = {"format": FORMAT, "data": self.data, "num_images": self.num_images, "seed": self.seed}
        rows = ",\n".join(f"  [{a}, {b}]" for a, b in self.pairs)
        lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items())
        write_text(Path(path), f'{{\n{lines},\n "pairs": [\n{rows}\n ]\n}}\n')

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a list.

        Raises:
            UserError: there is none at the path, or it names images that it says are not there.
        """
        try:
            found = json.loads(Path(path).read_text("utf-8"))
            if found["format"] != FORMAT:
                raise ValueError(f"its format is {found['format']!r}, not {FORMAT!r}")
            pairs = tuple((_index(a), _index(b)) for a, b in found["pairs"])
            made = cls(str(found["data"]), _index(found["num_images"]), found["seed"], pairs)
        except FileNotFoundError:
            raise UserError(f"there is no list of pairs {shown(path)}.") from None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(f"{shown(path)} is no list of pairs ({shown(error)}).") from None
        return made._checked(path)

    def _checked(self, path: str | Path) -> Self:
        if not self.pairs:
            raise UserError(f"{shown(path)} has no pairs.")
        largest = max(max(pair) for pair in self.pairs)
        if largest >= self.num_images:
            count = f"of only {self.num_images} (0 to {self.num_images - 1})"
            raise UserError(f"{shown(path)} names image {largest} {count}: the list is damaged.")
        return self


def _pair(seed: int, place: int, num_images: int) -> tuple[int, int]:
    """Two different numbers from a hash, which is the same on every machine and in every version."""
    digest = hashlib.sha256(f"swapae pair {seed} {place}".encode()).digest()
    structure = int.from_bytes(digest[:16], "big") % num_images
    step = 1 + int.from_bytes(digest[16:], "big") % (num_images - 1)
    return structure, (structure + step) % num_images


def _index(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no number of an image")
    return value


def images_of(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The numbers of all images in some pairs, ascending, each once."""
    return sorted({number for pair in pairs for number in pair})
