"""`swapae export`: a model in the forms other programs run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Common, CommonOptions, Report, UsageError

if TYPE_CHECKING:
    from swapae.export.folder import Source
    from swapae.model import SwappingAutoencoder


def export(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    *,
    onnx: Annotated[Path | None, arg(metavar="DIR")] = None,
    common: CommonOptions,
) -> Report:
    """Write a model as graphs for ONNX Runtime, which needs no PyTorch.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        onnx: Folder to write: encoder and generator as ONNX graphs, their config and a card.
    """
    if onnx is None:
        raise UsageError("say what to write: --onnx DIR.")
    return _write_onnx(model, onnx, common)


def _write_onnx(name: str, folder: Path, common: Common) -> Report:
    from swapae.export.folder import OUR_FILES, write_folder
    from swapae.files import check_free_folder, folder_written_whole

    check_free_folder(folder, OUR_FILES, common.force)
    model, source = load(name)
    with folder_written_whole(folder, OUR_FILES, common.force) as beside:
        config = write_folder(beside, model.encoder, model.generator, model.config, source)
    common.say(f"wrote {folder}")
    return {"output": str(folder), "config": config}


def load(name: str) -> tuple["SwappingAutoencoder", "Source"]:
    """Load a model on the CPU, and what is known of it."""
    from swapae import __version__, box
    from swapae.export.folder import Source
    from swapae.locate import find_weights
    from swapae.model import WEIGHTS_FILE, SwappingAutoencoder

    weights = find_weights(name, WEIGHTS_FILE)
    model = SwappingAutoencoder.from_pretrained(weights, device="cpu")
    return model, Source(name, __version__, box.image_size(weights.parent))
