"""Under which name an image lies in a pack: fit for every system and archive, and never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from swapae.images import IMAGE_SUFFIXES

MAX_BYTES = 200  # of a name, in UTF-8; file systems and LMDB keys take 255 and 511
UNFIT = frozenset('<>:"|?*\\')
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)

Suffix = Callable[[int], str]


def output_names(names: Iterable[str], suffix_of: Suffix) -> list[tuple[str, int]]:
    """Give every image a name and sort by it: (name, number), in the order in which readers show them.

    The image's own name is kept as far as it goes, with another suffix; what differs only in its suffix, or
    in upper and lower case, is told apart by a number.

    Args:
        names: of the images, by number.
        suffix_of: the suffix for a number, with its dot.
    """
    taken: set[str] = set()
    found = []
    for index, name in enumerate(names):
        stem, suffix = fit(name), suffix_of(index)
        chosen, count = stem + suffix, 1
        while chosen.lower() in taken:
            count += 1
            chosen = f"{stem}-{count}{suffix}"
        taken.add(chosen.lower())
        found.append((chosen, index))
    return sorted(found)


def fit(name: str) -> str:
    """A name without its suffix, in which nothing is left that some system or archive forbids."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")] or ["_"]
    parts[-1] = _without_suffix(parts[-1])
    fitted = "/".join(_fit_part(part, is_last) for part, is_last in _marked(parts))
    if len(fitted.encode()) <= MAX_BYTES:
        return fitted
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    kept = fitted.encode()[: MAX_BYTES - 17].decode(errors="ignore").rstrip("/. ")
    return f"{kept}-{digest}"


def _marked(parts: list[str]) -> list[tuple[str, bool]]:
    return [(part, place == len(parts) - 1) for place, part in enumerate(parts)]


def _without_suffix(part: str) -> str:
    stem, dot, suffix = part.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in IMAGE_SUFFIXES and stem else part


def _fit_part(part: str, is_last: bool) -> str:
    fitted = "".join(c if c.isprintable() and c not in UNFIT else "_" for c in part).rstrip(". ")
    if not fitted or fitted.startswith("."):  # readers pass over hidden names
        fitted = "_" + fitted.lstrip(".")
    is_folder_like_a_file = not is_last and _without_suffix(fitted) != fitted
    is_reserved = fitted.split(".")[0].lower() in RESERVED
    return f"{fitted}_" if is_folder_like_a_file or is_reserved else fitted
