"""`swapae info`: what a model or a run is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import CommonOptions, Flag, Report
from swapae.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def info(
    model: Annotated[Positional[str], arg(metavar="MODEL|RUN")],
    *,
    digest: Flag = False,
    common: CommonOptions,
) -> Report:
    """Print the config and the parameter counts of a model or a run.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        digest: Print, last, a SHA-256 over all weights and, of a run, optimizer state and counters.
    """
    run = Path(model)
    report = _of_run(run, digest) if (run / "config.yaml").is_file() else _of_model(model, digest)
    for line in _lines(report):
        common.show(line)
    return report


def _of_model(model: str, has_digest: Flag) -> Report:
    from swapae import box
    from swapae.hub import commit_of
    from swapae.locate import find_weights

    path = find_weights(model, box.WEIGHTS)  # before torch comes: what is not there is said at once
    from swapae import config as configs
    from swapae import weights
    from swapae.model import config_in

    tensors, metadata = weights.load_tensors(path)
    commit = commit_of(path)
    report: Report = {
        "model": str(path),
        **({} if commit is None else {"hub": f"{commit.repo} at revision {commit.revision}"}),
        "config": configs.to_dict(config_in(metadata, path)),
        "parameters": counts(tensors),
    }
    return report | ({"digest": weights.digest(tensors)} if has_digest else {})


def _of_run(run: Path, has_digest: Flag) -> Report:
    import json

    from swapae import config as configs
    from swapae import weights
    from swapae.model import WEIGHTS_FILE
    from swapae.training.checkpoint import newest_valid
    from swapae.training.config import TrainConfig
    from swapae.training.origin import read_record
    from swapae.training.run import RunFolder

    folder = RunFolder(run)
    report: Report = {"run": str(run), "config": configs.to_dict(configs.load(TrainConfig, folder.config))}
    record = read_record(folder)
    report |= {} if record is None else {"began_with": record.get("place")}
    checkpoint = newest_valid(folder.checkpoints)
    if checkpoint is None and any((place / WEIGHTS_FILE).is_file() for place in (run, folder.model)):
        return report | _of_model(str(run), has_digest)  # a run that was kept without its checkpoints
    if checkpoint is None:
        if has_digest:
            raise UserError(f"{run} has no checkpoint yet: there is nothing to take a digest of.")
        return report | {"checkpoint": None}
    files = {kind: weights.load_tensors(checkpoint / f"{kind}.safetensors")[0] for kind in KINDS}
    state = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    counters = {name: state[name] for name in ("images_seen", "steps")}
    report |= {"checkpoint": str(checkpoint), **counters, "parameters": counts(files["weights"])}
    return report | ({"digest": weights.digest(_together(files, counters))} if has_digest else {})


KINDS = ("weights", "ema", "optimizer")


def _together(files: dict[str, dict[str, "Tensor"]], counters: dict[str, int]) -> dict[str, "Tensor"]:
    """All that decides how a run goes on, under names of its own."""
    import torch

    tensors = {f"{kind}/{name}": tensor for kind, some in files.items() for name, tensor in some.items()}
    return tensors | {f"state/{name}": torch.tensor(value) for name, value in counters.items()}


def counts(tensors: dict[str, "Tensor"]) -> dict[str, int]:
    """Numbers of parameters by network, and in all."""
    found: dict[str, int] = {}
    for name, tensor in tensors.items():
        network = name.split(".", 1)[0]
        found[network] = found.get(network, 0) + tensor.numel()
    return found | {"total": sum(found.values())}


def _lines(report: Report) -> list[str]:
    lines: list[str] = []
    for name, value in report.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {line}" for line in _lines(value))]
        elif name == "digest":
            lines.append(f"digest {value}")
        else:
            lines.append(f"{name}: {f'{value:,}' if type(value) is int else value}")
    return lines
