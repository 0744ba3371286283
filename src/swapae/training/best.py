"""`RUN/best`: the averaged model of the best checkpoint, where a run is measured on images of its own."""

import json
from contextlib import suppress
from pathlib import Path

from swapae.config import save, to_dict
from swapae.errors import UserError
from swapae.model import CONFIG_FILE, FORMAT, WEIGHTS_FILE
from swapae.training.config import TrainConfig
from swapae.training.retention import best_of, checkpoints_in, images_of
from swapae.training.run import RunFolder
from swapae.weights import load_tensors, read_metadata, save_tensors

FROM = "checkpoint"  # in the metadata of the weights: which one they are of


def keep_best_model(run: RunFolder, config: TrainConfig, images_seen: int) -> None:
    """Bring the model up to date with the checkpoints that there are; most often it is.

    Raises:
        WriteError: it cannot be written; the model is as it was.
    """
    if config.eval.data is None:
        return
    sound = [path for path in checkpoints_in(run.checkpoints) if images_of(path) <= images_seen]
    found = best_of(sound, config)
    if not found or found[0].name == best_checkpoint(run.best):
        return
    tensors, _ = load_tensors(found[0] / "ema.safetensors")
    about = {"format": FORMAT, "config": json.dumps(to_dict(config.model)), FROM: found[0].name}
    save(config.model, run.best / CONFIG_FILE)
    save_tensors(run.best / WEIGHTS_FILE, tensors, about, force=True)


def best_checkpoint(folder: Path) -> str | None:
    """Name the checkpoint of which a folder holds the model; None if it holds none."""
    with suppress(UserError):
        return read_metadata(folder / WEIGHTS_FILE).get(FROM)
    return None
