"""From the facts of every image to what is worth telling, as plain data and as lines of text."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from swapae.data.check.duplicates import near_duplicates
from swapae.data.check.facts import Facts, Inspector
from swapae.data.packs.pack import Pack
from swapae.data.pool import each
from swapae.data.reading import check_growth
from swapae.data.transforms import DataConfig, largest_size
from swapae.errors import UserError
from swapae.files import shown

NUM_NAMED = 10  # rejects that the text names


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        data: what was looked at, as it was named.
        config: the sizes it was held against, None if none.
        facts: of every image that can be used, in order.
        rejected: of every one that cannot be.
        duplicates: groups of numbers in `facts`.
        small: numbers in `facts` of pictures that would have to be enlarged.
    """

    data: str
    config: DataConfig | None
    facts: list[Facts]
    rejected: list[Facts]
    duplicates: list[list[int]] = field(default_factory=list)
    small: list[int] = field(default_factory=list)

    @property
    def rotated(self) -> list[Facts]:
        return [facts for facts in self.facts if facts.orientation != 1]

    @property
    def gray(self) -> list[Facts]:
        return [facts for facts in self.facts if facts.is_gray]

    @property
    def alpha(self) -> list[Facts]:
        return [facts for facts in self.facts if facts.has_alpha]

    @property
    def too_small(self) -> list[Facts]:
        return [self.facts[i] for i in self.small]


def check(
    pack: Pack,
    config: DataConfig | None,
    workers: int,
    progress: Callable[[int, int], None] = lambda *_: None,
    hashes: Mapping[str, str] | None = None,
) -> Check:
    """Decode every image of a pack in full and look at it.

    Args:
        pack: the images.
        config: what they are to be trained with, for the sizes; None holds them against none.
        workers: processes; 0 does all in this one.
        progress: hears (number of images looked at, number of all).
        hashes: by name the SHA-256 of every image there must be, if that is known.
    """
    inspector = Inspector(pack, hashes or {})
    facts: list[Facts] = []
    rejected = [Facts(name, 0, why) for name, why in pack.skipped]
    numbers = range(pack.num_images)
    missing = set(inspector.hashes) - {pack.name_of(number) for number in numbers} if hashes else set()
    rejected += [Facts(shown(name), 0, f"{shown(name)} was packed and is gone.") for name in missing]
    for number, found in enumerate(each(inspector, numbers, workers, inspector.died), 1):
        error = found.error or _too_narrow(found, config)
        if error:
            rejected.append(Facts(found.name, found.num_bytes, error))
        else:
            facts.append(found)
        progress(number, pack.num_images)
    rejected.sort(key=lambda one: one.name)
    duplicates = near_duplicates([one.look for one in facts], [one.colors for one in facts])
    small = [i for i, one in enumerate(facts) if config is not None and is_small(one.size, config)]
    return Check(pack.name, config, facts, rejected, duplicates, small)


def is_small(size: tuple[int, int], config: DataConfig) -> bool:
    """Whether a picture of this (width, height) has to be enlarged."""
    width, height = largest_size(size, config)
    return width > size[0] or height > size[1]


def _too_narrow(facts: Facts, config: DataConfig | None) -> str | None:
    if config is None or facts.error:
        return None
    try:
        check_growth(facts.size, config, facts.name)
    except UserError as error:
        return str(error)
    return None


# ── as data ──────────────────────────────────────────────────────────────────────────────────────


def to_json(found: Check) -> dict[str, object]:
    """All that was found, as JSON has it."""
    sides = sorted(min(one.size) for one in found.facts)
    return {
        "data": found.data,
        "files": len(found.facts) + len(found.rejected),
        "usable": len(found.facts),
        "bytes": sum(one.num_bytes for one in (*found.facts, *found.rejected)),
        "formats": dict(Counter(one.format for one in found.facts).most_common()),
        "shorter_side": {"min": sides[0], "median": statistics.median(sides), "max": sides[-1]}
        if sides
        else {},
        "unreadable": [{"file": one.name, "reason": one.error} for one in found.rejected],
        "needed": None if found.config is None else needed(found.config),
        "too_small": [{"file": one.name, "size": list(one.size)} for one in found.too_small],
        "rotated": [{"file": one.name, "orientation": one.orientation} for one in found.rotated],
        "gray": [one.name for one in found.gray],
        "alpha": [one.name for one in found.alpha],
        "near_duplicates": [[found.facts[i].name for i in group] for group in found.duplicates],
    }


def needed(config: DataConfig) -> str:
    """What pictures are brought to, in words."""
    crop = f", crop {config.crop_size}" if config.crop in ("random", "center") else ""
    return f"{config.preprocess} {config.load_size}{crop}"


def kind_of(reason: str, name: str) -> str:
    """A reason without the name and the numbers of the one file."""
    text = reason.removeprefix(shown(name)).strip()
    return text.split(" (")[0].split(", ")[0].split(": ")[0].rstrip(".")


# ── as text ──────────────────────────────────────────────────────────────────────────────────────


def to_lines(found: Check) -> list[str]:
    """A summary for a terminal."""
    num_files = len(found.facts) + len(found.rejected)
    num_bytes = sum(one.num_bytes for one in (*found.facts, *found.rejected))
    formats = Counter(one.format for one in found.facts).most_common()
    lines = [f"{found.data}: {counted(num_files, 'file')}, {num_bytes / 1e6:,.1f} MB"]
    lines.append(_row(len(found.facts), "usable", ", ".join(f"{n:,} {kind}" for kind, n in formats)))
    lines.append(_row(len(found.rejected), "cannot be used"))
    lines += _rejects(found.rejected)
    if found.config is not None:
        note = "they would be enlarged"
        lines.append(_row(len(found.small), f"too small for {needed(found.config)}", note, found.too_small))
    lines.append(_row(len(found.rotated), "rotated by EXIF", "they are turned upright", found.rotated))
    lines.append(_row(len(found.gray), "gray", "", found.gray))
    lines.append(_row(len(found.alpha), "with transparent parts", "they are laid over white", found.alpha))
    lines.append(_duplicates_row(found))
    return lines


def counted(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _row(number: int, what: str, note: str = "", examples: Sequence[Facts] = ()) -> str:
    first = f"the first: {examples[0].name}" if examples else ""
    notes = "; ".join(words for words in (note if number else "", first) if words)
    return f"{number:>9,} {what}" + (f" ({notes})" if notes else "")


def _duplicates_row(found: Check) -> str:
    number = sum(len(group) - 1 for group in found.duplicates)
    what = f"near-duplicates of others, in {counted(len(found.duplicates), 'group')}"
    if not found.duplicates:
        return _row(0, "near-duplicates of others")
    one, other = (found.facts[i].name for i in found.duplicates[0][:2])
    return _row(number, what, f"the first: {other} looks like {one}")


def _rejects(rejected: Sequence[Facts]) -> list[str]:
    kinds = Counter(kind_of(one.error or "", one.name) for one in rejected)
    lines = [f"{number:>15,} {kind}" for kind, number in kinds.most_common()]
    lines += [f"            {one.error}" for one in rejected[:NUM_NAMED]]
    if len(rejected) > NUM_NAMED:
        lines.append(f"            … and {len(rejected) - NUM_NAMED:,} more; --json and --html name them all")
    return lines
