"""One optimizer step of each kind (model-spec §9.2–9.4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam

from swapae.codes import Codes
from swapae.layers.recompute import recomputing
from swapae.losses import Windows, cut, draw_windows
from swapae.networks import random_noise
from swapae.training.config import TrainConfig
from swapae.training.ema import parameters_of
from swapae.training.engine import Engine
from swapae.training.objective import (
    Networks,
    Terms,
    image_discriminator_terms,
    image_generator_terms,
    image_r1_terms,
    patch_discriminator_terms,
    patch_generator_terms,
    patch_r1_terms,
    reconstruct_and_mix,
    total,
)


@dataclass
class Optimizers:
    """Adam of encoder and generator, and Adam of the two discriminators."""

    generator: Adam
    discriminator: Adam


def make_optimizers(networks: Networks, config: TrainConfig) -> Optimizers:
    """Make both. Lazy R1 adds a step to every k of the discriminators; c = k/(k+1) makes up for it."""
    optimizer = config.optimizer
    c = config.loss.r1_interval / (config.loss.r1_interval + 1)
    return Optimizers(
        generator=Adam(
            parameters_of(networks.encoder, networks.generator),
            lr=optimizer.learning_rate,
            betas=(optimizer.beta1, optimizer.beta2),
            fused=True,
        ),
        discriminator=Adam(
            parameters_of(networks.discriminator, networks.patch_discriminator),
            lr=optimizer.discriminator_learning_rate * c,
            betas=(optimizer.beta1**c, optimizer.beta2**c),
            fused=True,
        ),
    )


@dataclass
class Micro:
    """A micro-batch: images, and what was drawn for them.

    Attributes:
        real: `[m, 3, S, S]`.
        noise: maps `[3m/2, 1, h, w]`, of reconstructions, then hybrids.
        windows: sets of windows for m images each, in the order in which they are used.
        weight: its part of the batch of this process.
        is_last: whether the gradients of the batch are complete with it.
    """

    real: Tensor
    noise: list[Tensor]
    windows: list[Windows]
    weight: float
    is_last: bool


class Steps:
    """The three steps, over one set of networks and optimizers. All chance comes from the generator given.

    A loss is a sum of two parts that share no activation, one over images and one over patches. Each goes
    backward before the next is computed: the same gradients, with one graph in memory at a time. Only the
    generator's step checkpoints activations when asked: the discriminators' is bound by one block of large
    maps, which checkpointing must hold too, and R1's second derivatives need all activations again.

    What is random is drawn for the whole batch, and each micro-batch of each process takes its own of it: the
    gradients are those of the batch, however it is dealt.
    """

    def __init__(
        self,
        networks: Networks,
        optimizers: Optimizers,
        config: TrainConfig,
        engine: Engine | None = None,
    ) -> None:
        self.networks = networks
        self.optimizers = optimizers
        self.config = config
        self.engine = engine = engine or Engine(next(networks.encoder.parameters()).device)
        self._making = engine.part(networks.encoder, networks.generator)
        self._judging = engine.part(networks.discriminator)
        self._comparing = engine.part(networks.patch_discriminator)

    def discriminator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on real images, reconstructions and hybrids."""
        self._freeze_discriminators(False)
        batch = self._dealt(real, random, num_sets=3)
        return self._learn(self.optimizers.discriminator, batch, self._discriminator_gradients)

    def r1_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on their gradient penalties, × interval, as a step of its own."""
        self._freeze_discriminators(False)
        batch = self._dealt(real, random, num_sets=2, with_noise=False)
        return self._learn(self.optimizers.discriminator, batch, self._r1_gradients, is_averaged=False)

    def generator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train encoder and generator."""
        self._freeze_discriminators(True)
        batch = self._dealt(real, random, num_sets=2)
        return self._learn(self.optimizers.generator, batch, self._generator_gradients)

    # ---- what each adds to the gradients for one micro-batch

    def _discriminator_gradients(self, micro: Micro) -> Terms:
        networks, loss, real = self.networks, self.config.loss, micro.real
        with torch.no_grad(), self.engine.computing():
            reconstruction, hybrid = self._images(micro)
        terms = self._backward(
            self._judging,
            lambda: image_discriminator_terms(networks, loss, real, reconstruction, hybrid),
            micro,
        )
        patches = self._patches((real, real, hybrid), micro)
        return terms | self._backward(
            self._comparing, lambda: patch_discriminator_terms(networks, loss, *patches), micro
        )

    def _r1_gradients(self, micro: Micro) -> Terms:
        """In full precision: squared gradients would leave the range of a half one."""
        networks, loss = self.networks, self.config.loss
        factor = loss.r1_interval * micro.weight
        with self.engine.differentiating_twice():
            terms = self._descent_of(image_r1_terms(networks, loss, micro.real), factor)
            patches = self._patches((micro.real, micro.real), micro)
            return terms | self._descent_of(patch_r1_terms(networks, loss, *patches), factor)

    def _generator_gradients(self, micro: Micro) -> Terms:
        networks, loss, real = self.networks, self.config.loss, micro.real
        with recomputing(self.config.checkpoint_activations):
            made = self.engine.forward(self._making, lambda: self._images(micro), is_last=micro.is_last)
            # The discriminators see images without a past; the gradients of both then go on into it.
            reconstruction, hybrid = seen = [images.detach().requires_grad_() for images in made]
            with self.engine.computing():
                terms = image_generator_terms(networks, loss, real, reconstruction, hybrid)
            terms = self._descent_of(terms, micro.weight)
            patches = self._patches((real, hybrid), micro)
            with self.engine.computing():
                patch_terms = patch_generator_terms(networks, loss, *patches)
            terms |= self._descent_of(patch_terms, micro.weight)
            torch.autograd.backward(made, [images.grad for images in seen])
        return terms

    # ---- what they are made of

    def _dealt(
        self, real: Tensor, random: torch.Generator, *, num_sets: int, with_noise: bool = True
    ) -> list[Micro]:
        """Draw all chance of a batch, and deal it with the images `[b, 3, S, S]` of this process."""
        accumulate = self.config.accumulate
        batch_size = len(real) * self.engine.num_processes
        shares = self.engine.shares(batch_size, accumulate)
        noise = self._noise(real, random, 3 * batch_size // 2) if with_noise else []
        windows = [self._windows(batch_size, random) for _ in range(num_sets)]
        images = [real] if accumulate == 1 else real.chunk(accumulate)
        return [
            Micro(
                real=images[i],
                noise=[share.of_decoded(one) for one in noise],
                windows=[Windows(*map(share.of_images, one)) for one in windows],
                weight=1 / accumulate,
                is_last=i == accumulate - 1,
            )
            for i, share in enumerate(shares)
        ]

    def _noise(self, real: Tensor, random: torch.Generator, batch: int) -> list[Tensor]:
        """Draw maps for images of this size."""
        stride = self.networks.encoder.config.stride
        shapes = self.networks.generator.noise_shapes(real.shape[2] // stride, real.shape[3] // stride)
        return random_noise(shapes, random, batch=batch)

    def _windows(self, batch: int, random: torch.Generator) -> Windows:
        """Draw a set of windows for so many images."""
        loss = self.config.loss
        return draw_windows(batch, loss.num_patches, loss.patch_min_scale, loss.patch_max_scale, random)

    def _images(self, micro: Micro) -> tuple[Tensor, Tensor]:
        """Encode, and decode reconstructions and hybrids with fresh noise."""
        structure, texture = self.networks.encoder(micro.real)
        codes = Codes(structure, texture, (micro.real.shape[2], micro.real.shape[3]))
        return reconstruct_and_mix(self.networks.generator, codes, micro.noise)

    def _patches(self, sources: Sequence[Tensor], micro: Micro) -> list[Tensor]:
        """Cut a set of patches from each of several batches of images."""
        size = self.config.patch_discriminator.patch_size
        return [cut(images, windows, size) for images, windows in zip(sources, micro.windows, strict=True)]

    def _backward(self, part: nn.Module, compute: Callable[[], Terms], micro: Micro) -> Terms:
        """Compute terms with the networks of a part, and add their gradients to what is there."""
        return self._descent_of(self.engine.forward(part, compute, is_last=micro.is_last), micro.weight)

    def _descent_of(self, terms: Terms, factor: float) -> Terms:
        """Add the gradients of `factor` × the terms to what is there, so that their graph can go.

        Returns:
            each term's mean, without a graph and without waiting for the device.
        """
        self.engine.backward(factor * total(terms))
        return {name: term.detach().mean() for name, term in terms.items()}

    def _learn(
        self,
        optimizer: Adam,
        batch: list[Micro],
        gradients_of: Callable[[Micro], Terms],
        *,
        is_averaged: bool = True,
    ) -> Terms:
        """Gather the gradients of a batch, in all processes, and descend them; give the terms' means here."""
        found = [gradients_of(micro) for micro in batch]
        if not is_averaged:
            self.engine.average(parameters_in(optimizer))
        _descend(self.engine, optimizer)
        return {name: torch.stack([terms[name] for terms in found]).mean() for name in found[0]}

    def _freeze_discriminators(self, is_frozen: bool) -> None:
        """Frozen parameters get no gradient, and none is computed for them."""
        self.networks.discriminator.requires_grad_(not is_frozen)
        self.networks.patch_discriminator.requires_grad_(not is_frozen)


def parameters_in(optimizer: Adam) -> list[nn.Parameter]:
    """List what an optimizer moves."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _descend(engine: Engine, optimizer: Adam) -> None:
    """Take one step; no gradient outlives it, so none lies in memory during the other kind of step."""
    engine.descend(optimizer)
    optimizer.zero_grad(set_to_none=True)
    # A fused step does not count as an edit, and what was folded of the weights goes by that count.
    torch.autograd.graph.increment_version(parameters_in(optimizer))
