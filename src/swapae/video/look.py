"""What becomes of the frames of a video: textures that are mixed and ramp, noise that stands still.

Each frame keeps its structure. Its own texture, which flickers from frame to frame, is smoothed over time,
then taken toward the texture that is asked for, then along directions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.editing import Direction, apply, slerp, spherical_mean
from swapae.editing.temporal import Keyframes, Window, smoothed
from swapae.model import SwappingAutoencoder
from swapae.networks import random_noise
from swapae.video.frames import Frame

NOTHING = Image.new("RGB", (1, 1))


@dataclass(frozen=True, eq=False)
class Look:
    """What becomes of the textures of a video. Moments are seconds from its first frame that is written.

    - textures: of other images, `[1, Ct]` each; none leaves frames their own.
    - weights: one for each of them, by which they are mixed, as `mix` does.
    - strength: how far to go from a frame's own texture, smoothed, to that mix: 0 to 1, and past it.
    - along: directions, and how far.
    - smooth: seconds over which the own textures are smoothed; 0 leaves them as they are.
    - window: of the smoothing, see `swapae.editing.temporal.smoothed`.
    - noise: seed of noise that is the same in every frame; None for none.
    """

    textures: Sequence[Tensor] = ()
    weights: Keyframes | None = None
    strength: Keyframes = field(default_factory=lambda: Keyframes.always(1.0))
    along: Sequence[tuple[Direction, Keyframes]] = ()
    smooth: float = 0.0
    window: Window = "gaussian"
    noise: int | None = None

    def __post_init__(self) -> None:
        if self.weights is not None and len(self.weights.values[0]) != len(self.textures):
            have, need = len(self.weights.values[0]), len(self.textures)
            raise ValueError(f"{need} textures need as many weights, not {have}.")

    def codes_at(self, seconds: float, own: Codes) -> Codes:
        """Edit the codes of the frame at a moment."""
        if self.textures:
            texture = slerp(own.texture, self._mixed(seconds), self.strength.at(seconds)[0])
            own = Codes(own.structure, texture, own.size)
        for direction, strength in self.along:
            own = apply(own, direction, strength.at(seconds)[0])
        return own

    def _mixed(self, seconds: float) -> Tensor:
        if len(self.textures) == 1:
            return self.textures[0]
        weights = (1.0,) * len(self.textures) if self.weights is None else self.weights.at(seconds)
        return spherical_mean(self.textures, weights)


def edited_frames(model: SwappingAutoencoder, frames: Iterable[Frame], look: Look) -> Iterator[Frame]:
    """Edit frames of one size, one after the other, in memory that does not grow with their number.

    Where textures are smoothed by a Gaussian, codes of the frames of its window are kept, never pixels.

    Args:
        model: what encodes and decodes.
        frames: in their order.
        look: what becomes of them.

    """
    # A frame's structure and place in time go along, while its texture waits for those around it.
    encoded = ((float(frame.time), *_halves(model, frame)) for frame in frames)
    maps: list[Tensor] | None = None
    for seconds, texture, (frame, own) in smoothed(encoded, look.smooth, look.window):
        codes = look.codes_at(seconds, Codes(own.structure, texture, own.size))
        if look.noise is not None and maps is None:
            maps = standing_noise(model, codes, look.noise)
        yield replace(frame, picture=model.decode_image(codes, maps))


def standing_noise(model: SwappingAutoencoder, codes: Codes, seed: int) -> list[Tensor]:
    """Draw the noise that all frames of codes of this size share."""
    height, width = codes.structure.shape[2:]
    return random_noise(model.generator.noise_shapes(height, width), torch.Generator().manual_seed(seed))


def _halves(model: SwappingAutoencoder, frame: Frame) -> tuple[Tensor, tuple[Frame, Codes]]:
    """Encode a frame, and forget its pixels."""
    codes = model.encode_image(frame.picture)
    return codes.texture, (replace(frame, picture=NOTHING), codes)
