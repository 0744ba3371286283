"""The synthetic domain as a source of training images."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from swapae.data.synthetic.renderer import render
from swapae.data.synthetic.sample import Split, sample_scenes
from swapae.errors import UserError


@dataclass(frozen=True)
class SyntheticSource:
    """Endless pictures of forms wearing materials, a pure function of (seed, index).

    - resolution: side in pixels.
    - seed: names the sequence.
    - split: which forms and materials occur; training sees only the "seen" ones.
    """

    resolution: int
    seed: int = 0
    split: Split = "seen"
    name: str = field(default="synthetic", init=False)
    num_images: int | None = field(default=None, init=False)
    skipped: list[tuple[str, str]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise UserError(f"the synthetic images need a resolution of at least 1, not {self.resolution}")
        if not 0 <= self.seed < 2**64:
            raise UserError(f"the seed of the synthetic images lies in 0 … 2⁶⁴ - 1, {self.seed} does not")

    def read(self, indices: Sequence[int]) -> list[Image.Image]:
        """The pictures at these places in the sequence, RGB, `resolution` square."""
        if not indices:
            return []
        scene = sample_scenes(self.seed, indices, self.split)
        return [Image.fromarray(pixels) for pixels in render(scene.structure, scene.texture, self.resolution)]

    def name_of(self, index: int) -> str:
        """Its place in the sequence."""
        return f"scene {index}"

    def fingerprint(self) -> str:
        """The settings that name the sequence."""
        return f"synthetic {self.resolution} {self.seed} {self.split}"
