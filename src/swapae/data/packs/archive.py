"""What packs have in common whose entries lie in one file, or few: names in order, and what is unusable."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from swapae.files import shown


class Entry(Protocol):
    """Where an image lies."""

    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Entry)


class Archive(Generic[E]):
    """Usable entries by number, in the order of their names.

    - name: what reports call it.
    - skipped: (name, reason) of the others.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.skipped: list[tuple[str, str]] = []
        self._entries: list[E] = []

    @property
    def num_images(self) -> int:
        """How many usable entries there are."""
        return len(self._entries)

    def name_of(self, index: int) -> str:
        """The name of an entry."""
        return self._entries[index].name

    def _is_again(self, name: str) -> bool:
        """Whether the last entry has this name: they are taken in order."""
        return bool(self._entries) and self._entries[-1].name == name

    def _skip(self, name: str, fault: str) -> None:
        """List an entry that cannot be used; `fault` goes on from its name."""
        self.skipped.append((shown(name), f"{shown(name)} {fault}."))
