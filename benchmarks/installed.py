"""What an installation brings: every package with its size and licence, for the core and for each extra.

    python -m benchmarks.installed                      # the tables, from the packages of this environment
    python -m benchmarks.installed --write docs/install.md   # the same, into the page between its two marks

Nothing is installed: the packages that are here tell what they need, their records which files they brought.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "swapae"
DEVELOPING = ("dev", "docs")
BEGIN, END = "<!-- made by python -m benchmarks.installed: begin -->", "<!-- end -->"
Wants = dict[str, set[str]]  # package → its extras that are wanted


@dataclass
class Part:
    """The core, or an extra: the packages it brings that those before it do not."""

    name: str
    packages: list[Distribution] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def num_bytes(self) -> int:
        return sum(map(size_of, self.packages))


def parts() -> list[Part]:
    """The core first, then each extra beside the core."""
    own = distribution(PACKAGE)
    core = needed(own, "")
    names = [name for name in own.metadata.get_all("Provides-Extra") or [] if name not in DEVELOPING]
    found = [_part("core", core)]
    for name in sorted(names):
        more = needed(own, name)
        found.append(_part(name, {key: more[key] for key in more if key not in core}))
    return found


def _part(name: str, wants: Wants) -> Part:
    part = Part(name)
    for package in sorted(wants):
        if found := _found(package):
            part.packages.append(found)
        else:
            part.absent.append(package)
    return part


def needed(own: Distribution, extra: str) -> Wants:
    """All that a package needs on this machine, and what that needs, and so on."""
    wants: Wants = {}
    waiting = [(own, "")] + [(own, extra)] * bool(extra)
    while waiting:
        package, asked = waiting.pop()
        for need in _needs(package, asked):
            name = canonicalize_name(need.name)
            fresh = {"", *need.extras} - wants.get(name, set())
            wants.setdefault(name, set()).update(fresh)
            if found := _found(name):
                waiting += [(found, one) for one in fresh]
    return wants


def _needs(package: Distribution, extra: str) -> Iterator[Requirement]:
    for line in package.requires or []:
        need = Requirement(line)
        if need.marker is None:
            applies = not extra
        else:
            applies = need.marker.evaluate({"extra": extra}) and (
                not extra or not need.marker.evaluate({"extra": ""})
            )
        if applies:
            yield need


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def size_of(package: Distribution) -> int:
    """Bytes of the files that a package has brought."""
    paths = [Path(str(package.locate_file(file))) for file in package.files or []]
    return sum(path.stat().st_size for path in paths if path.is_file())


def licence_of(package: Distribution) -> str:
    """What a package says of its licence, in a few words."""
    about = package.metadata
    said = about.get("License-Expression")
    if said:
        return str(said)
    classes = [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    named = [line.rpartition(" :: ")[2] for line in classes if not line.endswith("OSI Approved")]
    first = str(about.get("License") or "").strip().splitlines()
    is_short = bool(first) and len(first[0]) <= 60 and first[0] != "UNKNOWN"
    return ", ".join(named) or (first[0] if is_short else "see its files")


# ── tables ───────────────────────────────────────────────────────────────────────────────────────


def tables(found: list[Part]) -> str:
    """The sizes of all parts, then every package."""
    lines = ["| part | packages | installed, MB | what it brings |", "|---|---|---|---|"]
    lines += [_summary(part) for part in found]
    for part in found:
        if part.packages:
            lines += ["", f"**{part.name}**", "", "| package | version | MB | licence |", "|---|---|---|---|"]
            lines += [_row(package) for package in sorted(part.packages, key=size_of, reverse=True)]
    return "\n".join(lines) + "\n"


def _summary(part: Part) -> str:
    largest = sorted(part.packages, key=size_of, reverse=True)[:3]
    what = ", ".join(package.name for package in largest) + (" …" if len(part.packages) > 3 else "")
    if part.absent:
        what += f" (not measured: {', '.join(part.absent)})"
    return f"| {part.name} | {len(part.packages)} | {_megabytes(part.num_bytes)} | {what.strip()} |"


def _row(package: Distribution) -> str:
    licence = re.sub(r"\s+", " ", licence_of(package)).replace("|", "/")
    return f"| {package.name} | {package.version} | {_megabytes(size_of(package))} | {licence} |"


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f}" if num_bytes < 1e8 else f"{num_bytes / 1e6:,.0f}"


def with_tables(page: str, made: str) -> str:
    """A page with its tables made anew.

    Raises:
        ValueError: it has no marks to put them between.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page")
    page = parser.parse_args().write
    made = tables(parts())
    if page is None:
        print(made)
    else:
        page.write_text(with_tables(page.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
