"""Checkpoints: a folder each, written beside, sealed by a manifest, renamed into place.

    checkpoints/images_00012000/
        weights.safetensors     the four networks
        ema.safetensors         averaged encoder and generator
        optimizer.safetensors   both Adams
        state.json              counters, the line of the log that is being summed, versions
        config.json             the whole TrainConfig
        MANIFEST.json           size and SHA-256 of each file, written last

All randomness of a training is a function of the seed and the images seen, so no random state is kept.
Readers take the newest checkpoint that is what its manifest says. None holds a number that is not finite.
Files and folders are flushed to the disk before they are renamed: a power cut takes what a kill takes.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Adam

from swapae.config import to_dict
from swapae.errors import UserError, WriteError
from swapae.files import sync_folder, write_text
from swapae.training.config import TrainConfig
from swapae.training.ema import Ema
from swapae.training.objective import Networks
from swapae.training.report import diverged
from swapae.training.retention import PREFIX, checkpoints_in, prune, set_aside
from swapae.training.run import RunFolder, json_text, remove, write_json, writing
from swapae.training.step import Optimizers
from swapae.training.strength import Strength
from swapae.weights import load_strict, load_tensors, save_tensors

MANIFEST = "MANIFEST.json"
FORMAT = 2  # of state.json; 1, of 2026-11, had no number, no augment, metrics, skipped, … and no config.json

Tensors = dict[str, dict[str, Tensor]]  # file → name → tensor


@dataclass
class State:
    """The clock of a training, and what its log waits for.

    Attributes:
        images_seen: images of all steps, discriminator and generator ones together.
        steps: optimizer steps, R1's not counted; odd ones, from 1, are the discriminators'.
        seconds: time spent.
        losses: the latest mean of every term.
        unlogged: sum and count of every term since the last line of the log.
        scaling: of gradients in fp16.
        augment: how strongly images are augmented, and what that is steered by.
        metrics: what was measured when the checkpoint was saved: on fixed images, and by an evaluation.
        evaluated: images seen at the last evaluation.
        skipped: steps of each kind that were skipped, for they gave numbers that are not finite.
        in_a_row: how many of the latest steps of each kind those were.
        rate_scale: factor on all learning rates.
        rollbacks: how often training went back to a checkpoint and halved that factor.
    """

    images_seen: int = 0
    steps: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    unlogged: dict[str, tuple[float, float]] = field(default_factory=dict)
    scaling: dict[str, float] = field(default_factory=dict)
    augment: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    evaluated: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    in_a_row: dict[str, int] = field(default_factory=dict)
    rate_scale: float = 1.0
    rollbacks: int = 0


@dataclass
class Learner:
    """All that training changes: what a checkpoint holds."""

    networks: Networks
    optimizers: Optimizers
    ema: Ema
    strength: Strength
    state: State = field(default_factory=State)


# ── saving ───────────────────────────────────────────────────────────────────────────────────────


def collect(learner: Learner) -> Tensors:
    """Gather all tensors of a training.

    Raises:
        DivergedError: one of them, or of the state's numbers, is not finite.
    """
    try:
        json.dumps(asdict(learner.state), allow_nan=False)
    except ValueError:
        raise diverged("a number of the state", learner.state.images_seen) from None
    tensors = {
        "weights": all_weights(learner.networks),
        "ema": dict(learner.ema.model.state_dict()),
        "optimizer": optimizer_tensors(learner.networks, learner.optimizers),
    }
    for some in tensors.values():
        for name, tensor in some.items():
            if not tensor.isfinite().all():
                raise diverged(name, learner.state.images_seen)
    return tensors


def save_checkpoint(run: RunFolder, state: State, tensors: Tensors, config: TrainConfig) -> Path:
    """Write a checkpoint of what `collect` gave, whole or not at all; then remove those that need not stay.

    Raises:
        WriteError: the disk is full, say; nothing is left of it, and all checkpoints are as they were.
    """
    final = run.checkpoints / f"{PREFIX}{state.images_seen:08d}"
    if not is_valid(final):
        _write(final, state, tensors, config)
        if not is_valid(final):
            raise WriteError(f"{final} cannot be read back as it was written; the disk may be failing.")
    write_text(run.latest, f"{final.relative_to(run.root).as_posix()}\n")
    prune(run.checkpoints, state.images_seen, config)
    return final


def _write(final: Path, state: State, tensors: Tensors, config: TrainConfig) -> None:
    beside = final.with_name(f".{final.name}.{os.getpid()}.tmp")
    try:
        with writing(beside):
            remove(beside)
            beside.mkdir(parents=True)
            for kind, some in tensors.items():
                save_tensors(beside / f"{kind}.safetensors", some, {"images_seen": str(state.images_seen)})
            write_json(beside / "state.json", {"format": FORMAT} | asdict(state) | _versions())
            write_json(beside / "config.json", to_dict(config))
            write_json(beside / MANIFEST, {path.name: _seal(path) for path in sorted(beside.iterdir())})
            sync_folder(beside)
            set_aside(final)  # a damaged one of the same name
            os.replace(beside, final)
            sync_folder(final.parent)
            sync_folder(final.parent.parent)  # the first one brings its folder along
    finally:
        remove(beside)


def _versions() -> dict[str, str]:
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    for name in ("swapae", "numpy", "safetensors"):
        with suppress(PackageNotFoundError):  # run from a folder of sources
            versions[name] = version(name)
    return versions


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


def _seal(path: Path) -> dict[str, object]:
    with open(path, "rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


# ── loading ──────────────────────────────────────────────────────────────────────────────────────


def load_checkpoint(folder: Path, learner: Learner, tell: Callable[[str], None]) -> None:
    """Restore the newest valid checkpoint in `folder`, if any, and tell of newer ones that are damaged.

    Raises:
        UserError: there are checkpoints, but all are damaged.
    """
    path, damaged = newest_valid(folder), checkpoints_in(folder)
    if path is not None:
        damaged = damaged[damaged.index(path) + 1 :]
    names = ", ".join(one.name for one in damaged)
    if path is None:
        if damaged:
            raise UserError(f"every checkpoint in {folder} is damaged ({names}); remove them to begin anew.")
        return
    if damaged:
        tell(f"damaged and not used: {names} in {folder}; going on from {path.name}.")
    weights, _ = load_tensors(path / "weights.safetensors")
    for name, module in learner.networks.named().items():
        load_strict(module, _below(weights, f"{name}."), f"{path} ({name})")
    load_strict(learner.ema.model, load_tensors(path / "ema.safetensors")[0], f"{path} (ema)")
    restore_optimizers(load_tensors(path / "optimizer.safetensors")[0], learner.networks, learner.optimizers)
    learner.state = state_of(path)
    learner.strength.restore(learner.state.augment)


def state_of(path: Path) -> State:
    """Read a checkpoint's counters; those that an older form lacks are as at the start.

    Raises:
        UserError: a later version of this program has written it.
    """
    state = json.loads((path / "state.json").read_text(encoding="utf-8"))
    if state.get("format", 1) > FORMAT:
        written = f"swapae {state.get('swapae', 'of another version')}"
        raise UserError(
            f"{path} was written by {written}, which is newer than this one; go on with that one."
        )
    return State(**{f.name: state[f.name] for f in fields(State) if f.name in state})


def newest_valid(folder: Path) -> Path | None:
    """Find the newest checkpoint whose files are what its manifest says."""
    return next((path for path in reversed(checkpoints_in(folder)) if is_valid(path)), None)


def is_valid(path: Path) -> bool:
    """Whether the manifest is as it was written, and every file has its size and hash."""
    try:
        text = (path / MANIFEST).read_text(encoding="utf-8")
        manifest = json.loads(text)
        is_whole = bool(manifest) and text == json_text(manifest)
        return is_whole and all(_seal(path / name) == seal for name, seal in manifest.items())
    except (OSError, ValueError, AttributeError):
        return False


@torch.no_grad()
def restore_optimizers(tensors: Mapping[str, Tensor], networks: Networks, optimizers: Optimizers) -> None:
    """Put back what `optimizer_tensors` collected."""
    for adam in (optimizers.generator, optimizers.discriminator):
        adam.state.clear()
    state_of: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        name, _, kind = key.rpartition("|")
        state_of.setdefault(name, {})[kind] = tensor
    for name, parameter, adam in _adam_of_parameters(networks, optimizers):
        state = state_of.pop(name, {})
        for kind, tensor in state.items():
            if kind != "step" and tensor.shape != parameter.shape:
                raise UserError(f"the checkpoint's optimizer state does not fit the weight {name}.")
            # The moments must lie in memory as the weight does, which need not be as the file has them.
            adam.state[parameter][kind] = (
                tensor.to(parameter.device) if kind == "step" else torch.empty_like(parameter).copy_(tensor)
            )
    if state_of:
        raise UserError(f"the checkpoint's optimizer knows unknown weights: {', '.join(state_of)}.")


def _adam_of_parameters(
    networks: Networks, optimizers: Optimizers
) -> Iterator[tuple[str, torch.nn.Parameter, Adam]]:
    for name, module in networks.named().items():
        adam = optimizers.generator if name in ("encoder", "generator") else optimizers.discriminator
        for key, parameter in module.named_parameters():
            yield f"{name}.{key}", parameter, adam


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
