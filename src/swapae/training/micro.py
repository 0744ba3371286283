"""All chance of a step: drawn for the whole batch, then dealt with its images to micro-batches."""

from dataclasses import dataclass

import torch
from torch import Tensor

from swapae.losses import Windows, draw, draw_places, draw_views, draw_windows
from swapae.networks import Encoder, Generator, random_noise
from swapae.training.config import TrainConfig
from swapae.training.dealing import Share
from swapae.training.engine import Engine
from swapae.training.objective import LossConfig


@dataclass
class Micro:
    """A micro-batch: images, and what was drawn for them.

    Attributes:
        real: `[m, 3, S, S]`.
        noise: maps `[3m/2, 1, h, w]`, of reconstructions, then hybrids.
        windows: sets of windows for m images each, in the order in which they are used.
        image_draws: chances of the augmentation of the images that D sees, in their order; None is none.
        patch_draws: those of the patches of m images.
        view_draws: chances of the views of m images; None is none.
        places: where the patches that are matched begin; None where none are.
        weight: its part of the batch of this process.
        is_last: whether the gradients of the batch are complete with it.
    """

    real: Tensor
    noise: list[Tensor]
    windows: list[Windows]
    image_draws: Tensor | None
    patch_draws: Tensor | None
    view_draws: Tensor | None
    places: Tensor | None
    weight: float
    is_last: bool


class Dealer:
    """Draws for a batch, in a fixed order, and deals; each process takes its own micro-batches of it."""

    def __init__(self, encoder: Encoder, generator: Generator, config: TrainConfig, engine: Engine) -> None:
        self._stride, self._noise_shapes = encoder.config.stride, generator.noise_shapes
        self.config = config
        self.engine = engine

    def dealt(
        self,
        real: Tensor,
        random: torch.Generator,
        loss: LossConfig,
        *,
        num_sets: int,
        with_noise: bool = True,
        sees_real: bool = True,
    ) -> list[Micro]:
        """Deal a batch.

        Args:
            real: images of this process `[b, 3, S, S]`.
            random: all chance comes from it.
            loss: how patches are drawn.
            num_sets: sets of windows.
            with_noise: images are made.
            sees_real: the image discriminator sees real ones; if not, it is encoder and generator that learn.
        """
        config, accumulate = self.config, self.config.accumulate
        batch_size = len(real) * self.engine.num_processes
        shares = self.engine.shares(batch_size, accumulate)
        noise = self._noise(real, random, 3 * batch_size // 2) if with_noise else []
        windows = [_windows(batch_size, loss, random) for _ in range(num_sets)]
        of_real, of_made, of_patches = (
            draw(config.augment, number, random) for number in (batch_size, 3 * batch_size // 2, batch_size)
        )
        is_making = with_noise and not sees_real
        views = draw_views(config.views, batch_size, random) if is_making else None
        places = draw_places(random) if is_making and loss.patch_match else None
        images = [real] if accumulate == 1 else real.chunk(accumulate)
        return [
            Micro(
                real=images[i],
                noise=[share.of_decoded(one) for one in noise],
                windows=[Windows(*map(share.of_images, one)) for one in windows],
                image_draws=_share_of_draws(
                    share, of_real if sees_real else None, of_made if with_noise else None
                ),
                patch_draws=_share_of_draws(share, of_patches, None),
                view_draws=_share_of_draws(share, views, None),
                places=places,
                weight=1 / accumulate,
                is_last=i == accumulate - 1,
            )
            for i, share in enumerate(shares)
        ]

    def _noise(self, real: Tensor, random: torch.Generator, batch: int) -> list[Tensor]:
        """Draw maps for images of this size."""
        height, width = (side // self._stride for side in real.shape[2:])
        return random_noise(self._noise_shapes(height, width), random, batch=batch)


def _windows(batch: int, loss: LossConfig, random: torch.Generator) -> Windows:
    """Draw a set of windows for so many images."""
    return draw_windows(batch, loss.num_patches, loss.patch_min_scale, loss.patch_max_scale, random)


def _share_of_draws(share: Share, of_real: Tensor | None, of_made: Tensor | None) -> Tensor | None:
    """Take this share's of what was drawn for real images, then for reconstructions and hybrids."""
    parts = [share.of_images(of_real)] if of_real is not None else []
    parts += [share.of_decoded(of_made)] if of_made is not None else []
    return torch.cat(parts) if parts else None
