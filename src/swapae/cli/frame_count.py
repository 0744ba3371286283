"""How far the frames of a video are: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from typing import TYPE_CHECKING

from swapae.cli.common import Common

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY = 10.0  # seconds between plain lines


class FrameCount:
    """Hears of frames; it is a context that ends its display."""

    def __init__(self, common: Common) -> None:
        self._is_quiet = common.quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._total: int | None = None
        self._begin = self._last = time.monotonic()

    def __enter__(self) -> "FrameCount":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, total: int | None) -> None:
        """Hear how many frames there will be, about; None if nobody knows."""
        self._total = total
        self._begin = self._last = time.monotonic()
        if self._is_quiet or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames ·"),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def frame(self, number: int, _: object) -> None:
        """Hear of a frame that is written."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=number)
        now = time.monotonic()
        if self._is_quiet or self._bar is not None or now - self._last < EVERY:
            return
        self._last = now
        sys.stderr.write(self.line(number, now - self._begin) + "\n")

    def line(self, number: int, seconds: float) -> str:
        """Say how far it is after so many seconds."""
        rate = number / max(seconds, 1e-9)
        if self._total is None:
            return f"{number} frames, {rate:.1f} a second"
        left = max(0, self._total - number) / rate
        return f"{number} of about {self._total} frames, {rate:.1f} a second, {round(left)} s left"
