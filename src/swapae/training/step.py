"""One optimizer step of each kind (model-spec §9.2–9.4)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Adam

from swapae.codes import Codes
from swapae.losses import cut, draw_windows
from swapae.networks import random_noise
from swapae.training.config import TrainConfig
from swapae.training.ema import parameters_of
from swapae.training.objective import (
    Networks,
    Terms,
    discriminator_terms,
    generator_terms,
    r1_terms,
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
    """The three steps, over one set of networks and optimizers. All chance comes from the generator given."""

    def __init__(self, networks: Networks, optimizers: Optimizers, config: TrainConfig) -> None:
        self.networks = networks
        self.optimizers = optimizers
        self.config = config

    def discriminator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on real images, reconstructions and hybrids."""
        networks = self.networks
        self._freeze_discriminators(False)
        with torch.no_grad():
            reconstruction, hybrid = self._images(real, random)
        terms = discriminator_terms(
            networks,
            self.config.loss,
            real,
            reconstruction,
            hybrid,
            self._patches(real, random),
            self._patches(real, random),
            self._patches(hybrid, random),
        )
        _descend(self.optimizers.discriminator, total(terms))
        return _detached(terms)

    def r1_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on their gradient penalties, × interval, as a step of its own."""
        self._freeze_discriminators(False)
        terms = r1_terms(
            self.networks, self.config.loss, real, self._patches(real, random), self._patches(real, random)
        )
        _descend(self.optimizers.discriminator, self.config.loss.r1_interval * total(terms))
        return _detached(terms)

    def generator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train encoder and generator."""
        self._freeze_discriminators(True)
        reconstruction, hybrid = self._images(real, random)
        terms = generator_terms(
            self.networks,
            self.config.loss,
            real,
            reconstruction,
            hybrid,
            self._patches(real, random),
            self._patches(hybrid, random),
        )
        _descend(self.optimizers.generator, total(terms))
        return _detached(terms)

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


def _descend(optimizer: Adam, loss: Tensor) -> None:
    """Take one step; no gradient outlives it, so none lies in memory during the other kind of step."""
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _detached(terms: Terms) -> Terms:
    """Give each term's mean, without a graph and without waiting for the device."""
    return {name: term.detach().mean() for name, term in terms.items()}
