"""A training in float64 that writes down what it read and drew.

    python -m tests.training.recorded DATA RUN RECORDS STEPS

Started alone it is one process; with RANK, WORLD_SIZE, … set it is one of several. The record has the
positions of the images that this process itself read and hashes of their pixels; hashes of the images that
came to each step, whoever read them; and hashes of each image's windows and noise.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.training.tools import Heard, micro, stop_after
from torch import Tensor

from swapae.data.stream import SampleStream
from swapae.losses import AugmentConfig
from swapae.training import loop
from swapae.training.checkpoint import Learner
from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.step import Micro, Steps


def config_of(**changes: object) -> TrainConfig:
    """Eight images a step, twenty steps of each kind, an R1 step after every third of the discriminators.

    With all that has chances or a gradient of its own: augmentation of a strength that moves, consistency.
    """
    few = {"batch_size": 8, "total_images": 320, "checkpoint_images": 10**6, "snapshot_images": 10**6}
    augment = AugmentConfig("ada", strength=0.4, target=0.1, interval=3, speed_kimg=0.2)
    loss = replace(micro().loss, structure_consistency=0.5, texture_consistency=0.5)
    return micro(**few | {"log_images": 80, "augment": augment, "loss": loss} | changes)


def train_recorded(
    data: Path, run: Path, record: Path, steps: int | None = None, config: TrainConfig | None = None
) -> None:
    """Train in double precision, and write the record."""
    read: list[int] = []
    pixels: list[str] = []
    placed: list[list[str]] = []
    drawn: list[list[list[str]]] = []
    make, show, images, deal = loop.make_learner, loop.images_to_show, SampleStream.images, Steps._dealt

    def doubled(config: TrainConfig, engine: Engine) -> Learner:
        learner = make(config, engine)
        for module in (*learner.networks.named().values(), learner.ema.model):
            module.double()
        return learner

    def recording(self: SampleStream, positions: Sequence[int]) -> list[Image.Image]:
        pictures = images(self, positions)
        read.extend(positions)
        pixels.extend(hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures)
        return pictures

    def placing(self: Engine, images: Tensor) -> Tensor:
        placed.append([digest([image]) for image in images])
        return images.double()

    def dealt(self: Steps, *arguments: object, **options: object) -> list[Micro]:
        batch = deal(self, *arguments, **options)  # type: ignore[arg-type]
        drawn.append([rows(micro) for micro in batch])
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "make_learner", doubled)
        patch.setattr(loop, "images_to_show", lambda *arguments: show(*arguments).double())
        patch.setattr(Engine, "place", placing)
        patch.setattr(SampleStream, "images", recording)
        patch.setattr(Steps, "_dealt", dealt)
        loop.train(config or config_of(), data, run, device="cpu", reporter=Heard(), stop=stop_after(steps))
    record.write_text(json.dumps({"read": read, "pixels": pixels, "placed": placed, "drawn": drawn}))


def rows(micro: Micro) -> list[str]:
    """Hashes of what is drawn for each image, hybrid noise with it; then of each reconstruction's noise."""
    size = len(micro.real)
    windows = [part for one in micro.windows for part in one]
    windows += [] if micro.patch_draws is None else [micro.patch_draws]
    hybrids = [one[-size:] for one in micro.noise]
    halves = [one[:-size] for one in micro.noise]
    of_images = [digest([*(w[i] for w in windows), *(n[i] for n in hybrids)]) for i in range(size)]
    return of_images + [digest([n[i] for n in halves]) for i in range(size // 2 if halves else 0)]


def digest(tensors: Sequence[Tensor]) -> str:
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()[:16]


if __name__ == "__main__":
    torch.set_num_threads(1)
    folders, steps = sys.argv[1:4], sys.argv[4]
    data, run, record = map(Path, folders)
    train_recorded(data, run, record / f"{os.environ['RANK']}.json", int(steps))
