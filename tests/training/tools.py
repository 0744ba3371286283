"""The smallest training there is, a set of images for it, and ways to look at a run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from swapae.data.transforms import DataConfig
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig
from swapae.training.config import TrainConfig
from swapae.training.loop import RunSummary, train
from swapae.training.objective import LossConfig


def micro(**changes: object) -> TrainConfig:
    """Networks of a few hundred weights for 16² images; eight steps, an R1 step after every third of D."""
    config = TrainConfig(
        model=ModelConfig(
            structure_channels=4,
            texture_channels=8,
            structure_downsamplings=1,
            texture_downsamplings=1,
            encoder_capacity=0.125,
            generator_capacity=0.03125,
        ),
        discriminator=DiscriminatorConfig(image_size=16, capacity=1 / 64, max_channels=8),
        patch_discriminator=PatchDiscriminatorConfig(
            patch_size=16, capacity=0.125, max_channels=8, head_widths=(8, 8)
        ),
        data=DataConfig(load_size=16, crop_size=16),
        loss=LossConfig(num_patches=2, r1_interval=3),
        batch_size=4,
        total_images=32,
        ema_half_life_kimg=0.05,
        log_images=8,
        snapshot_images=16,
        checkpoint_images=16,
        keep_checkpoints=3,
    )
    return replace(config, **changes)  # type: ignore[arg-type]


def make_images(folder: Path, count: int = 6, size: tuple[int, int] = (20, 16)) -> Path:
    """Write noisy pictures, each about a colour of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        rng = np.random.default_rng(i)
        pixels = rng.integers(0, 200, 3) + rng.integers(0, 56, (size[1], size[0], 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:02d}.png")
    return folder


@dataclass
class Heard:
    """A reporter that remembers."""

    messages: list[str] = field(default_factory=list)
    heard_after: list[int] = field(default_factory=list)  # for each message, the number of steps before it
    steps: list[tuple[int, float, dict[str, float]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def start(self, images_seen: int, total_images: int) -> None:
        self.calls.append(f"start {images_seen}/{total_images}")

    def progress(self, images_seen: int, images_per_second: float, losses: Mapping[str, float]) -> None:
        self.steps.append((images_seen, images_per_second, dict(losses)))

    def message(self, text: str) -> None:
        self.messages.append(text)
        self.heard_after.append(len(self.steps))

    def stop(self) -> None:
        self.calls.append("stop")


def run(
    config: TrainConfig, data: object, folder: Path, *, after: int | None = None, heard: Heard | None = None
) -> RunSummary:
    """Train on the CPU, silently; stop before the step that comes when it was asked `after` times."""
    return train(config, str(data), folder, device="cpu", reporter=heard or Heard(), stop=stop_after(after))


def stop_after(steps: int | None) -> Callable[[], bool]:
    """Say False so many times, then True; None never stops."""
    left = iter(range(10**9 if steps is None else steps))
    return lambda: next(left, None) is None


def log_of(folder: Path) -> list[dict[str, float]]:
    """The lines of a log without what the clock has written, and what is measured at saves."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    left_out = ("seconds", "images_per_second", "reconstruction_l1")
    return [{k: v for k, v in line.items() if k not in left_out} for line in lines]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """All files in a folder, by their relative paths."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def names_in(folder: Path) -> list[str]:
    """The names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
