"""How one batch is dealt to processes, and to the micro-batches of each.

A batch of B images is dealt in S = processes × micro-batches shares of m = B/S images; process r takes its
shares one after another. Neighbours (0, 1), (2, 3), … swap, so no share parts them. Of a batch the first half
is reconstructed. Where m is a multiple of 4, share s has the images

    [s·m/2, (s+1)·m/2)  and  B/2 + the same,

and reconstructs the former: all shares together reconstruct what one process would, and the mean of their
gradients is the gradient of the whole batch. Where m is 2, 6, 10, …, half a share would part a pair; share s
then has the images [s·m, (s+1)·m) and reconstructs its own first half: as many images, but other ones.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from swapae.errors import UserError


@dataclass(frozen=True)
class Share:
    """A part of a batch.

    Attributes:
        images: spans of the images it has, in order; the first half of them is reconstructed.
        reconstructions: span, in 0 … B/2, of the reconstructions it makes.
        batch_size: B.
    """

    images: tuple[slice, ...]
    reconstructions: slice
    batch_size: int

    @property
    def positions(self) -> list[int]:
        """The places, in the batch, of the images."""
        return [place for span in self.images for place in range(span.start, span.stop)]

    def of_images(self, drawn: Tensor) -> Tensor:
        """Take, of what was drawn for every image of the batch `[B, …]`, this share's."""
        return self._taken(drawn, self.images)

    def of_decoded(self, drawn: Tensor) -> Tensor:
        """Take, of what was drawn for reconstructions, then hybrids `[3B/2, …]`, this share's."""
        half = self.batch_size // 2
        hybrids = [slice(half + span.start, half + span.stop) for span in self.images]
        return self._taken(drawn, (self.reconstructions, *hybrids))

    def _taken(self, drawn: Tensor, spans: tuple[slice, ...]) -> Tensor:
        if self.reconstructions.stop - self.reconstructions.start == self.batch_size // 2:
            return drawn  # the one share there is
        return torch.cat(
            [drawn[span] for span in spans]
        )  # of spans: an index would have to wait for a device


@lru_cache
def deal(batch_size: int, num_processes: int, accumulate: int) -> list[Share]:
    """Deal a batch to processes, in as many micro-batches each.

    Raises:
        UserError: with the numbers, when that cannot be.
    """
    num_shares = num_processes * accumulate
    _check(batch_size, num_processes, accumulate)
    size = batch_size // num_shares
    half = batch_size // 2
    shares = []
    for s in range(num_shares):
        first = slice(s * size // 2, (s + 1) * size // 2)
        spans: tuple[slice, ...] = (first, slice(half + first.start, half + first.stop))
        if size % 4 and num_shares > 1:
            spans = (slice(s * size, (s + 1) * size),)
        shares.append(Share(spans, first, batch_size))
    return shares


def _check(batch_size: int, num_processes: int, accumulate: int) -> None:
    """Refuse what cannot be dealt."""
    num_shares = num_processes * accumulate
    if batch_size % (2 * num_shares) == 0:
        return
    parts = [f"{num_processes} processes"] * (num_processes > 1)
    parts += [f"{accumulate} micro-batches"] * (accumulate > 1)
    fitting = max(1, round(batch_size / (2 * num_shares))) * 2 * num_shares
    raise UserError(
        f"a batch of {batch_size} images cannot be dealt in pairs to {' of '.join(reversed(parts))}: "
        f"batch_size must be a multiple of {2 * num_shares}, say {fitting}."
    )
