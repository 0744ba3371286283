"""Kill trainings, and see whether anything is lost: `python -m tests.training.killed --times 50`.

A tiny training is killed at random moments, among them before its first save, while a checkpoint is written,
during its rename and while old ones are removed; then the same call goes on with it. It must resume every
time, from the newest checkpoint that was complete when it was killed, and end with every tensor, line and
picture of a training that nobody killed. The product has no hooks for this: the child replaces functions by
such that say in shared memory where it is, and that draw short moments out, so that they can be hit.
"""

import argparse
import hashlib
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from tests.training.tools import bytes_of, log_of, make_images, micro, names_in

from swapae.training import checkpoint, retention, saver
from swapae.training.engine import Engine
from swapae.training.loop import train
from swapae.training.report import Quiet
from swapae.training.setup import make_learner
from swapae.weights import digest, load_tensors

CONFIG = micro(
    total_images=48,
    checkpoint_images=8,
    snapshot_images=32,
    keep_checkpoints=2,
    keep_best=1,
    keep_every_images=32,
)
PHASES = ("starting", "training", "writing", "renaming", "pruning")
STARTING, TRAINING, WRITING, RENAMING, PRUNING = range(5)
MOMENTS = ("before the first save", *PHASES)
KINDS = ("any", MOMENTS[0], "writing", "renaming", "pruning")  # of moments that are aimed at, in turn
PAUSE = 0.002  # seconds that a moment is drawn out
NOWHERE = -1
PATIENCE = 120.0  # seconds until a child is taken to hang


def number_at(offset: int) -> property:
    """A number in the memory of a `Place`."""

    def get(self: "Place") -> int:
        return int(struct.unpack_from("q", self.memory, offset)[0])

    def put(self: "Place", value: int) -> None:
        struct.pack_into("q", self.memory, offset, value)

    return property(get, put)


class Place:
    """Where a child is, in memory shared with its parent, and where it is to wait for its end."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 40)

    phase = number_at(0)
    saved = number_at(8)  # images of the last save
    held = number_at(16)  # the phase in which the child is to wait, or NOWHERE
    countdown = number_at(24)  # pauses of that phase before the one
    is_held = number_at(32)

    @contextmanager
    def within(self, phase: int) -> Iterator[None]:
        before, self.phase = self.phase, phase
        yield
        self.phase = before

    def pause(self) -> None:
        """Draw a moment out, or wait in it for the end."""
        if self.phase == self.held:
            if self.countdown <= 0:
                self.is_held = 1
                time.sleep(PATIENCE)
            self.countdown -= 1
        time.sleep(PAUSE)


# ── the child ────────────────────────────────────────────────────────────────────────────────────


def watch(place: Place) -> None:
    """Let this process say where it is, and pause there."""
    replace, write, save, remove = os.replace, checkpoint._write, saver.save_checkpoint, retention.remove

    def spied_replace(source: str, target: str) -> None:
        if not Path(target).name.startswith(retention.PREFIX):
            replace(source, target)
            return
        with place.within(RENAMING):
            place.pause()
            replace(source, target)
            place.pause()

    def pausing(function: Callable[..., None]) -> Callable[..., None]:
        def spied(*arguments: object) -> None:
            place.pause()
            function(*arguments)

        return spied

    def spied_write(*arguments: object) -> None:
        with place.within(WRITING):
            write(*arguments)  # type: ignore[arg-type]

    def spied_remove(path: Path) -> None:
        with place.within(PRUNING):
            for file in sorted(path.glob("*")):
                place.pause()
                file.unlink()
            place.pause()
            remove(path)

    def spied_save(*arguments: object) -> Path:
        path = save(*arguments)  # type: ignore[arg-type]
        place.saved = retention.images_of(path)
        return path

    os.replace = spied_replace  # type: ignore[assignment]
    checkpoint._write, retention.remove, saver.save_checkpoint = spied_write, spied_remove, spied_save  # type: ignore[assignment]
    for name in ("sync_folder", "save_tensors", "write_json"):
        setattr(checkpoint, name, pausing(getattr(checkpoint, name)))


class Telling(Quiet):
    """A reporter that notes when training begins."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def start(self, images_seen: int, total_images: int) -> None:
        self.place.phase, self.place.saved = TRAINING, images_seen
        self.place.pause()


def start(run: Path, images: Path, place: Place) -> int:
    """Start a training in a process forked from this one, which has imported all but computed nothing."""
    place.phase = STARTING
    if pid := os.fork():
        return pid
    status = 1
    try:
        watch(place)
        train(CONFIG, str(images), run, device="cpu", reporter=Telling(place))
        status = 0
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(status)


# ── the parent ───────────────────────────────────────────────────────────────────────────────────


