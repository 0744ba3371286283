"""The directions of a studio: those a model brings along, and those made here or carried by a picture."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from pydantic import TypeAdapter, ValidationError

from swapae import box
from swapae.config import unknown
from swapae.editing import Direction, Directions
from swapae.editing.files import Maker
from swapae.errors import UserError
from swapae.files import shown
from swapae.web.errors import UnknownId
from swapae.web.schemas import DirectionInfo, Name

MOST_OWN = 256  # directions made here or carried
_NAME: TypeAdapter[str] = TypeAdapter(Name)


class Shelf:
    """Directions by name; of two files that have one name the first counts, as in `swapae edit`."""

    def __init__(self, maker: Maker, brought: Iterable[Direction]) -> None:
        self.maker = maker
        self._brought: dict[str, Direction] = {}
        for direction in brought:
            _check_name(direction.name)
            self._brought.setdefault(direction.name, direction)
        self._own: dict[str, Direction] = {}

    def all(self) -> list[DirectionInfo]:
        """List them: those brought along, then those of one's own."""
        return [
            info(one, is_own)
            for is_own, some in enumerate((self._brought, self._own))
            for one in some.values()
        ]

    def infos(self, names: Iterable[str]) -> list[DirectionInfo]:
        """Tell of some."""
        every = {one.name: one for one in self.all()}
        return [every[name] for name in names]

    def named(self, name: str) -> Direction:
        """Give a direction.

        Raises:
            UnknownId: there is none of that name; the sentence has the nearest.
        """
        found = self._get(name)
        if found is None:
            raise UnknownId(name, unknown(f"direction '{shown(name)}'", name, [*self._brought, *self._own]))
        return found

    def add(self, direction: Direction) -> DirectionInfo:
        """Take in a new one.

        Raises:
            UserError: its name is taken, or there are too many.
        """
        if direction.name in self:
            raise UserError(f"there is a direction '{direction.name}' already: choose another name.")
        self._check_room(1)
        self._own[direction.name] = direction
        return info(direction, True)

    def carry(self, directions: Sequence[Direction]) -> list[str]:
        """Take in those that a recipe brings, and give the names by which they are known here.

        One that is here already, by its name and its numbers, is not taken twice; another of a name that is
        taken gets a number behind it.
        """
        taken: dict[str, Direction] = {}
        names = []
        for direction in directions:
            _check_name(direction.name)
        for direction in directions:
            name, number = direction.name, 1
            while (known := taken.get(name) or self._get(name)) is not None and not _same(known, direction):
                number += 1
                end = f" {number}"
                name = direction.name[: 64 - len(end)].rstrip() + end
            if known is None:
                taken[name] = replace(direction, name=name)
            names.append(name)
        self._check_room(len(taken))
        self._own |= taken
        return names

    def load(self, data: bytes) -> list[str]:
        """Take in what `file`, or `swapae directions fit`, wrote, as `carry` does.

        Raises:
            UserError: it is damaged, or of a model of another shape.
        """
        with TemporaryDirectory(prefix="swapae-") as folder:
            path = Path(folder) / box.DIRECTIONS
            path.write_bytes(data)
            try:
                found = Directions.load(path)
            except UserError as error:
                raise UserError(str(error).replace(str(path), "the file")) from error
        if found.maker.shape() != self.maker.shape():
            raise UserError(
                f"the file was made with another model: its codes have {found.maker.shape()}, those of this "
                f"model {self.maker.shape()}."
            )
        return self.carry(list(found))

    def forget(self, name: str) -> None:
        """Drop one of one's own.

        Raises:
            UnknownId: there is none of that name.
            UserError: it is the model's.
        """
        self.named(name)
        if name in self._brought:
            raise UserError(f"'{name}' is a direction of the model, and stays.")
        del self._own[name]

    def file(self, name: str) -> bytes:
        """Give a direction as a file that `swapae edit --directions` takes."""
        directions = Directions((self.named(name),), self.maker)
        with TemporaryDirectory(prefix="swapae-") as folder:
            path = Path(folder) / box.DIRECTIONS
            directions.save(path)
            return path.read_bytes()

    def __contains__(self, name: str) -> bool:
        return self._get(name) is not None

    def _get(self, name: str) -> Direction | None:
        return self._brought.get(name) or self._own.get(name)

    def _check_room(self, num_more: int) -> None:
        if len(self._own) + num_more > MOST_OWN:
            raise UserError(f"there is room for {MOST_OWN} directions of one's own: delete some first.")


def info(direction: Direction, is_own: bool | int) -> DirectionInfo:
    """Tell what a direction is."""
    return DirectionInfo(
        name=direction.name,
        of=direction.kind,
        kind="principal" if direction.gap is None else "attribute",
        sigma_degrees=direction.degrees,
        images=direction.num_images,
        share=direction.share,
        apart=direction.gap,
        own=bool(is_own),
    )


def _check_name(name: str) -> None:
    """Refuse a name by which a recipe could not ask for a direction."""
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise UserError(
            f"'{shown(name)[:80]}' is no name that the studio takes: up to 64 characters, no sign like = and "
            "no space at its ends."
        ) from None


def _same(a: Direction, b: Direction) -> bool:
    """Whether two directions do the same."""
    return a.kind == b.kind and a.sigma == b.sigma and torch.equal(a.vector, b.vector)
