"""`swapae export`: a model in the forms other programs run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

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
    check: Flag = False,
    precision: PrecisionName = "float32",
    calibrate: Annotated[Path | None, arg(metavar="PHOTOS", help_behavior_hint="")] = None,
    common: CommonOptions,
) -> Report:
    """Write a model as graphs for ONNX Runtime, which needs no PyTorch.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        onnx: Folder to write: encoder and generator as ONNX graphs, their config and a card.
        check: Compare it with PyTorch at 20 shapes before it is put there.
        precision: float16-weights halves the size; int8 also computes with fewer bits, where that is faster.
            The error is measured, told and written down.
        calibrate: Folder of photos by which the ranges of int8 are found and errors measured, in place of the
            model's gallery.
    """
    if onnx is None:
        raise UsageError("say what to write: --onnx DIR.")
    if calibrate is not None and precision == "float32":
        raise UsageError("--calibrate goes with --precision int8 or float16-weights.")
    return _write_onnx(model, onnx, check, Reduction(precision, calibrate), common)


class Reduction(NamedTuple):
    """How many bits, and photos to find out what fewer do; None takes the model's gallery."""

    precision: PrecisionName
    photos: Path | None


def _write_onnx(name: str, folder: Path, is_checked: bool, reduction: Reduction, common: Common) -> Report:
    from swapae.cli.reduction import Reduced
    from swapae.export.folder import OUR_FILES, write_folder
    from swapae.files import check_free_folder, folder_written_whole

    check_free_folder(folder, OUR_FILES, common.force)
    model, source = load(name)
    reduced = Reduced.choose(name, model, *reduction)
    with folder_written_whole(folder, OUR_FILES, common.force) as beside:
        nets = model.encoder, model.generator
        config = write_folder(beside, *nets, model.config, source, reduced.precision)
        config = reduced.measure(beside, config, common)
        rows = _check(beside, folder, model, common) if is_checked else None
    common.say(f"wrote {folder}")
    return {"output": str(folder), "config": config} | ({} if rows is None else {"check": rows})


def load(name: str) -> tuple["SwappingAutoencoder", "Source"]:
    """Load a model on the CPU, and what is known of it."""
    from swapae import __version__, box
    from swapae.export.onnx_card import Source
    from swapae.locate import find_weights
    from swapae.model import WEIGHTS_FILE, SwappingAutoencoder

    weights = find_weights(name, WEIGHTS_FILE)
    model = SwappingAutoencoder.from_pretrained(weights, device="cpu")
    page = weights.with_name(box.CARD_PAGE)
    card = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
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
