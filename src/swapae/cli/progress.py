"""Long work on a terminal: who hears of it."""

import time
from collections.abc import Mapping

from swapae.cli.common import Common
from swapae.training.report import BAR_WIDTH, WIDE, Quiet, Reporter, default_reporter, duration, summary


def reporter_for(common: Common) -> Reporter:
    """The default reporter, which speaks on standard error, or a silent one."""
    return Quiet() if common.quiet else default_reporter()


class Countdown:
    """A reporter for work that ends by the clock: a bar of time on a terminal, plain lines elsewhere."""

    def __init__(self, seconds: float, seconds_between: float = 15.0) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.seconds = seconds
        self._between = seconds_between
        self._begin = self._told = time.monotonic()
        self._console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(bar_width=BAR_WIDTH), TextColumn("{task.description}"), console=self._console
        )
        self._task = self._bar.add_task("first steps…", total=seconds)

    def is_over(self) -> bool:
        """Whether the time is up, counted from `start`."""
        return time.monotonic() - self._begin >= self.seconds

    def start(self, images_seen: int, total_images: int) -> None:
        """Begin the count."""
        self._begin = self._told = time.monotonic()
        if self._console.is_terminal:
            self._bar.start()

    def progress(self, images_seen: int, images_per_second: float, losses: Mapping[str, float]) -> None:
        """Show the time left, and how it goes."""
        now = time.monotonic()
        left = duration(max(0.0, self.seconds - (now - self._begin)))
        words = [f"{left} left", f"{images_seen:,} images", f"{images_per_second:.1f} a second"]
        if losses and (self._console.width >= WIDE or not self._console.is_terminal):
            words.append(summary(losses))
        text = " · ".join(words)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=now - self._begin, description=text)
        elif now - self._told >= self._between:
            self._told = now
            self.message(text)

    def message(self, text: str) -> None:
        """Say something between."""
        self._console.print(text, markup=False, highlight=False)

    def stop(self) -> None:
        """End the display."""
        if self._console.is_terminal:
            self._bar.stop()
