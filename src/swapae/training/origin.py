"""Where a run's first weights come from: another run, a checkpoint, a model; read, and recorded."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from swapae import config as configs
from swapae.convert.official import DISCRIMINATORS_FILE
from swapae.errors import UserError
from swapae.files import shown
from swapae.locate import find_weights, is_in_box
from swapae.model import WEIGHTS_FILE, config_in
from swapae.training.checkpoint import MANIFEST, is_valid, newest_valid
from swapae.training.config import TrainConfig
from swapae.training.retention import PREFIX, checkpoints_in
from swapae.training.run import RunFolder
from swapae.weights import load_tensors

NETWORKS = ("encoder", "generator", "discriminator", "patch_discriminator")
AVERAGED = ("encoder", "generator")
UNSEEN = ("use_antialias", "use_noise")  # settings of networks that no shape shows

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Origin:
    """Weights to start from.

    Attributes:
        name: as the user gave it.
        place: the checkpoint or the model they were read from.
        weights: by network and name; networks that are not there are missing.
        averages: of encoder and generator, as `weights`.
        images_seen: images the other run had seen, where it says so.
        settings: `network.setting` of what no shape shows, as far as it is known.
    """

    name: str
    place: Path
    weights: dict[str, Tensors]
    averages: dict[str, Tensors]
    images_seen: int | None = None
    settings: dict[str, bool] = field(default_factory=dict)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read_origin(name: str, tell: Callable[[str], None]) -> Origin:
    """Read the weights of a run directory, a checkpoint folder, or a model (folder, file, box, or hub id).

    Args:
        name: of a run, the newest valid checkpoint counts; of a model, discriminators that lie beside it too.
        tell: hears of damaged checkpoints that are passed over.

    Raises:
        UserError: there is none, it is damaged, or a weight is not finite.
    """
    path = Path(os.path.expanduser(name))
    if (path / "config.yaml").is_file():
        path = _newest(RunFolder(path), tell)
    elif path.is_dir() and checkpoints_in(path):
        path = _newest_in(path, tell)
    is_checkpoint = (path / MANIFEST).is_file() or path.name.startswith(PREFIX)
    origin = _of_checkpoint(name, path) if is_checkpoint else _of_model(name)
    for what in (origin.weights, origin.averages):
        for network, tensors in what.items():
            for key, tensor in tensors.items():
                if not tensor.isfinite().all():
                    raise UserError(
                        f"{shown(origin.place)} holds numbers that are not finite, in "
                        f"{network}.{key}; start from another checkpoint."
                    )
    return origin


def _newest(run: RunFolder, tell: Callable[[str], None]) -> Path:
    """Choose a run's newest valid checkpoint, or its model where it was kept without checkpoints."""
    if checkpoints_in(run.checkpoints):
        return _newest_in(run.checkpoints, tell)
    if any((place / WEIGHTS_FILE).is_file() for place in (run.root, run.model)):
        return run.root
    raise UserError(f"the run {shown(run.root)} has saved nothing yet; let it reach its first checkpoint.")


def _newest_in(folder: Path, tell: Callable[[str], None]) -> Path:
    path, there = newest_valid(folder), checkpoints_in(folder)
    if path is None:
        raise UserError(f"every checkpoint in {shown(folder)} is damaged; start from another run.")
    damaged = there[there.index(path) + 1 :]
    if damaged:
        names = ", ".join(one.name for one in damaged)
        tell(f"damaged and not used: {names} in {shown(folder)}; starting from {path.name}.")
    return path


def _of_checkpoint(name: str, path: Path) -> Origin:
    if not is_valid(path):
        raise UserError(f"{shown(path)} is damaged: it is not what its manifest says; name another one.")
    state = json.loads((path / "state.json").read_text(encoding="utf-8"))
    return Origin(
        name,
        path,
        _by_network(load_tensors(path / "weights.safetensors")[0], NETWORKS),
        _by_network(load_tensors(path / "ema.safetensors")[0], AVERAGED),
        int(state["images_seen"]),
        _settings_beside(path),
    )


def _of_model(name: str) -> Origin:
    """A model has one set of weights, averaged as a rule: both the weights and the averages start there."""
    file = find_weights(name, WEIGHTS_FILE)
    tensors, metadata = load_tensors(file)
    model = _by_network(tensors, AVERAGED)
    settings = _unseen({"model": configs.to_dict(config_in(metadata, file))})
    judges, judges_file = {}, _discriminators_beside(name, file)
    if judges_file is not None:
        tensors, metadata = load_tensors(judges_file)
        judges = _by_network(tensors, NETWORKS[2:])
        settings |= _unseen({network: _config_text(metadata, network, judges_file) for network in judges})
    return Origin(name, file, model | judges, model, None, settings)


