"""Frames that are pictures: animated GIF and WebP, and folders, in and out."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

from PIL import Image, ImageSequence

from swapae.errors import UserError, WriteError
from swapae.files import check_free, reason, shown
from swapae.images import IMAGE_SUFFIXES, open_file, open_image, opened, save_image, split_alpha
from swapae.video.frames import MILLISECONDS, Closing, Facts, Frame, Span
from swapae.video.kinds import KINDS, is_video

USUAL_DURATION = 100  # milliseconds of a frame that names none, as browsers take it
OWN_NAME = re.compile(r"\d{6,}\.png")


class Animation(Closing):
    """An animated GIF or WebP, read by Pillow; a still one is a video of one frame."""

    notes: Sequence[str] = ()

    def __init__(self, path: Path, span: Span) -> None:
        self._path, self._span = path, span
        with open_file(path) as file, opened(file, path) as header:
            size, num = header.size, int(getattr(header, "n_frames", 1))
            header.load()
            rate = Fraction(1000, _duration(header))
        self.facts = Facts(shown(path), size, rate, MILLISECONDS, None, num)

    def frames(self) -> Iterator[Frame]:
        """Read the frames of the span.

        Raises:
            UserError: the file is damaged or cut short.
        """
        time = Fraction(0)
        with open_file(self._path) as file, opened(file, self._path) as moving:
            for page in ImageSequence.Iterator(moving):
                page.load()
                length = Fraction(_duration(page), 1000)
                frame = Frame(split_alpha(page.convert("RGBA"))[0], time, length)
                time += length
                if self._span.end is not None and frame.time >= self._span.end:
                    return
                if self._span.holds(frame):
                    yield frame


class Folder(Closing):
    """A folder of pictures, in the order of their names, numbers by their value."""

    notes: Sequence[str] = ()

    def __init__(self, path: Path, span: Span, rate: Fraction) -> None:
        self._span = span
        try:
            files = [file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
        except OSError as error:
            raise UserError(f"{shown(path)} cannot be read ({reason(error)}).") from None
        self._files = sorted((file for file in files if not file.name.startswith(".")), key=natural)
        if not self._files:
            raise UserError(f"{shown(path)} has no pictures in it: a folder is a video by its pictures.")
        size = open_image(self._files[0]).size
        num = len(self._files)
        self.facts = Facts(shown(path), size, rate, 1 / rate, num / rate, num)

    def frames(self) -> Iterator[Frame]:
        """Read the pictures of the span.

        Raises:
            UserError: one cannot be read, or has another size than the first.
        """
        length = 1 / self.facts.rate
        for number, file in enumerate(self._files):
            place = Frame(Image.new("RGB", (1, 1)), number * length, length)
            if self._span.end is not None and place.time >= self._span.end:
                return
            if not self._span.holds(place):
                continue
            picture = split_alpha(open_image(file))[0]
            if picture.size != self.facts.size:
                have, first = ("x".join(map(str, size)) for size in (picture.size, self.facts.size))
                raise UserError(f"{shown(file)} is {have}, the first picture {first}: frames have one size.")
            yield Frame(picture, place.time, length)


class FolderSink:
    """Pictures 000000.png, 000001.png, … that are being written; `folder_sink` makes one."""

    num_audio = 0
    notes: Sequence[str] = ()

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def put(self, frame: Frame) -> None:
        """Write a frame."""
        save_image(frame.picture, self._folder / f"{self._count:06}.png")
        self._count += 1


@contextmanager
def folder_sink(path: Path) -> Iterator[FolderSink]:
    """Write a folder of pictures that appears whole, or not at all; one that is there gets new frames.

    Raises:
        UserError: it cannot be written.
    """
    beside = path.with_name(f".swapae-{uuid4().hex}.tmp")
    try:
        beside.mkdir(parents=True)
        yield FolderSink(beside)
        _put_in_place(beside, path)
    except OSError as error:
        raise WriteError(f"{shown(path)} cannot be written ({reason(error)}).") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put_in_place(beside: Path, path: Path) -> None:
    if not path.exists():
        beside.rename(path)
        return
    for old in path.iterdir():
        if OWN_NAME.fullmatch(old.name):
            old.unlink()
    for new in sorted(beside.iterdir()):
        new.replace(path / new.name)


def check_output(source: Path, out: Path, force: bool) -> None:
    """Refuse, before the work, what cannot be written or is the source itself.

    Raises:
        UserError: as said.
    """
    if source.exists() and out.exists() and source.resolve() == out.resolve():
        raise UserError(f"{shown(out)} is the source itself: give -o another name.")
    if is_video(out):
        check_free(out, force)
    elif out.suffix and not out.is_dir():
        raise UserError(
            f"{shown(out)} must end in {', '.join(KINDS)}, or be a folder for PNGs, without a suffix."
        )
    else:
        check_folder(out, force)


def check_folder(path: Path, force: bool) -> None:
    """Refuse a folder that would mix frames with what is there.

    Raises:
        UserError: as said.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{shown(path)} is not a folder: name another with -o.")
    if path.is_dir() and any(path.iterdir()) and not force:
        raise UserError(f"{shown(path)} has files in it: name another, or use --force to replace its frames.")


def natural(file: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Order names as people do: frame2 before frame10."""
    parts = re.findall(r"\d+|\D+", file.name.lower())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], file.name


def _duration(page: Image.Image) -> int:
    """Tell for how many milliseconds a frame is shown."""
    try:
        return int(page.info["duration"]) or USUAL_DURATION
    except (KeyError, TypeError, ValueError):
        return USUAL_DURATION
