"""`swapae directions`: find the directions in which a model's codes can be moved, list them, see them."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from swapae.cli.along import Files, check_fits, load_all, moved, named, own_file
from swapae.cli.common import CommonOptions, Model, OutFile, Report, RunningOptions, UsageError
from swapae.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

    from swapae.cli.common import Running
    from swapae.cli.encoding import Encoding
    from swapae.editing import Direction

Set = Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")]
ENOUGH = 5000  # images, as the article's authors took (model-spec §11.3)
LARGEST = 256  # pixels of a picture on a sheet


def directions_fit(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    *,
    data: Set = None,
    from_: Annotated[str | None, arg(name="from", metavar="DATA", help_behavior_hint="")] = None,
    to: Set = None,
    name: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: that of --to)")] = None,
    of: Annotated[tuple[Literal["texture", "structure", "layout"], ...], arg(metavar="KIND …")] = (
        "texture",
    ),
    num: Annotated[int, arg(metavar="N")] = 16,
    images: Annotated[int, arg(metavar="N")] = ENOUGH,
    size: Annotated[
        int | None, arg(metavar="N", help_behavior_hint="(default: that of the training, else 256)")
    ] = None,
    batch: Annotated[int, arg(metavar="N")] = 16,
    out: OutFile,
    common: RunningOptions,
) -> Report:
    """Find directions: in which images vary most, or from one group to another.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        data: Images, a set as for training, whose main differences become directions: texture1, texture2, …
        from_: Instead: images that are without something, such as a folder of ten photos in summer.
        to: With it, images that have it and are alike otherwise: the difference becomes one direction.
        name: What that direction is called.
        of: Of what: texture; structure, the same at every place; layout, the structure of aligned images.
        num: How many directions of each kind, at most.
        images: How many images are looked at, at most, of each set.
        size: Side of the centre squares that are taken of the images, in pixels.
        batch: Images at a time.
        out: File to write; as directions.safetensors in the model's folder it is found without being named.
    """
    from swapae.files import check_free

    if min(num, images, batch, size or 1) < 1:
        raise UsageError("--num, --images, --size and --batch must be 1 or more.")
    if not of:
        raise UsageError("--of takes one kind at least: texture, structure or layout.")
    if (data is None) == (from_ is None and to is None) or (from_ is None) != (to is None):
        raise UsageError("give either --data, or both --from and --to.")
    check_free(out, common.force)

    from swapae.cli.encoding import Encoding

    encoding = Encoding.load(model, size, batch, images, common)
    try:
        if data is not None:
            found = _principal(encoding, data, of, num)
        else:
            assert from_ is not None
            assert to is not None
            found = _attributes(encoding, from_, to, of, name)
        _save(found, encoding, out, common)
    except ValueError as error:  # they do not vary, sizes differ: it says so
        raise UserError(str(error)) from error
    for line in table(found):
        common.show(line)
    common.say(f"wrote {out}")
    return {"output": str(out), **encoding.report(), "directions": facts(found)}


def directions_list(
    file: Annotated[Positional[str], arg(metavar="FILE|MODEL")],
    *,
    common: CommonOptions,
) -> Report:
    """List the directions in a file, or those that a model brings along.

    By column: the name for --along; of what it is; by how many degrees a strength of 1 turns the codes (those
    of a layout in the mean over its places); how much of all variance is along it, or how many strengths two
    groups lie apart; in how many images it was found.

    Args:
        file: File that `swapae directions fit` wrote, or a model.
    """
    from swapae.editing import Directions

    is_file = Path(file).is_file()
    path = Path(file) if is_file else own_file(file)
    found = Directions.load(path)
    for line in table(found.all):
        common.show(line)
    maker = found.maker
    return {"file": str(path), "model": vars(maker), "directions": facts(found.all)}


def directions_apply(
    image: Annotated[Positional[Path], arg(metavar="IMAGE")],
    *,
    names: Annotated[tuple[str, ...], arg(metavar="NAME …", help_behavior_hint="(default: all)")] = (),
    strength: Annotated[tuple[float, ...], arg(metavar="A …")] = (-2.0, -1.0, 0.0, 1.0, 2.0),
    directions: Files = (),
    model: Model,
    out: OutFile,
    common: RunningOptions,
) -> Report:
    """Show what directions do to an image: a row each, a picture for each strength.

    Args:
        image: The image that is moved.
        names: The directions to show.
        strength: How far, as for edit.
        directions: File that `swapae directions fit` wrote.
        out: File to write.
    """
    from swapae.images import check_target, open_image

    if not strength or not all(map(math.isfinite, strength)):
        raise UsageError("--strength must be one or more numbers.")
    check_target(out, common.force)
    loaded = load_all(directions, model)
    everything = [one.name for _, some in loaded for one in some]
    chosen = [named(name, loaded) for name in dict.fromkeys(names or everything)]
    picture = open_image(image)

    from swapae.cli.grid import shrink
    from swapae.cli.hybrids import Coder

    coder = Coder.load(model, common.device, common.backend)
    check_fits(loaded, coder.model, common)
    own = coder.encode(picture)
    rows = []
    for direction in chosen:
        made = (coder.edited(own, moved(own.codes, direction, amount)) for amount in strength)
        rows.append((direction, [shrink(one, (LARGEST, LARGEST)) for one in made]))
        common.say(f"{direction.name}")
    coder.save(sheet(rows, strength), out, common.force)
    common.say(f"wrote {out}")
    return {"output": str(out), "names": [one.name for one in chosen], "strengths": list(strength)}


def sheet(rows: "Iterable[tuple[Direction, list[Image]]]", strengths: tuple[float, ...]) -> "Image":
    """Rows of pictures under their direction's name; above the first row the strengths."""
    from swapae.images import WHITE, grid
    from swapae.sheet import captioned

    parts: list[list[Image]] = []
    for direction, pictures in rows:
        if not parts:
            words = [f"{amount:+g}" if amount else "0" for amount in strengths]
            pictures = [captioned(one, word) for one, word in zip(pictures, words, strict=True)]
        parts.append([captioned(grid([pictures]), direction.name)])
    return grid(parts, gap=6, background=WHITE)


