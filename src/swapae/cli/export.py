"""`swapae export`: a model in the forms other programs run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from tyro.conf import Positional, arg

from swapae.cli.common import Common, CommonOptions, Flag, Report, UsageError
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.export.onnx_card import Source
    from swapae.model import SwappingAutoencoder

PrecisionName = Literal["float32", "float16-weights", "int8"]  # swapae.export.precision, which imports numpy


def export(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    *,
    onnx: Annotated[Path | None, arg(metavar="DIR")] = None,
    web: Annotated[Path | None, arg(metavar="DIR")] = None,
    samples: Annotated[Path | None, arg(metavar="FOLDER")] = None,
    check: Flag = False,
    precision: PrecisionName = "float32",
    calibrate: Annotated[Path | None, arg(metavar="PHOTOS", help_behavior_hint="")] = None,
    common: CommonOptions,
) -> Report:
    """Write a model as ONNX graphs, which need no PyTorch, or as a page for browsers.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        onnx: Folder to write: encoder and generator as ONNX graphs, their config and a card.
        web: Folder to write: the same with a page that swaps and mixes on its visitor's own machine.
        samples: Photos for the page to show, in place of the model's gallery.
        check: Compare it with PyTorch at 20 shapes before it is put there.
        precision: float16-weights halves the size; int8 also computes with fewer bits, where that is faster.
            The error is measured, told and written down.
        calibrate: Folder of photos by which the ranges of int8 are found and errors measured, in place of the
            model's gallery.
    """
    if onnx is not None and web is not None:
        raise UsageError("--onnx and --web go one at a time; the folder of --web holds the graphs, too.")
    out = onnx or web
    if out is None:
        raise UsageError("say what to write: --onnx DIR, or --web DIR.")
    if calibrate is not None and precision == "float32":
        raise UsageError("--calibrate goes with --precision int8 or float16-weights.")
    if web is not None and precision == "int8":
        raise UsageError("int8 gains nothing in browsers: --web takes float32 or float16-weights.")
    if web is None and samples is not None:
        raise UsageError("--samples is for a page: it goes with --web DIR.")
    _check_places(model, out, common)
    how = How(check, precision, calibrate)
    if web is not None:
        return _write_page(model, web, samples, how, common)
    return _write_onnx(model, out, how, common)


def _check_places(model: str, out: Path, common: Common) -> None:
    """Say before torch comes, which takes seconds, that something is in the way or not there.

    Raises:
        UserError: as said.
    """
    from swapae import box
    from swapae.files import check_free_folder
    from swapae.locate import find_weights

    if not common.force:
        check_free_folder(out, frozenset(), force=False)
    find_weights(model, box.WEIGHTS)


class How(NamedTuple):
    """With a check or not, and with how many bits; photos to measure these by in place of the gallery."""

    is_checked: bool
    precision: PrecisionName
    photos: Path | None


def _write_onnx(name: str, folder: Path, how: How, common: Common) -> Report:
    from swapae.export.folder import OUR_FILES
    from swapae.files import check_free_folder, folder_written_whole

    check_free_folder(folder, OUR_FILES, common.force)
    model, source = load(name)
    write = _graphs(name, model, source, how, common)
    with folder_written_whole(folder, OUR_FILES, common.force) as beside:
        report = write(beside, folder)
    common.say(f"wrote {folder}")
    return {"output": str(folder)} | report


def _write_page(name: str, folder: Path, photos: Path | None, how: How, common: Common) -> Report:
    from swapae.browser import samples
    from swapae.browser.page import OUR_FILES, write_page
    from swapae.files import check_free_folder, folder_written_whole
    from swapae.web.about import about, samples_of

    check_free_folder(folder, OUR_FILES, common.force)
    given = None if photos is None else samples.of_folder(photos)
    model, source = load(name)
    shown = samples.of_gallery(samples_of(name), model) if given is None else given
    write = _graphs(name, model, source, how, common)
    with folder_written_whole(folder, OUR_FILES, common.force) as beside:
        report = write(beside, folder)
        page = write_page(beside, report["config"], about(name), shown)
    common.say(f"wrote {folder}; to see it: python -m http.server -d {folder}")
    told = {"output": str(folder), "samples": len(page["samples"]), "bytes": page["bytes"]}
    return told | report


def _graphs(
    name: str, model: "SwappingAutoencoder", source: "Source", how: How, common: Common
) -> Callable[[Path, Path], dict[str, Any]]:
    """Prepare for writing; what is given writes, measures and checks, and tells what goes into the report.

    Raises:
        UserError: here, where pictures are missing; there, where they differ by too much.
    """
    from swapae.cli.reduction import Reduced
    from swapae.export.folder import write_folder

    reduced = Reduced.choose(name, model, how.precision, how.photos)

    def write(beside: Path, folder: Path) -> dict[str, Any]:
        nets = model.encoder, model.generator
        config = write_folder(beside, *nets, model.config, source, reduced.precision)
        config = reduced.measure(beside, config, common)
        checked = {"check": _check(beside, folder, model, common)} if how.is_checked else {}
        return {"config": config} | checked

    return write


def load(name: str) -> tuple["SwappingAutoencoder", "Source"]:
    """Load a model on the CPU, and what is known of it."""
    from swapae import __version__, box
    from swapae.export.onnx_card import Source
    from swapae.locate import find_weights
    from swapae.model import SwappingAutoencoder

    weights = find_weights(name, box.WEIGHTS)
    model = SwappingAutoencoder.from_pretrained(weights, device="cpu")
    page = weights.with_name(box.CARD_PAGE)
    has_card = weights.name == box.WEIGHTS and page.is_file()  # a page beside any other file is not its own
    card = page.read_text(encoding="utf-8", errors="replace") if has_card else ""
    return model, Source(name, __version__, box.image_size(weights.parent), card)


def _check(
    beside: Path, folder: Path, model: "SwappingAutoencoder", common: Common
) -> list[dict[str, object]]:
    """Compare what was written with the model, and say so, a line a shape.

    Raises:
        UserError: they differ by more than is allowed.
    """
    from swapae.export.check import check_folder

    rows = []
    common.show(f"{'structure':>10}{'texture':>10}{'images':>10}  batch×3×height×width, texture")
    for row in check_folder(beside, model):
        common.show(f"{row.structure:10.1e}{row.texture:10.1e}{row.images:10.1e}  {row}")
        rows.append(row)
    worst = max(rows, key=lambda row: (not row.is_within, row.error))
    if not worst.is_within:
        raise UserError(
            f"under ONNX Runtime the model differs from PyTorch by {worst.error:.1e} at {worst}, "
            f"more than the {worst.limit:.0e} allowed; {folder} was not written."
        )
    common.say(
        f"differs from PyTorch by {worst.error:.1e} at most ({worst.limit:.0e} is allowed), at {worst}"
    )
    return [row.as_data() for row in rows]
