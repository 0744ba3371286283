"""The layout of a run directory, and what a run leaves in it for people.

RUN/config.yaml          the whole TrainConfig
RUN/data.json            where the images are, how many, and which files could not be used
RUN/init.json            of a run that began with another's weights: what was taken (origin.py)
RUN/log.jsonl            a line of losses every `log_images` images; at each checkpoint, what was measured too
RUN/snapshots/           sample grids (samples.py)
RUN/tensorboard/         the same for TensorBoard, if asked for
RUN/report.html          all of this to look at, made anew at each save
RUN/checkpoints/         all that is needed to go on (checkpoint.py)
RUN/model/               averaged encoder and generator: what `-m RUN` loads
RUN/best/                the same of the best checkpoint, if the run is measured (best.py): `-m RUN/best`
RUN/latest               the name of the newest checkpoint, for people and scripts; nothing here reads it
RUN/.lock                who trains in it now (lock.py)
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swapae import config as configs
from swapae.data.open import names_no_path
from swapae.data.source import Source
from swapae.errors import UserError, WriteError
from swapae.files import write_text
from swapae.training.config import RESUMABLE, TrainConfig
from swapae.weights import report


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
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def latest(self) -> Path:
        return self.root / "latest"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def best(self) -> Path:
        return self.root / "best"

    @property
    def tensorboard(self) -> Path:
        return self.root / "tensorboard"

    @property
    def report(self) -> Path:
        return self.root / "report.html"


# ── entering ─────────────────────────────────────────────────────────────────────────────────────


def check_run(run: RunFolder, config: TrainConfig, data: str, source: Source) -> None:
    """Refuse a folder that is something else, or holds a run that learns something else. Nothing is written.

    Raises:
        UserError: with the differences.
    """
    _check_outside(run.root, data)
    try:
        if not run.config.exists():
            _check_free(run.root)
            return
    except OSError as error:
        raise UserError(f"{run.root} cannot be read: {error.strerror}.") from error
    _check_config(run, config)
    if run.data.exists():
        _check_data(run, data, source)


def open_run(run: RunFolder, config: TrainConfig) -> None:
    """Make the run directory, or put one in order that an interrupted run left; write its config."""
    is_new = not run.root.exists()
    with writing(run.root):
        run.root.mkdir(parents=True, exist_ok=True)
    try:
        with writing(run.config):
            if not run.config.exists() or configs.load(TrainConfig, run.config) != config:
                configs.save(config, run.config)
    except UserError:
        if is_new:
            with suppress(OSError):
                run.root.rmdir()
        raise
    for folder in (run.root, run.snapshots, run.checkpoints, run.model, run.best):
        for path in folder.glob(".*.tmp"):
            remove(path)


def _check_outside(root: Path, data: str) -> None:
    """A run's own snapshots must not become its data."""
    folder = _folder(data)
    if folder is not None and Path(os.path.realpath(root)).is_relative_to(folder):
        raise UserError(f"{root} lies inside the images of {data}; give a place outside with -o.")


def _check_free(root: Path) -> None:
    """Hidden files do not count: a run that was killed at once leaves temporary ones."""
    if root.exists() and not (root.is_dir() and all(path.name.startswith(".") for path in root.iterdir())):
        raise UserError(f"{root} exists and is no run of this program; give another place with -o.")


def _check_config(run: RunFolder, config: TrainConfig) -> None:
    before = configs.load(TrainConfig, run.config)
    changed = [d for d in configs.differences(before, config) if d[0] not in RESUMABLE]
    if changed:
        lines = [f"{name}: {old} → {new}" for name, old, new in changed]
        fix = "use another -o, or the same settings to go on"
        raise UserError(report(f"{run.root} holds a run with another config; {fix}", lines))


def _check_data(run: RunFolder, data: str, source: Source) -> None:
    """The same words or the same folder, with as many images: their order depends on the number."""
    before = _read_data(run.data)
    is_same_folder = before["folder"] == _folder(data) and _folder(data) is not None
    if before["data"] != data and not is_same_folder:
        raise UserError(
            f"{run.root} was trained on {before['data']}, not on {data}; use another -o for other data."
        )
    if before["num_images"] != source.num_images:
        raise UserError(
            f"{run.root} was trained on {before['num_images']} images, {data} has {source.num_images} now; "
            f"put them back, use another -o, or remove {run.data} to go on with these."
        )


def _folder(data: str) -> str | None:
    return None if names_no_path(data) else os.path.realpath(data)


# ── what is told ─────────────────────────────────────────────────────────────────────────────────


class DataReport:
    """`data.json`: where the images come from, and the files that cannot be used, each told of once."""

    def __init__(self, run: RunFolder, data: str, source: Source, tell: Callable[[str], None]) -> None:
        self.run = run
        self.data = data
        self.source = source
        self.tell = tell
        self._num_told = 0
        # Files that failed when they were decoded, in an earlier call, have not failed yet in this one.
        before = _read_data(run.data)["skipped"] if run.data.exists() else []
        self._before = {entry["file"]: entry for entry in before}
        self._known: set[str] = set()
        self._write()
        self.update()
        self._known = set(self._before)

    def update(self) -> None:
        """Tell of files that turned out to be unusable since the last time."""
        added = self.source.skipped[self._num_told :]
        self._num_told += len(added)
        new = [entry for entry in added if entry[0] not in self._known]
        if not new:
            return
        self._write()
        files = "1 file" if len(new) == 1 else f"{len(new)} files"
        self.tell(f"{files} of {self.data} cannot be used, see {self.run.data}. The first: {new[0][1]}")

    def _write(self) -> None:
        skipped = {name: {"file": name, "reason": reason} for name, reason in self.source.skipped}
        report = {
            "data": self.data,
            "folder": _folder(self.data),
            "num_images": self.source.num_images,
            "skipped": list((self._before | skipped).values()),
        }
        if not self.run.data.exists() or _read_data(self.run.data) != report:
            write_json(self.run.data, report)


def _read_data(path: Path) -> dict[str, Any]:
    """Read what `DataReport` wrote, with what the first form of it lacked."""
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files = [entry["file"] for entry in report["skipped"]]
        is_sound = {"data", "num_images"} <= report.keys() and all(isinstance(file, str) for file in files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        is_sound = False
    if not is_sound:
        raise UserError(f"{path} is damaged; remove it to go on.")
    return {"folder": None} | report


def append_log(run: RunFolder, *entries: Mapping[str, float]) -> None:
    """Add lines to the log: all or none."""
    lines = "".join(json.dumps(dict(entry), allow_nan=False) + "\n" for entry in entries)
    with writing(run.log):
        size = run.log.stat().st_size if run.log.exists() else 0
        try:
            with open(run.log, "a", encoding="utf-8", newline="\n") as file:
                file.write(lines)
        except OSError:
            if run.log.exists():
                os.truncate(run.log, size)
            raise


def trim_log(run: RunFolder, images_seen: int) -> None:
    """Drop torn lines, and lines beyond the checkpoint a run goes on from: they will be written again."""
    if not run.log.exists():
        return
    lines = run.log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and _images_of(line) <= images_seen]
    if kept != lines:
        write_text(run.log, "".join(kept))


def _images_of(line: str) -> float:
    try:
        return float(json.loads(line)["images_seen"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


# ── files ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_json(path: Path, value: object) -> None:
    """Write JSON atomically."""
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """The one form in which this program writes JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if text.encode(errors="replace").decode() != text:  # the name of some file is no text
        text = json.dumps(value, indent=2)
    return text + "\n"


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as that goes."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
