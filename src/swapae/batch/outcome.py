"""A picture to be done, and what became of it: what goes to a worker, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from swapae.errors import UserError
from swapae.files import shown


@dataclass(frozen=True)
class Job:
    """A picture to be done.

    - number: in the set.
    - name: in the set.
    - output: where its result goes, relative to the folder of all.
    """

    number: int
    name: str
    output: str


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    - error: one sentence where there is no result.
    - is_full: it failed because the disk is full.
    - size, mtime, sha256: of the picture as it was read.
    """

    job: Job
    seconds: float = 0.0
    error: str | None = None
    is_full: bool = False
    size: int | None = None
    mtime: int | None = None
    sha256: str | None = None


def in_words(error: BaseException) -> str:
    """Say in one sentence why a picture failed."""
    if isinstance(error, UserError):
        return " ".join(str(error).split("\n"))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "there is not enough memory for it: take fewer --workers, or make it smaller."
    first = next(iter(str(error).splitlines()), "")
    return f"something went wrong inside swapae ({type(error).__name__}: {first})."


def died(job: Job) -> Outcome:
    """What is said of a picture that killed its process, twice."""
    why = "its decoder crashed, or it needs more memory than there is"
    return Outcome(job, error=f"{shown(job.name)} killed the process that worked on it, twice: {why}.")
