"""Which pictures of a set are still to be done, and where their results go."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from swapae.batch.edit import Edit, file_digest
from swapae.batch.manifest import Known, Row, Share, manifests, name_of, state_of_manifests
from swapae.batch.outcome import Job
from swapae.data.open import names_no_path
from swapae.data.packing.names import fit
from swapae.data.packs.folder import FolderPack
from swapae.data.packs.pack import MAX_BYTES, Pack, is_name_outside
from swapae.errors import UserError
from swapae.files import shown

Format = Literal["png", "jpg", "webp"]
VERSION = 1


@dataclass(frozen=True)
class Batch:
    """One edit of all pictures of a set.

    - data: the word for the set, as `swapae.data.open.open_pack` takes it.
    - edit: what is done to each.
    - out: the folder for the results.
    - masks: a folder of masks, named as the pictures; or one mask for all.
    - format, quality: of the results.
    - share: only every n-th picture, beginning with the i-th.
    - backend: what runs the model.
    """

    data: str
    edit: Edit
    out: Path
    masks: Path | None = None
    format: Format = "png"
    quality: int = 95
    share: Share | None = None
    backend: str = "torch"

    def settings(self) -> dict[str, Any]:
        """All on which results depend, for comparison with an earlier call.

        Raises:
            UserError: a file of the edit is missing.
        """
        edit = self.edit
        words: dict[str, Any] = asdict(edit)
        words |= {
            "model": file_digest(edit.weights_file()),
            "textures": [file_digest(Path(photo)) for photo in edit.textures],
            "structure": edit.structure and file_digest(Path(edit.structure)),
            "directions": [file_digest(file) for file in edit.direction_files()],
            "weights": list(edit.weights),
            "along": [list(one) for one in edit.along],
        }
        places = {"input": self.data if names_no_path(self.data) else os.path.realpath(self.data)}
        places["masks"] = "" if self.masks is None else os.path.realpath(self.masks)
        how = {"format": self.format, "quality": self.quality, "backend": self.backend}
        return {"version": VERSION, **places, **words, **how}


@dataclass
class Plan:
    """What is to be done.

    - jobs: in the order of the set; those of the share alone.
    - known: what earlier calls have done.
    - state: of the manifests that say so.
    - num_images: of the set, or the share.
    - num_before: of these, those that are done.
    - refused: jobs that would overwrite a file that is not of this batch.
    - num_renamed: results that could not have the name of their picture.
    """

    known: Known
    state: dict[str, int] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    num_images: int = 0
    num_before: int = 0
    refused: list[Job] = field(default_factory=list)
    num_renamed: int = 0


def make_plan(pack: Pack, batch: Batch, force: bool = False) -> Plan:
    """Find what is to be done; nothing is written.

    Args:
        pack: the set.
        batch: what to do with it.
        force: begin anew where settings differ, and overwrite files.

    Raises:
        UserError: the set is empty; or the folder is none, lies within the set, or holds results of other
            settings.
    """
    if not pack.num_images:
        raise UserError(f"There are no images in {pack.name}.")
    check_folder(pack, batch.out)
    state = state_of_manifests(batch.out)
    known = Known.of(batch.out, batch.settings(), force)
    errors = batch.out / name_of("errors", batch.share)
    if not known.headers and not force and errors.exists() and not manifests(batch.out):
        raise UserError(f"{shown(errors)} is not of a batch: move it, or give another folder with -o.")
    names = [pack.name_of(index) for index in range(pack.num_images)]
    outputs = output_names(names, f".{batch.format}", known.rows)
    plan = Plan(known, state)
    is_unchanged = any(header.get("fingerprint") == fingerprint(pack) for header in known.headers.values())
    for index in mine(len(names), batch.share):
        job, row = Job(index, names[index], outputs[index]), known.rows.get(names[index])
        plan.num_images += 1
        plan.num_renamed += job.output != plain_name(job.name, batch.format)
        is_there = os.path.lexists(batch.out / job.output)
        if row and row.get("state") == "done" and is_there and is_same(pack, index, row, is_unchanged):
            plan.num_before += 1
        elif is_there and row is None and not force:
            plan.refused.append(job)
        else:
            plan.jobs.append(job)
    return plan


def check_folder(pack: Pack, out: Path) -> None:
    """Refuse a folder for results that is none, or whose results would be pictures of the set.

    Raises:
        UserError: as said.
    """
    if os.path.lexists(out) and not out.is_dir():
        raise UserError(f"{shown(out)} is not a folder: name another with -o.")
    if isinstance(pack, FolderPack):
        inner, outer = os.path.realpath(out), os.path.realpath(pack.root)
        if Path(inner).is_relative_to(outer):
            raise UserError(
                f"{shown(out)} lies inside the images of {pack.name}: give a place outside with -o."
            )


def output_names(names: Sequence[str], suffix: str, known: Mapping[str, Row]) -> list[str]:
    """Give every picture a name for its result: that which it had, or its own, or that with a number.

    So two pictures that differ in their suffix alone, or in upper and lower case, do not meet.
    """
    had = {name: str(known[name]["output"]) for name in names if name in known}
    had = {name: out for name, out in had.items() if out.endswith(suffix) and not is_name_outside(out)}
    taken = {output.lower() for output in had.values()}
    found = []
    for name in names:
        output, stem, number = had.get(name), "", 1
        if output is None:
            stem = fit(name)
            output = stem + suffix
            while output.lower() in taken:
                number += 1
                output = f"{stem}-{number}{suffix}"
            taken.add(output.lower())
        found.append(output)
    return found


def plain_name(name: str, format: Format) -> str:
    """The name of a result where nothing stands in its way."""
    return f"{os.path.splitext(name)[0]}.{format}"


def mine(count: int, share: Share | None) -> Iterator[int]:
    """The places of a share, of so many: every n-th, so that all shares are as large."""
    first, step = (0, 1) if share is None else (share[0] - 1, share[1])
    yield from range(first, count, step)


def fingerprint(pack: Pack) -> str | None:
    """A text that differs if any picture may differ; None of a folder, whose files are looked at singly."""
    return None if isinstance(pack, FolderPack) else pack.fingerprint()


def is_same(pack: Pack, index: int, row: Row, is_unchanged: bool) -> bool:
    """Whether a picture is still the one that was done: by its size and time of change, or by its bytes."""
    if not isinstance(pack, FolderPack) and is_unchanged:
        return True
    size, mtime = state_of(pack, index)
    if (size, mtime) == (row.get("bytes"), row.get("mtime_ns")) and mtime is not None:
        return True
    if size is not None and size != row.get("bytes"):
        return False
    try:
        return read(pack, index)[1] == row.get("sha256")
    except UserError:
        return False


def state_of(pack: Pack, index: int) -> tuple[int | None, int | None]:
    """Size and time of change of a picture in a folder; None where it has none of its own."""
    if not isinstance(pack, FolderPack):
        return None, None
    try:
        status = os.stat(pack.root / pack.paths[index])
    except (OSError, ValueError):
        return None, None
    return status.st_size, status.st_mtime_ns


def read(pack: Pack, index: int) -> tuple[bytes, str]:
    """Read a picture's bytes, and hash them.

    Raises:
        UserError: it cannot be read, or is too large for any picture.
    """
    name = shown(pack.name_of(index))
    try:
        with pack.open(index) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror or error}).") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{name} has more than {MAX_BYTES:,} bytes, too many to be read safely.")
    return data, hashlib.sha256(data).hexdigest()
