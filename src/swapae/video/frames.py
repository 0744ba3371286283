"""What a video is here: upright sRGB pictures, each with its time, and facts about all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, Self

from PIL.Image import Image

MILLISECONDS = Fraction(1, 1000)
DEFAULT_RATE = Fraction(24)  # of pictures that have no times


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    - picture: RGB, upright.
    - time: seconds from the beginning of the video, exact.
    - duration: for how many seconds it is shown; 0 if nobody knows.
    """

    picture: Image
    time: Fraction
    duration: Fraction = Fraction(0)


@dataclass(frozen=True)
class Facts:
    """What is known of a video before its frames are read.

    - name: as messages call it.
    - size: width and height in pixels, upright.
    - rate: mean frames a second.
    - time_base: the unit of its times, in seconds; every time is a multiple of it.
    - seconds: how long it is; None if nobody knows.
    - num_frames: about how many there are; None if nobody knows.
    - pixel_aspect: width of a pixel by its height, upright.
    - metadata: title, date and the like.
    """

    name: str
    size: tuple[int, int]
    rate: Fraction
    time_base: Fraction
    seconds: Fraction | None = None
    num_frames: int | None = None
    pixel_aspect: Fraction = Fraction(1)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A part of a video in seconds: from `start` on, up to `end`, which is not in it; None is to its end."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def holds(self, frame: Frame) -> bool:
        """Whether a frame begins in it; its very first one may have begun before and still be on show."""
        begins = frame.time >= self.start or frame.time + frame.duration > self.start
        return begins and (self.end is None or frame.time < self.end)


class Closing:
    """A context that closes what it is at its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is held open; by itself nothing is."""


class Source(Protocol):
    """What frames come from, a context that closes it in the end.

    - facts: of the frames.
    - notes: sentences for its owner, of what is taken otherwise than it might be meant.
    """

    facts: Facts
    notes: Sequence[str]

    def frames(self) -> Iterator[Frame]:
        """Read the frames, one after the other, once."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