def has_ended(pid: int) -> int | None:
    """A child's wait status, if it has ended."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return status if ended else None


def kill_at(pid: int, is_there: Callable[[], bool], delay: float) -> bool:
    """Kill a child some time after it has come to a place; whether it was not over before."""
    end = time.monotonic() + PATIENCE
    while not is_there():
        if has_ended(pid) is not None:
            return False
        if time.monotonic() > end:
            raise RuntimeError("a training hangs")
        time.sleep(0.0001)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def aim(
    rng: random.Random, kind: str, place: Place, seconds: float, is_sure: bool
) -> tuple[Callable[[], bool], float]:
    """Set a moment at which to kill: when it has come, and how long after that.

    Short moments are met by letting the child wait in one of them, or by being quick; those that must be met,
    by the first.
    """
    place.held, place.countdown, place.is_held = NOWHERE, 0, 0
    if kind == "any":
        return lambda: True, rng.uniform(0, seconds)
    phase = TRAINING if kind == MOMENTS[0] else PHASES.index(kind)
    if is_sure:
        place.held = phase
        return lambda: bool(place.is_held), 0.0
    if kind == MOMENTS[0]:
        return lambda: place.phase == TRAINING, rng.uniform(0, 0.1)
    if rng.random() < 0.3:
        saved = rng.choice([0, 8, 24])
        return lambda: place.phase == phase and place.saved >= saved, rng.uniform(0, 4 * PAUSE)
    place.held, place.countdown = phase, rng.randrange(12)
    return lambda: bool(place.is_held), 0.0


def moment_of(place: Place, has_saved: bool) -> str:
    """Name where a child was killed."""
    is_first = not has_saved and place.phase in (STARTING, TRAINING)
    return MOMENTS[0] if is_first else PHASES[place.phase]


def digest_of(run: Path) -> str:
    """Digest all that a finished run has learnt, logged and drawn; what the clock has written is left out."""
    last = checkpoint.newest_valid(run / "checkpoints")
    assert last is not None
    files = [*sorted(last.glob("*.safetensors")), run / "model" / "model.safetensors"]
    parts = [last.name, *(digest(load_tensors(file)[0]) for file in files), repr(log_of(run))]
    parts += [repr(names_in(run / "checkpoints")), repr(bytes_of(run / "snapshots"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Trials:
    """Runs that are killed, once or several times each, and then go on to their end.

    Args:
        folder: where.
        seed: of the moments.
        tell: hears of each run.
    """

    def __init__(self, folder: Path, seed: int, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.tell = tell
        self.images = make_images(folder / "images")
        make_learner(CONFIG, Engine(torch.device("cpu")))  # what that imports is there for all children
        self.place = Place()
        self.num_aimed = 0
        self.hits: Counter[str] = Counter()
        self.failures: list[str] = []
        begin = time.monotonic()
        self._finish(folder / "unbroken")
        self.seconds = time.monotonic() - begin
        self.expected = digest_of(folder / "unbroken")

    @property
    def num_kills(self) -> int:
        return self.hits.total()

    @property
    def _next_kind(self) -> str:
        return KINDS[self.num_aimed % len(KINDS)]

    def run(self, times: int) -> None:
        """Kill so many times, and compare the end of every run."""
        while self.num_kills < times:
            run, before = self.folder / "run", self.num_kills
            moments = []
            while self.num_kills < times and (moment := self._kill(run)) is not None:
                moments.append(moment)
                if (
                    self.rng.random() < 0.5 or self._next_kind == MOMENTS[0]
                ):  # which a new run is sure to have
                    break
            self._finish(run)
            if digest_of(run) != self.expected:
                self.failures.append(f"killed {', '.join(moments)}: another end")
            self.tell(f"{before} to {self.num_kills} kills: {', '.join(moments) or 'over before'}")
            shutil.rmtree(run)

    def _kill(self, run: Path) -> str | None:
        """Kill a run, or find that it is over; then no checkpoint may be missing."""
        has_saved = checkpoint.newest_valid(run / "checkpoints") is not None
        self.place.saved = 0
        kind, is_sure = self._next_kind, self.num_aimed < len(KINDS)
        self.num_aimed += 1
        is_there, delay = aim(self.rng, kind, self.place, self.seconds, is_sure)
        pid = start(run, self.images, self.place)
        if not kill_at(pid, is_there, delay):
            return None
        newest = checkpoint.newest_valid(run / "checkpoints")
        moment = moment_of(self.place, has_saved or newest is not None)
        self.hits[moment] += 1
        images = retention.images_of(newest) if newest else 0
        if images < self.place.saved:
            self.failures.append(f"killed {moment}: a checkpoint at {self.place.saved} images is lost")
        return moment

    def _finish(self, run: Path) -> None:
        """Go on to the end."""
        self.place.held = NOWHERE
        _, status = os.waitpid(start(run, self.images, self.place), 0)
        if status:
            self.failures.append(f"a run does not resume: {status}")
            raise RuntimeError(self.failures[-1])


def main() -> int:
    """Kill as often as asked, print what was hit; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(Path(folder), options.seed, lambda text: print(text, file=sys.stderr))
        trials.run(options.times)
    for moment in MOMENTS:
        print(f"{trials.hits[moment]:3d} {moment}")
    print(f"{trials.num_kills:3d} kills, {len(trials.failures)} failures")
    for failure in trials.failures:
        print(failure)
    return 1 if trials.failures else 0


if __name__ == "__main__":
    sys.exit(main())
