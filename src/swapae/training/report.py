"""How a training tells its owner how it goes: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from swapae.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_SECONDS = 15.0  # between two plain lines


class Reporter(Protocol):
    """What the loop calls. All numbers are plain; nothing here touches a device."""

    def start(self, images_seen: int, total_images: int) -> None:
        """Hear that training begins, or goes on."""
        ...

    def progress(self, images_seen: int, images_per_second: float, losses: Mapping[str, float]) -> None:
        """Hear of a step, with the latest means of the losses: none before the first line of the log."""
        ...

    def message(self, text: str) -> None:
        """Hear a sentence for the owner; it may come before `start`."""
        ...

    def stop(self) -> None:
        """Hear that training has ended, well or not."""
        ...


class Quiet:
    """Say nothing."""

    def start(self, images_seen: int, total_images: int) -> None:
        pass

    def progress(self, images_seen: int, images_per_second: float, losses: Mapping[str, float]) -> None:
        pass

    def message(self, text: str) -> None:
        pass

    def stop(self) -> None:
        pass


class Plain:
    """Print a line now and then, to standard error."""

    def __init__(self, seconds_between: float = PLAIN_SECONDS) -> None:
        self.seconds_between = seconds_between
        self._last = 0.0
        self._total = 0

    def start(self, images_seen: int, total_images: int) -> None:
        self._total = total_images
        self._last = time.monotonic()

    def progress(self, images_seen: int, images_per_second: float, losses: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self._last < self.seconds_between and images_seen < self._total:
            return
        self._last = now
        note = describe(self._total - images_seen, images_per_second, losses)
        self.message(f"{images_seen}/{self._total} images, {', '.join(note)}")

    def message(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def stop(self) -> None:
        pass


BAR_WIDTH = 16  # characters
WIDE = 120  # characters of a terminal that has room for the losses


class Bar:
    """Draw a bar with rich, on a terminal.

    Args:
        console: where; by default standard error.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.percentage:3.0f}%"),
            BarColumn(bar_width=BAR_WIDTH),
            TextColumn("{task.completed}/{task.total} images · {task.fields[note]}"),
            console=console or Console(stderr=True),
        )
        self._total = 1
        self._task = self._bar.add_task("", total=1, note="")

    def start(self, images_seen: int, total_images: int) -> None:
        self._total = total_images
        self._bar.update(self._task, completed=images_seen, total=total_images)
        self._bar.start()

    def progress(self, images_seen: int, images_per_second: float, losses: Mapping[str, float]) -> None:
        is_narrow = self._bar.console.width < WIDE
        note = describe(self._total - images_seen, images_per_second, {} if is_narrow else losses)
        self._bar.update(self._task, completed=images_seen, note=" · ".join(note))

    def message(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        self._bar.stop()


def default_reporter() -> Reporter:
    """Draw a bar on a terminal, print lines elsewhere."""
    return Bar() if sys.stderr.isatty() else Plain()


def describe(images_left: int, images_per_second: float, losses: Mapping[str, float]) -> list[str]:
    """Say how fast it goes, how long it takes yet, and how well it goes."""
    left = duration(max(0, images_left) / max(images_per_second, 1e-9))
    words = [f"{images_per_second:.1f} a second", f"{left} left", summary(losses)]
    return [word for word in words if word]


def summary(losses: Mapping[str, float]) -> str:
    """Name the three losses that say most."""
    shown = {"G_l1": "L1", "D_real": "D real", "G_hybrid": "G hybrid"}
    return " ".join(f"{label} {losses[name]:.3f}" for name, label in shown.items() if name in losses)


def duration(seconds: float) -> str:
    """Write seconds as `2 d 03 h`, `1:02:03` or `2:03`."""
    whole = int(seconds)
    if whole >= 48 * 3600:
        return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


class DivergedError(UserError):
    """A training whose numbers have run away.

    Attributes:
        what: what went wrong and when, without the advice.
    """

    def __init__(self, what: str, images_seen: int) -> None:
        self.what = f"{what} after {images_seen} images"
        self._made_of = (what, images_seen)
        super().__init__(
            f"{self.what}, so training stops; the last checkpoint is sound. Begin another run, say with a "
            "lower optimizer.learning_rate and optimizer.discriminator_learning_rate."
        )

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        """Other processes get to know of it too."""
        return type(self), self._made_of


def diverged(what: str, images_seen: int) -> DivergedError:
    """Make the error of a number that has run away."""
    return DivergedError(f"{what} is not a finite number", images_seen)
