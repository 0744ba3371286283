"""How far work on many images is: on one line of a terminal, or a line now and then."""

import sys
import time
from types import TracebackType
from typing import Protocol

from swapae.training.report import duration

BETWEEN, BETWEEN_LINES = 0.2, 10.0  # seconds


class Counted(Protocol):
    """What is known of the work."""

    @property
    def images(self) -> int: ...

    @property
    def before(self) -> int: ...

    @property
    def done(self) -> int: ...

    @property
    def failed(self) -> int: ...

    @property
    def left(self) -> int: ...

    @property
    def seconds(self) -> float: ...


class Rates:
    """Tells on standard error how far it is, how fast it goes, and how long it takes yet; a context."""

    def __init__(self, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._is_terminal = sys.stderr.isatty()
        self._told = time.monotonic()
        self._is_open = False

    def __enter__(self) -> "Rates":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def tell(self, counts: Counted) -> None:
        """Hear of an image."""
        now = time.monotonic()
        if self._is_quiet or now - self._told < (BETWEEN if self._is_terminal else BETWEEN_LINES):
            return
        self._told = now
        self._is_open = self._is_terminal
        text = in_words(counts)
        sys.stderr.write(f"\r{text}\x1b[K" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()


def in_words(counts: Counted) -> str:
    """`1,234 of 8,412 images · 3.2 a second · 37:25 left · 2 failed`."""
    rate = (counts.done + counts.failed) / max(counts.seconds, 1e-9)
    words = [f"{counts.images - counts.left:,} of {counts.images:,} images", f"{rate:.1f} a second"]
    words += [f"{duration(counts.left / rate)} left"] if rate and counts.left else []
    words += [f"{counts.failed:,} failed"] if counts.failed else []
    return " · ".join(words)
