"""`swapae export`: a model in the forms other programs run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Common, CommonOptions, Flag, Report, UsageError
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.export.onnx_card import Source
    from swapae.model import SwappingAutoencoder


def export(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    *,
    onnx: Annotated[Path | None, arg(metavar="DIR")] = None,
    web: Annotated[Path | None, arg(metavar="DIR")] = None,
    samples: Annotated[Path | None, arg(metavar="FOLDER")] = None,
    check: Flag = False,
    common: CommonOptions,
) -> Report:
    """Write a model as ONNX graphs, which need no PyTorch, or as a page for browsers.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        onnx: Folder to write: encoder and generator as ONNX graphs, their config and a card.
        web: Folder to write: the same with a page that swaps and mixes on its visitor's own machine.
        samples: Photos for the page to show, in place of the model's gallery.
        check: Compare it with PyTorch at 20 shapes before it is put there.
    """
    if (onnx is None) == (web is None):
        raise UsageError("say what to write: --onnx DIR, or --web DIR.")
    if web is not None:
        return _write_page(model, web, samples, check, common)
    if samples is not None:
        raise UsageError("--samples is for a page: it goes with --web DIR.")
    assert onnx is not None
    return _write_onnx(model, onnx, check, common)


def _write_onnx(name: str, folder: Path, is_checked: bool, common: Common) -> Report:
    from swapae.export.folder import OUR_FILES, write_folder
    from swapae.files import check_free_folder, folder_written_whole

    check_free_folder(folder, OUR_FILES, common.force)
    model, source = load(name)
    with folder_written_whole(folder, OUR_FILES, common.force) as beside:
        config = write_folder(beside, model.encoder, model.generator, model.config, source)
        rows = _check(beside, folder, model, common) if is_checked else None
    common.say(f"wrote {folder}")
    return {"output": str(folder), "config": config} | ({} if rows is None else {"check": rows})


def _write_page(name: str, folder: Path, photos: Path | None, is_checked: bool, common: Common) -> Report:
    from swapae.browser import samples
    from swapae.browser.page import OUR_FILES, write_page
    from swapae.export.folder import write_folder
    from swapae.files import check_free_folder, folder_written_whole
    from swapae.web.about import about, samples_of

    check_free_folder(folder, OUR_FILES, common.force)
    given = None if photos is None else samples.of_folder(photos)
    model, source = load(name)
    shown = samples.of_gallery(samples_of(name), model) if given is None else given
    with folder_written_whole(folder, OUR_FILES, common.force) as beside:
        config = write_folder(beside, model.encoder, model.generator, model.config, source)
        rows = _check(beside, folder, model, common) if is_checked else None
        page = write_page(beside, config, about(name), shown)
    common.say(f"wrote {folder}; to see it: python -m http.server -d {folder}")
    told = {"output": str(folder), "config": config, "samples": len(page["samples"]), "bytes": page["bytes"]}
    return told | ({} if rows is None else {"check": rows})


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
    from swapae.export.check import LIMIT, check_folder

    rows = []
    common.show(f"{'structure':>10}{'texture':>10}{'images':>10}  batch×3×height×width, texture")
    for row in check_folder(beside, model):
        common.show(f"{row.structure:10.1e}{row.texture:10.1e}{row.images:10.1e}  {row}")
        rows.append(row)
    worst = max(rows, key=lambda row: (not row.is_within, row.error))
    if not worst.is_within:
        raise UserError(
            f"under ONNX Runtime the model differs from PyTorch by {worst.error:.1e} at {worst}, "
            f"more than the {LIMIT:.0e} allowed; {folder} was not written."
        )
    common.say(f"differs from PyTorch by {worst.error:.1e} at most, at {worst}")
    return [row.as_data() for row in rows]
