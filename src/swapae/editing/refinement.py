"""Refinement of codes by a few steps of optimisation, for photos that the encoder misses.

It is ours; the paper has the encoder's codes alone (§3). Codes move over their spheres by Riemannian Adam
(Bécigneul and Ganea 2019, arXiv:1810.00760): the gradient's part along the sphere, its length averaged for
each code as a whole, and a step along the sphere. Nothing is drawn at random.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from swapae.codes import Codes, common_batch
from swapae.editing.sphere import length, unit
from swapae.layers.recompute import recomputing
from swapae.losses.reconstruction import l1_gradient_loss, l1_loss
from swapae.model import SwappingAutoencoder
from swapae.networks import Generator

Quality = Literal["draft", "normal", "best"]
STEPS: dict[Quality, int] = {"draft": 20, "normal": 100, "best": 400}

STRUCTURE_RATE, TEXTURE_RATE, NOISE_RATE = 0.2, 0.2, 0.05  # radians a step at first; units of the noise
BETAS = 0.9, 0.99
PATIENCE, LEAST_GAIN = 10, 0.002  # so many steps in a row that gain less than this part halve the steps
LEAST_RATE = 0.1  # of the first; steps that were halved to less end it
MOST_KEPT = 2**19  # pixels of a batch beyond which activations are computed twice rather than kept

OnStep = Callable[[int, int, float], bool | None]


@dataclass(frozen=True, eq=False)
class Refined:
    """What a refinement found.

    Attributes:
        codes: the best of all steps, for each image; those at the start if nothing was better.
        noise: maps to decode with, where noise was refined; else None.
        start: the error at the start, `[B]`.
        error: the error of the codes, `[B]`, never more.
        num_steps: steps that were taken.
    """

    codes: Codes
    noise: list[Tensor] | None
    start: Tensor
    error: Tensor
    num_steps: int


def refine(
    model: SwappingAutoencoder,
    images: Tensor,
    *,
    steps: int | None = None,
    quality: Quality = "normal",
    codes: Codes | None = None,
    structure: bool = True,
    texture: bool = True,
    noise: bool = False,
    edges: float = 1.0,
    on_step: OnStep | None = None,
) -> Refined:
    """Move codes so that they decode to the images more exactly.

    A step takes about three times as long as decoding. Where it gains no more, it ends earlier; a batch does
    so together.

    Args:
        model: it stays as it is.
        images: `[B, 3, H, W]` in [-1, 1]; each is refined for itself.
        steps: how many at most; None for as many as `quality` says: 20, 100 or 400.
        quality: "draft", "normal" or "best".
        codes: where to start; None encodes the images.
        structure: may the structure move?
        texture: may the texture move?
        noise: refine noise maps too, within the mean square of what training adds. They take up fine detail
            that no code can hold, and that stays in its place whatever is done to the codes.
        edges: weight of the error of edges beside that of colours.
        on_step: called with the number of steps taken, that of all, and the mean error; False ends it.

    Raises:
        ValueError: there are neither codes nor noise to move, images and codes do not fit, or what the codes
            decode to is no picture.
    """
    wanted = STEPS[quality] if steps is None else steps
    if wanted < 0 or not (structure or texture or noise):
        raise ValueError(
            f"{wanted} steps over structure={structure}, texture={texture}, noise={noise}: none."
        )
    start = model.encode(images) if codes is None else codes
    if common_batch(len(start), len(images)) != len(images) or start.size != tuple(images.shape[2:]):
        raise ValueError(f"codes of {len(start)} images of {start.size} do not fit {list(images.shape)}.")
    with torch.inference_mode(False), torch.enable_grad():
        search = _Search(model, images, start, noise, edges)
        movers = search.movers(structure, texture)
        num_steps = _descend(search, movers, wanted, on_step)
    return search.found(num_steps)


class _Search:
    """Where the codes are, and the best places they have been."""

    def __init__(
        self, model: SwappingAutoencoder, images: Tensor, start: Codes, noise: bool, edges: float
    ) -> None:
        # A copy, since others may use the model: gradients of weights, unneeded, would double the work.
        self.generator: Generator = copy.deepcopy(model.generator).float().requires_grad_(False)
        like = self.generator.to_rgb.bias
        self.images, self.size, self.edges = images.to(like), start.size, edges
        self.structure = unit(start.structure.to(like)).expand(len(images), -1, -1, -1).clone()
        texture = unit(start.texture.to(like))
        self.texture = texture.expand(len(images), *texture.shape[1:]).clone()
        shapes = self.generator.noise_shapes(*start.structure.shape[2:]) if noise else []
        self.noise = [like.new_zeros(len(images), *shape[1:]) for shape in shapes]
        self.best = like.new_full((len(images),), math.inf)
        self.first = self.best
        self.kept = [one.clone() for one in self._all()]

    def movers(self, structure: bool, texture: bool) -> list["_Mover"]:
        """Give what moves the codes that may move, and the noise."""
        codes = [(self.structure, STRUCTURE_RATE)] * structure + [(self.texture, TEXTURE_RATE)] * texture
        return [_OnSphere(*one) for one in codes] + [_Noise(one, NOISE_RATE) for one in self.noise]

    def errors(self) -> Tensor:
        """Decode, and measure the difference of colours and of edges, `[B]`."""
        with recomputing(self.images.numel() // 3 > MOST_KEPT):
            decoded = self.generator(self.structure, self.texture, self.noise or None)
        decoded = decoded[:, :, : self.size[0], : self.size[1]]
        return l1_loss(decoded, self.images) + self.edges * l1_gradient_loss(decoded, self.images)

    def keep_best(self, errors: Tensor) -> float:
        """Keep what is better than all before, image by image; tell the largest part of an error gained."""
        errors = errors.detach()
        is_better = errors < self.best  # NaN is not
        gained = torch.where(is_better, 1 - errors / self.best, 0).max()
        self.first = torch.where(self.first.isinf(), errors, self.first)
        self.best = torch.where(is_better, errors, self.best)
        for kept, one in zip(self.kept, self._all(), strict=True):
            kept[is_better] = one.detach()[is_better]
        return float(gained)

    def found(self, num_steps: int) -> Refined:
        """Give the best codes."""
        structure, texture, *noise = self.kept
        return Refined(Codes(structure, texture, self.size), noise or None, self.first, self.best, num_steps)

    def _all(self) -> list[Tensor]:
        return [self.structure, self.texture, *self.noise]


class _Mover:
    """Adam, for one tensor that is changed in place."""

    def __init__(self, point: Tensor, rate: float) -> None:
        self.point, self.rate = point.requires_grad_(), rate
        self.mean = torch.zeros_like(point)
        self.square = torch.zeros((), device=point.device)
        self.count = 0

    def step(self, gradient: Tensor, square: Tensor, rate: float) -> Tensor:
        """Take a gradient in, and give the step against it."""
        self.count += 1
        self.mean = BETAS[0] * self.mean + (1 - BETAS[0]) * gradient
        self.square = BETAS[1] * self.square + (1 - BETAS[1]) * square
        mean = self.mean / (1 - BETAS[0] ** self.count)
        spread = (self.square / (1 - BETAS[1] ** self.count)).sqrt()
        return -self.rate * rate * mean / spread.clamp(min=1e-12)

    @torch.no_grad()
    def move(self, gradient: Tensor, rate: float) -> None:
        """Go one step; `rate` is the part of the first rate that is left."""
        raise NotImplementedError


class _OnSphere(_Mover):
    """Over spheres of dimension 1: one for a texture vector, one at each place of a map."""

    @torch.no_grad()
    def move(self, gradient: Tensor, rate: float) -> None:
        across = self._tangent(gradient)
        step = self.step(across, length(across).square(), rate)
        self.point.copy_(unit(self.point + step))
        self.mean = self._tangent(self.mean)

    def _tangent(self, vector: Tensor) -> Tensor:
        return vector - (vector * self.point).sum(1, keepdim=True) * self.point


class _Noise(_Mover):
    """Inside a ball: maps of at most unit mean square."""

    @torch.no_grad()
    def move(self, gradient: Tensor, rate: float) -> None:
        self.point.add_(self.step(gradient, gradient.square(), rate))
        size = self.point.square().mean((2, 3), keepdim=True).sqrt()
        self.point.div_(size.clamp(min=1))


def _descend(search: "_Search", movers: Sequence["_Mover"], wanted: int, on_step: OnStep | None) -> int:
    """Take steps until all are taken, nothing is gained any more, or somebody says so; tell how many."""
    idle, halved = 0, 1.0
    for step in range(wanted + 1):
        errors = search.errors()
        if step == 0 and not errors.isfinite().all():
            raise ValueError("at the start the error is no number: images, codes or weights are damaged.")
        idle = 0 if search.keep_best(errors) > LEAST_GAIN else idle + 1
        if idle >= PATIENCE:
            idle, halved = 0, halved / 2
        has_ended = on_step is not None and on_step(step, wanted, float(search.best.mean())) is False
        if step == wanted or has_ended or halved < LEAST_RATE:
            return step
        rate = halved * 0.5 * (1 + math.cos(math.pi * step / wanted))
        gradients = torch.autograd.grad(errors.sum(), [mover.point for mover in movers])
        for mover, gradient in zip(movers, gradients, strict=True):
            mover.move(gradient, rate)
    raise AssertionError("unreachable")
