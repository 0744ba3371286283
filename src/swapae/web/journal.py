"""How things came to the model's process, so that they can come again when it has died."""

import asyncio
import zlib
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERHEAD = 1024  # bytes of a call beside its arguments, about


@dataclass(frozen=True, eq=False)
class Pixels:
    """An 8-bit array, made small."""

    data: bytes
    shape: tuple[int, ...]

    @classmethod
    async def of(cls, array: NDArray[np.uint8]) -> "Pixels":
        """Compress it, while others are served."""
        return cls(await asyncio.to_thread(zlib.compress, array.tobytes(), 1), array.shape)

    def array(self) -> NDArray[np.uint8]:
        """Give it back."""
        return np.frombuffer(zlib.decompress(self.data), np.uint8).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Call:
    """A call that made something; the same call makes the same again."""

    method: str
    argument: object

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        held = self.argument.data if isinstance(self.argument, Pixels) else self.argument
        return OVERHEAD + (len(held) if isinstance(held, bytes) else 0)

    def given(self) -> object:
        """The argument as it was."""
        return self.argument.array() if isinstance(self.argument, Pixels) else self.argument


class Journal:
    """Calls by the ids of what they made; past `max_bytes` the ones not used for longest are forgotten."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0  # that all calls take, each counted once
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self._uses: Counter[Call] = Counter()

    def note(self, ids: Iterable[str], method: str, argument: object, anew: bool = True) -> None:
        """Remember what made some ids; with `anew`, also of those that were made in another way before."""
        call = Call(method, argument)
        if call.size > self.max_bytes:
            return
        for one in list(ids) if anew else [one for one in ids if one not in self._calls]:
            self.forget(one)
            self._calls[one] = call
            self._uses[call] += 1
            self.bytes += call.size if self._uses[call] == 1 else 0
        while self._calls and self.bytes > self.max_bytes:
            self.forget(next(iter(self._calls)))

    def recall(self, one: str) -> Call | None:
        """Find what made an id."""
        if one in self._calls:
            self._calls.move_to_end(one)
        return self._calls.get(one)

    def forget(self, one: str) -> None:
        """Do not bring an id back."""
        call = self._calls.pop(one, None)
        if call is not None:
            self._uses[call] -= 1
            if not self._uses[call]:
                del self._uses[call]
                self.bytes -= call.size

    def made_by(self, *methods: str) -> list[str]:
        """Name ids made by some methods, the oldest first."""
        return [one for one, call in self._calls.items() if call.method in methods]
