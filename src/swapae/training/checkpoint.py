"""Checkpoints: a folder each, written beside, sealed by a manifest, renamed into place.

    checkpoints/images_00012000/
        weights.safetensors     the four networks
        ema.safetensors         averaged encoder and generator
        optimizer.safetensors   both Adams
        state.json              counters and versions
        MANIFEST.json           size and SHA-256 of each file, written last

All randomness of a training is a function of the seed and the images seen, so no random state is kept.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Adam

from swapae.errors import UserError
from swapae.training.ema import Ema
from swapae.training.objective import Networks
from swapae.training.run import write_json
from swapae.training.step import Optimizers
from swapae.weights import load_strict, load_tensors, save_tensors

MANIFEST = "MANIFEST.json"
PREFIX = "images_"


@dataclass
class State:
    """The clock of a training.

    Attributes:
        images_seen: images of all steps, discriminator and generator ones together.
        steps: optimizer steps, R1's not counted; even ones are the discriminators'.
        seconds: time spent.
    """

    images_seen: int = 0
    steps: int = 0
    seconds: float = 0.0


def save_checkpoint(
    folder: Path, state: State, networks: Networks, optimizers: Optimizers, ema: Ema, keep: int
) -> Path:
    """Write a checkpoint, whole or not at all, then remove the oldest ones beyond `keep`."""
    final = folder / f"{PREFIX}{state.images_seen:08d}"
    if is_valid(final):
        return final
    beside = folder / f".{final.name}.{os.getpid()}.tmp"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    save_tensors(beside / "weights.safetensors", all_weights(networks))
    save_tensors(beside / "ema.safetensors", ema.model.state_dict())
    save_tensors(beside / "optimizer.safetensors", optimizer_tensors(networks, optimizers))
    write_json(beside / "state.json", asdict(state) | {"torch": torch.__version__, "python": platform.python_version()})
    write_json(beside / MANIFEST, {path.name: _seal(path) for path in sorted(beside.iterdir())})
    shutil.rmtree(final, ignore_errors=True)  # an invalid one of the same name
    os.replace(beside, final)
    _prune(folder, keep)
    return final


def load_checkpoint(
    folder: Path, networks: Networks, optimizers: Optimizers, ema: Ema
) -> State | None:
    """Restore the newest valid checkpoint in `folder`; None if there is none."""
    _sweep(folder)
    for path in reversed(checkpoints_in(folder)):
        if is_valid(path):
            weights, _ = load_tensors(path / "weights.safetensors")
            for name, module in networks.named().items():
                load_strict(module, _below(weights, f"{name}."), f"{path} ({name})")
            load_strict(ema.model, load_tensors(path / "ema.safetensors")[0], f"{path} (ema)")
            restore_optimizers(load_tensors(path / "optimizer.safetensors")[0], networks, optimizers)
            state = json.loads((path / "state.json").read_text(encoding="utf-8"))
            return State(state["images_seen"], state["steps"], state["seconds"])
    return None


def newest_valid(folder: Path) -> Path | None:
    """Find the newest checkpoint whose files are what its manifest says."""
    return next((path for path in reversed(checkpoints_in(folder)) if is_valid(path)), None)


def checkpoints_in(folder: Path) -> list[Path]:
    """List checkpoint folders, oldest first."""
    return sorted(path for path in folder.glob(f"{PREFIX}*") if path.is_dir())


def is_valid(path: Path) -> bool:
    """Whether every file has the size and hash of the manifest."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest) and all(_seal(path / name) == seal for name, seal in manifest.items())
    except (OSError, ValueError, AttributeError):
        return False


def all_weights(networks: Networks) -> dict[str, Tensor]:
    """Collect the four networks' tensors under `network.name`."""
    return {
        f"{name}.{key}": tensor
        for name, module in networks.named().items()
        for key, tensor in module.state_dict().items()
    }


def optimizer_tensors(networks: Networks, optimizers: Optimizers) -> dict[str, Tensor]:
    """Collect what Adam keeps of each parameter under `network.parameter|exp_avg`, …"""
    return {
        f"{name}|{key}": value
        for name, parameter, adam in _adam_of_parameters(networks, optimizers)
        for key, value in adam.state.get(parameter, {}).items()
    }


def restore_optimizers(tensors: Mapping[str, Tensor], networks: Networks, optimizers: Optimizers) -> None:
    """Put back what `optimizer_tensors` collected."""
    state_of: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        name, _, kind = key.rpartition("|")
        state_of.setdefault(name, {})[kind] = tensor
    for name, parameter, adam in _adam_of_parameters(networks, optimizers):
        state = state_of.pop(name, {})
        for kind, tensor in state.items():
            if kind != "step" and tensor.shape != parameter.shape:
                raise UserError(f"the checkpoint's optimizer state of {name} has another shape than the weight.")
            adam.state[parameter][kind] = tensor.to(parameter.device)
    if state_of:
        raise UserError(f"the checkpoint's optimizer state knows weights that do not exist: {', '.join(state_of)}.")


def _adam_of_parameters(
    networks: Networks, optimizers: Optimizers
) -> Iterator[tuple[str, torch.nn.Parameter, Adam]]:
    for name, module in networks.named().items():
        adam = optimizers.generator if name in ("encoder", "generator") else optimizers.discriminator
        for key, parameter in module.named_parameters():
            yield f"{name}.{key}", parameter, adam


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _seal(path: Path) -> dict[str, object]:
    with open(path, "rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _prune(folder: Path, keep: int) -> None:
    for path in checkpoints_in(folder)[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what an interrupted save left."""
    for path in folder.glob(f".{PREFIX}*.tmp"):
        shutil.rmtree(path, ignore_errors=True)
