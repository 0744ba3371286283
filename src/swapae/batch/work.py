"""One picture of a set: read, edited, written. What a worker does, wherever it runs."""

from __future__ import annotations

import errno
import io
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from swapae.batch.editor import Editor
from swapae.batch.outcome import Job, Outcome, in_words
from swapae.batch.plan import Format, read, state_of
from swapae.data.packs.pack import Pack
from swapae.editing import mask_of
from swapae.errors import UserError
from swapae.files import shown, write_bytes
from swapae.images import IMAGE_SUFFIXES, decode_image, open_image
from swapae.runtime import tune_allocator
from swapae.saving import SAVE_FORMATS, encode_image

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class Masks:
    """Where masks are: a picture for all, or a folder in which each has the name of its picture."""

    place: Path

    def of(self, name: str) -> Tensor:
        """Read the mask of a picture.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        if not self.place.is_dir():
            return self._only
        stem = self.place / Path(name).with_suffix("")
        for path in (self.place / name, *(stem.with_name(stem.name + one) for one in sorted(IMAGE_SUFFIXES))):
            if path.is_file():
                return mask_of(open_image(path))
        raise UserError(f"{shown(name)} has no mask: there is no picture {shown(stem)}.*.")

    @cached_property
    def _only(self) -> Tensor:
        return mask_of(open_image(self.place))


@dataclass(frozen=True)
class Work:
    """Everything a process needs to do jobs. A function of the job, but for the file that it writes.

    - editor: what is done to a picture.
    - pack: the set.
    - out: the folder for results.
    - masks: None to edit pictures as a whole.
    - format, quality: of results.
    """

    editor: Editor
    pack: Pack
    out: Path
    masks: Masks | None
    format: Format
    quality: int

    def __call__(self, job: Job) -> Outcome:
        """Do a job; whatever is wrong with the picture is told in the outcome."""
        begin = time.perf_counter()
        try:
            _, mtime = state_of(self.pack, job.number)
            data, sha256 = read(self.pack, job.number)
            self._edit(job, data)
        except Exception as error:  # decoders raise nearly anything, and one picture must not end the others
            return Outcome(job, time.perf_counter() - begin, in_words(error), is_full(error))
        return Outcome(job, time.perf_counter() - begin, None, False, len(data), mtime, sha256)

    def load(self, threads: int | None) -> None:
        """Load the model, where work is about to begin.

        Args:
            threads: with which torch computes here; None leaves them as they are.

        Raises:
            UserError: it was changed since the work was made.
        """
        tune_allocator()
        if threads is not None:
            torch.set_num_threads(threads)
        _ = self.editor.model

    def on(self, device: str) -> Work:
        """The same on another device."""
        return Work(self.editor.on(device), self.pack, self.out, self.masks, self.format, self.quality)

    def _edit(self, job: Job, data: bytes) -> None:
        picture = decode_image(io.BytesIO(data), job.name)
        mask = None if self.masks is None else self.masks.of(job.name)
        result = self.editor(picture, mask)
        path = self.out / job.output
        write_bytes(path, encode_image(result, SAVE_FORMATS[path.suffix], self.quality, path))


def is_full(error: BaseException | None) -> bool:
    """Whether an error comes of a disk, or a quota, that has no room left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
