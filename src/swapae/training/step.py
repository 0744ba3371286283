"""One optimizer step of each kind (model-spec §9.2–9.4)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Adam

from swapae.codes import Codes
from swapae.layers.recompute import recomputing
from swapae.losses import cut, draw_windows
from swapae.networks import random_noise
from swapae.training.config import TrainConfig
from swapae.training.ema import parameters_of
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


class Steps:
    """The three steps, over one set of networks and optimizers. All chance comes from the generator given.

    A loss is a sum of two parts that share no activation, one over images and one over patches. Each goes
    backward before the next is computed: the same gradients, with one graph in memory at a time. Only the
    generator's step checkpoints activations when asked: the discriminators' is bound by one block of large
    maps, which checkpointing must hold too, and R1's second derivatives need all activations again.
    """

    def __init__(self, networks: Networks, optimizers: Optimizers, config: TrainConfig) -> None:
        self.networks = networks
        self.optimizers = optimizers
        self.config = config

    def discriminator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on real images, reconstructions and hybrids."""
        networks, loss = self.networks, self.config.loss
        self._freeze_discriminators(False)
        with torch.no_grad():
            reconstruction, hybrid = self._images(real, random)
        terms = _backward(image_discriminator_terms(networks, loss, real, reconstruction, hybrid))
        patches = [self._patches(images, random) for images in (real, real, hybrid)]
        terms |= _backward(patch_discriminator_terms(networks, loss, *patches))
        _descend(self.optimizers.discriminator)
        return terms

    def r1_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on their gradient penalties, × interval, as a step of its own."""
        networks, loss = self.networks, self.config.loss
        self._freeze_discriminators(False)
        terms = _backward(image_r1_terms(networks, loss, real), loss.r1_interval)
        patches = [self._patches(real, random) for _ in range(2)]
        terms |= _backward(patch_r1_terms(networks, loss, *patches), loss.r1_interval)
        _descend(self.optimizers.discriminator)
        return terms

    def generator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train encoder and generator."""
        networks, loss = self.networks, self.config.loss
        self._freeze_discriminators(True)
        with recomputing(self.config.checkpoint_activations):
            made = self._images(real, random)
            # The discriminators see images without a past; the gradients of both then go on into it.
            reconstruction, hybrid = seen = [images.detach().requires_grad_() for images in made]
            terms = _backward(image_generator_terms(networks, loss, real, reconstruction, hybrid))
            patches = [self._patches(images, random) for images in (real, hybrid)]
            terms |= _backward(patch_generator_terms(networks, loss, *patches))
            torch.autograd.backward(made, [images.grad for images in seen])
        _descend(self.optimizers.generator)
        return terms

    def _images(self, real: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Encode, and decode reconstructions and hybrids with fresh noise."""
        structure, texture = self.networks.encoder(real)
        codes = Codes(structure, texture, (real.shape[2], real.shape[3]))
        generator = self.networks.generator
        shapes = generator.noise_shapes(structure.shape[2], structure.shape[3])
        return reconstruct_and_mix(generator, codes, random_noise(shapes, random, batch=3 * len(real) // 2))

    def _patches(self, images: Tensor, random: torch.Generator) -> Tensor:
        loss = self.config.loss
        windows = draw_windows(
            len(images), loss.num_patches, loss.patch_min_scale, loss.patch_max_scale, random
        )
        return cut(images, windows, self.config.patch_discriminator.patch_size)

    def _freeze_discriminators(self, is_frozen: bool) -> None:
        """Frozen parameters get no gradient, and none is computed for them."""
        self.networks.discriminator.requires_grad_(not is_frozen)
        self.networks.patch_discriminator.requires_grad_(not is_frozen)


def _backward(terms: Terms, factor: float = 1.0) -> Terms:
    """Add the gradients of `factor` × the terms to what is there, so that their graph can go.

    Returns:
        each term's mean, without a graph and without waiting for the device.
    """
    (factor * total(terms)).backward()  # type: ignore[no-untyped-call]
    return {name: term.detach().mean() for name, term in terms.items()}


def _descend(optimizer: Adam) -> None:
    """Take one step; no gradient outlives it, so none lies in memory during the other kind of step."""
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    # A fused step does not count as an edit, and what was folded of the weights goes by that count.
    torch.autograd.graph.increment_version([p for group in optimizer.param_groups for p in group["params"]])