def _discriminators_beside(name: str, model: Path) -> Path | None:
    """Find the discriminators of a converted checkpoint; those of a hub id are fetched."""
    file = model.parent / DISCRIMINATORS_FILE
    if file.is_file():
        return file
    with suppress(UserError):
        return find_weights(name, DISCRIMINATORS_FILE) if folder_of(name) is None else None
    return None


def _config_text(metadata: Mapping[str, str], network: str, file: Path) -> Any:
    try:
        return json.loads(metadata[network])
    except (KeyError, ValueError) as error:
        raise UserError(f"{shown(file)} is damaged: its metadata cannot be read.") from error


def _by_network(tensors: Mapping[str, Tensor], networks: tuple[str, ...]) -> dict[str, Tensors]:
    found: dict[str, Tensors] = {}
    for name, tensor in tensors.items():
        network, _, key = name.partition(".")
        if network in networks:
            found.setdefault(network, {})[key] = tensor
    return found


def _settings_beside(checkpoint: Path) -> dict[str, bool]:
    """Read a checkpoint's config: its own, or, as older ones have none, that of the run it lies in."""
    beside = checkpoint.absolute().parent.parent / "config.yaml"
    for config in (checkpoint / "config.json", beside):
        with suppress(UserError):  # the file of another program, or of a later version of this one
            if config.is_file():
                return _unseen(configs.to_dict(configs.load(TrainConfig, config)))
    return {}


def _unseen(groups: Mapping[str, Any]) -> dict[str, bool]:
    return {
        f"{group}.{setting}": bool(groups[group][setting])
        for group in ("model", *NETWORKS[2:])
        for setting in UNSEEN
        if setting in groups.get(group, {})
    }


def unseen_settings(config: TrainConfig) -> dict[str, bool]:
    """Give the settings of a config that no shape shows."""
    return _unseen(configs.to_dict(config))


# ── the record ───────────────────────────────────────────────────────────────────────────────────


def init_file(run: RunFolder) -> Path:
    """Name the record of what a run began with; runs that began with new weights have none."""
    return run.root / "init.json"


def check_apart(run: RunFolder, init_from: str) -> None:
    """Refuse a run that should begin with itself."""
    path = os.path.realpath(os.path.expanduser(init_from))
    if os.path.lexists(path) and Path(path).is_relative_to(os.path.realpath(run.root)):
        raise UserError(f"{shown(run.root)} cannot start from itself; name another run, or give another -o.")


def check_origin(run: RunFolder, init_from: str | None) -> str | None:
    """Say what a run begins, or began, with: what is asked for, or else what it recorded. None: new weights.

    Raises:
        UserError: the run is there and began with something else, or it should begin with itself.
    """
    root = shown(run.root)
    if init_from is not None:
        check_apart(run, init_from)
    before = read_record(run)
    if before is None:
        if init_from is not None and checkpoints_in(run.checkpoints):
            raise UserError(
                f"{root} began with new weights, not with {shown(init_from)}; leave --init-from out to go "
                "on, or give another -o."
            )
        return init_from
    if init_from is not None and not _is_same(init_from, before):
        raise UserError(
            f"{root} began with other weights (--init-from: {shown(before['init_from'])} → "
            f"{shown(init_from)}); leave --init-from out to go on, or give another -o."
        )
    return str(before["folder"] or before["init_from"])


def read_record(run: RunFolder) -> dict[str, Any] | None:
    """Read init.json.

    Raises:
        UserError: it is damaged.
    """
    path = init_file(run)
    if not path.exists():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_sound = isinstance(record["init_from"], str) and isinstance(record["is_whole"], bool)
        is_sound = is_sound and isinstance(record["folder"], str | None)
    except (OSError, ValueError, TypeError, KeyError):
        is_sound = False
    if not is_sound:
        raise UserError(f"{shown(path)} is damaged; remove it to go on.")
    return record


def folder_of(name: str) -> str | None:
    """Give the absolute path of a local name, links as they are; a hub id or a name in the box has none."""
    path = os.path.abspath(os.path.expanduser(name))
    return path if os.path.lexists(path) and not is_in_box(name) else None


def _is_same(name: str, before: Mapping[str, Any]) -> bool:
    """Whether a name means what was recorded, even where that is gone or is a link that points on by now."""
    if before["folder"] is None:
        return bool(name == before["init_from"])
    path = os.path.abspath(os.path.expanduser(name))
    return bool(path == before["folder"] or os.path.realpath(path) == os.path.realpath(before["folder"]))
