"""Measure encode, decode, swap and a 5×5 grid.

    python -m benchmarks.inference [--only decode] [--resolution 256] [--batch 1] [--quick] [--json]

Ours is the public `SwappingAutoencoder`, warm, without a cache of codes. Noise is drawn once, beforehand, and
given to both. A grid of batch b decodes b hybrids a call; the published evaluator makes them one by one.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from benchmarks.baseline import BaselineModel
from benchmarks.driver import main
from benchmarks.flops import count
from benchmarks.jobs import PUBLISHED, Case, Job, Outputs, model_of, seeded_images, train_config
from swapae.codes import Codes
from swapae.model import SwappingAutoencoder
from swapae.networks import random_noise

GRID = 5  # structures, and textures
RESOLUTIONS, BATCHES = (64, 256, 512, 1024), (1, 4, 8)
BYTES_PER_PIXEL = {"encode": 1500, "decode": 6500, "swap": 6500, "grid": 6500}  # of the baseline, roughly
HEAVY_PIXELS = 512**2 * 8


def cases(model: str | None = None, resolution: int | None = None, batch: int | None = None) -> list[Case]:
    """List the rows, for one resolution or batch if given."""
    return [
        case_of(name, side, number, model or PUBLISHED)
        for side in ([resolution] if resolution else RESOLUTIONS)
        for number in ([batch] if batch else BATCHES)
        for name in BYTES_PER_PIXEL
    ]


def case_of(name: str, side: int, batch: int, model: str) -> Case:
    """Make one row."""
    pixels = side**2 * (1 if name == "grid" else batch)  # the published grid goes one by one
    return Case(
        module="inference",
        name=name,
        resolution=side,
        batch=batch,
        model=model,
        is_heavy=side**2 * batch >= HEAVY_PIXELS or (name == "grid" and side >= 512),
        gigabytes=pixels * BYTES_PER_PIXEL[name] / 1e9,
    )


def job(case: Case, role: str) -> Job:
    """Build a row for a role."""
    model = model_of(case.model)
    work = Ours(model, case) if role == "ours" else Baseline(model, case)
    return Job([(1.0, getattr(work, case.name))])


def flops(case: Case) -> float:
    """Count what the row needs: a grid needs each image encoded once."""
    with torch.device("meta"):
        model = SwappingAutoencoder(train_config(case.model).model)
    work = Baseline(model.to("meta"), case, device="meta")
    if case.name != "grid":
        return count(getattr(work, case.name))
    one = Baseline(model, case_of("grid", case.resolution, 1, case.model), device="meta")
    return 2 * GRID * count(one.encode) + GRID**2 * count(one.decode)


class Work:
    """The inputs of a row, the same in every process."""

    def __init__(self, model: SwappingAutoencoder, case: Case, device: str = "cpu") -> None:
        config, side, batch = model.config, case.resolution, case.batch
        self.batch = batch
        self.images = seeded_images(batch, side).to(device)
        self.others = seeded_images(batch, side, seed=1).to(device)
        self.structures = [seeded_images(1, side, seed=i).to(device) for i in range(GRID)]
        self.textures = [seeded_images(1, side, seed=GRID + i).to(device) for i in range(GRID)]
        place = max(-(-side // config.stride), config.min_side // config.stride)
        random = torch.Generator().manual_seed(2)
        structure = torch.randn(batch, config.structure_channels, place, place, generator=random)
        texture = torch.randn(batch, config.texture_channels, generator=random)
        self.codes = Codes(structure.to(device), texture.to(device), (side, side))
        self.noise = [
            one.to(device) for one in random_noise(model.generator.noise_shapes(place, place), random)
        ]


class Baseline(Work):
    """By the published operations and calls."""

    def __init__(self, model: SwappingAutoencoder, case: Case, device: str = "cpu") -> None:
        super().__init__(model, case, device)
        self.model = BaselineModel(model)

    def encode(self) -> Outputs:
        codes = self.model.encode(self.images)
        return codes.structure, codes.texture

    def decode(self) -> Outputs:
        return [self.model.decode(self.codes, self.noise)]

    def swap(self) -> Outputs:
        return [self.model.swap(self.images, self.others, self.noise)]

    def grid(self) -> Outputs:
        return [
            torch.cat([thumb(one) for one in self.model.grid(self.structures, self.textures, self.noise)])
        ]


class Ours(Work):
    """By the public methods of the package; images come again here, so their codes are not kept."""

    def __init__(self, model: SwappingAutoencoder, case: Case) -> None:
        super().__init__(model, case)
        self.model = model
        self.model.codes_cache = None

    def encode(self) -> Outputs:
        codes = self.model.encode(self.images)
        return codes.structure, codes.texture

    def decode(self) -> Outputs:
        return [self.model.decode(self.codes, self.noise)]

    def swap(self) -> Outputs:
        return [self.model.swap(self.images, self.others, noise=self.noise)]

    def grid(self) -> Outputs:
        return [torch.cat([thumb(images) for images in self._hybrids()])]

    def _hybrids(self) -> Iterator[Tensor]:
        """Encode every image once; decode the pairs, row by row."""
        own = [self.model.encode(image) for image in self.structures]
        others = [self.model.encode(image) for image in self.textures]
        pairs = [Codes(one.structure, other.texture, one.size) for one in own for other in others]
        for part in parts(pairs, self.batch):
            yield self.model.decode(Codes.cat(part), self.noise)


def parts(pairs: Sequence[Codes], size: int) -> Iterator[Sequence[Codes]]:
    """Cut a list into parts of a size; the last may be shorter."""
    return (pairs[i : i + size] for i in range(0, len(pairs), size))


def thumb(images: Tensor) -> Tensor:
    """Keep some pixels for the comparison, so that a grid need not lie in memory."""
    return images[:, :, ::16, ::16].clone()


if __name__ == "__main__":
    main(__doc__, cases)