def table(directions: "Iterable[Direction]") -> list[str]:
    """A line for each direction, in columns."""
    rows = [
        (
            one.name,
            one.kind,
            f"1 = {one.degrees:.3g}°",
            f"{one.share:.1%} of the variance"
            if one.share is not None
            else f"groups {one.gap or 0:.2f} apart",
            f"{one.num_images:,} images",
        )
        for one in directions
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(word.ljust(w) for word, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def facts(directions: "Iterable[Direction]") -> list[Report]:
    """What directions are, for `--json`."""
    return [{name: value for name, value in vars(one).items() if name != "vector"} for one in directions]


def _principal(encoding: "Encoding", data: str, of: tuple[str, ...], num: int) -> "list[Direction]":
    from swapae.editing import principal

    return principal(encoding.of(data), list(dict.fromkeys(of)), num)  # type: ignore[arg-type]


def _attributes(
    encoding: "Encoding", away: str, toward: str, of: tuple[str, ...], name: str | None
) -> "list[Direction]":
    """A direction of each kind, of which the images are encoded once."""
    from swapae.editing import attribute

    name = name or Path(toward).stem
    groups = list(encoding.of(toward)), list(encoding.of(away))
    kinds = list(dict.fromkeys(of))
    names = [name if len(kinds) == 1 else f"{name}-{kind}" for kind in kinds]
    return [
        attribute(called, *groups, kind)  # type: ignore[arg-type]
        for called, kind in zip(names, kinds, strict=True)
    ]


def _save(found: "list[Direction]", encoding: "Encoding", out: Path, common: "Running") -> None:
    from swapae.editing import Directions
    from swapae.editing.files import Maker

    Directions(tuple(found), Maker.of(encoding.model)).save(out, force=common.force)
