"""The layout of a run directory, and what a run leaves in it for people.

    RUN/config.yaml          the whole TrainConfig
    RUN/data.json            where the images are, how many, and which files were skipped
    RUN/log.jsonl            a line of losses every `log_images` images
    RUN/snapshots/           sample grids
    RUN/checkpoints/         all that is needed to go on (checkpoint.py)
    RUN/model/               averaged encoder and generator: what `-m RUN` loads
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swapae import config as configs
from swapae.data.source import Source
from swapae.errors import UserError
from swapae.training.config import RESUMABLE, TrainConfig


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run directory."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def data(self) -> Path:
        return self.root / "data.json"

    @property
    def log(self) -> Path:
        return self.root / "log.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def model(self) -> Path:
        return self.root / "model"

    def snapshot(self, images_seen: int) -> Path:
        return self.root / "snapshots" / f"images_{images_seen:08d}.png"


def open_run(root: Path, config: TrainConfig, data: str) -> RunFolder:
    """Make a run directory, or enter one that was made with the same config and data.

    Raises:
        UserError: when the folder is something else, or holds a run that learns something else.
    """
    run = RunFolder(root)
    if not run.config.exists():
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise UserError(f"{root} exists and is no run of this program; give another place with -o.")
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{root} cannot be made: {error.strerror}.") from error
    else:
        _check_same(run, config, data)
    configs.save(config, run.config)
    return run


def _check_same(run: RunFolder, config: TrainConfig, data: str) -> None:
    before = configs.load(TrainConfig, run.config)
    changed = [d for d in configs.differences(before, config) if d[0] not in RESUMABLE]
    if changed:
        lines = "\n".join(f"  {name}: {old} → {new}" for name, old, new in changed)
        raise UserError(
            f"{run.root} holds a run with another config; use another -o, or the same settings to go on:\n{lines}"
        )
    if run.data.exists():
        used = str(_read_json(run.data).get("data"))
        if used != data:
            raise UserError(f"{run.root} was trained on {used}, not on {data}; use another -o for other data.")


def write_data_report(run: RunFolder, data: str, source: Source) -> None:
    """Say where the images came from, and which files could not be used."""
    skipped = [{"file": name, "reason": reason} for name, reason in source.skipped]
    write_json(run.data, {"data": data, "num_images": source.num_images, "skipped": skipped})


def append_log(run: RunFolder, entry: Mapping[str, float]) -> None:
    """Add a line to the log."""
    with open(run.log, "a", encoding="utf-8") as file:
        file.write(json.dumps(dict(entry)) + "\n")


def trim_log(run: RunFolder, images_seen: int) -> None:
    """Drop lines beyond the checkpoint a run goes on from: those images will be seen again."""
    if not run.log.exists():
        return
    lines = run.log.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["images_seen"] <= images_seen]
    if kept != lines:
        write_text(run.log, "".join(kept))


def write_json(path: Path, value: object) -> None:
    """Write JSON atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file beside, then put it in place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _read_json(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged; remove it to go on.") from error
    return value if isinstance(value, dict) else {}
