"""One optimizer step of each kind (model-spec §9.2–9.4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from swapae.codes import Codes
from swapae.layers.recompute import recomputing
from swapae.losses import augment, augment_patches, cut
from swapae.training.config import TrainConfig
from swapae.training.ema import parameters_of
from swapae.training.engine import Engine
from swapae.training.guard import Guard, limit_of
from swapae.training.health import gradient_norms
from swapae.training.making import Read, encode, encode_views, reconstruct_and_mix, reconstruct_rest
from swapae.training.micro import Dealer, Micro
from swapae.training.objective import (
    Networks,
    Terms,
    View,
    as_they_are,
    consistency_terms,
    image_discriminator_terms,
    image_generator_terms,
    image_r1_terms,
    match_terms,
    patch_discriminator_terms,
    patch_generator_terms,
    patch_r1_terms,
    rest_terms,
    total,
)
from swapae.training.strength import Strength


@dataclass
class Optimizers:
    """Adam of encoder and generator, and Adam of the two discriminators."""

    generator: Adam
    discriminator: Adam


def make_optimizers(networks: Networks, config: TrainConfig) -> Optimizers:
    """Make both. Lazy R1 adds a step to every k of the discriminators; c = k/(k+1) makes up for it."""
    optimizer = config.optimizer
    c = _lazy_r1_correction(config)
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


def set_rates(optimizers: Optimizers, config: TrainConfig, scale: float, images_seen: int) -> None:
    """Set the learning rates to the config's after so many images, times a factor."""
    rates = config.optimizer
    scale *= rates.scale_at(images_seen)
    for adam, rate in (
        (optimizers.generator, rates.learning_rate),
        (optimizers.discriminator, rates.discriminator_learning_rate * _lazy_r1_correction(config)),
    ):
        for group in adam.param_groups:
            group["lr"] = rate * scale


def _lazy_r1_correction(config: TrainConfig) -> float:
    return config.loss.r1_interval / (config.loss.r1_interval + 1)


class Steps:
    """The three steps, over one set of networks and optimizers. All chance comes from the generator given.

    A loss is a sum of two parts that share no activation, one over images and one over patches. Each goes
    backward before the next is computed: the same gradients, with one graph in memory at a time. Only the
    generator's step checkpoints activations when asked: the discriminators' is bound by one block of large
    maps, which checkpointing must hold too, and R1's second derivatives need all activations again.

    A step gives the means of its terms, and the readings of health.py: on `reads_gradients`, which costs a
    pass over all weights, the norms of the gradients too.

    What is random is drawn for the whole batch, and each micro-batch of each process takes its own of it: the
    gradients are those of the batch, however it is dealt.

    Attributes:
        loss: weights and patch sizes of the step to come; the loop moves them along their ramps.
        strength: of the augmentation; each step of the discriminators moves it on.
    """

    def __init__(
        self,
        networks: Networks,
        optimizers: Optimizers,
        config: TrainConfig,
        engine: Engine | None = None,
        guard: Guard | None = None,
        strength: Strength | None = None,
    ) -> None:
        self.networks = networks
        self.optimizers = optimizers
        self.config = config
        self.reads_gradients = False
        self.loss = config.loss.at(0)
        self.engine = engine = engine or Engine(next(networks.encoder.parameters()).device)
        self.guard = guard or Guard(limit_of(config), engine.greatest)
        self.strength = strength or Strength(config.augment, engine)
        self._dealer = Dealer(networks.encoder, networks.generator, config, engine)
        self._making = engine.part(networks.encoder, networks.generator)
        self._judging = engine.part(networks.discriminator)
        self._comparing = engine.part(networks.patch_discriminator)

    def discriminator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on real images, reconstructions and hybrids."""
        self._freeze_discriminators(False)
        batch = self._dealt(real, random, num_sets=3)
        terms = self._learn("D", self.optimizers.discriminator, batch, self._discriminator_gradients)
        return terms | self.strength.adapt(len(real) * self.engine.num_processes)

    def r1_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on their gradient penalties, × interval, as a step of its own."""
        self._freeze_discriminators(False)
        batch = self._dealt(real, random, num_sets=2, with_noise=False)
        return self._learn("R1", self.optimizers.discriminator, batch, self._r1_gradients, is_averaged=False)

    def generator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train encoder and generator."""
        self._freeze_discriminators(True)
        batch = self._dealt(real, random, num_sets=2, sees_real=False)
        return self._learn("G", self.optimizers.generator, batch, self._generator_gradients)

    # ---- what each adds to the gradients for one micro-batch

    def _discriminator_gradients(self, micro: Micro) -> Terms:
        networks, loss, real = self.networks, self.loss, micro.real
        view, patch_view = self._view(micro), self._patch_view(micro)
        with torch.no_grad(), self.engine.computing():
            made = self._images(micro)
        seen: Terms = {}
        terms = self._backward(
            self._judging,
            lambda: image_discriminator_terms(
                networks, loss, real, *made, view=view, hear=self.strength.hear, seen=seen
            ),
            micro,
        )
        patches = self._patches((real, real, made[1]), micro)
        terms |= self._backward(
            self._comparing,
            lambda: patch_discriminator_terms(networks, loss, *patches, view=patch_view, seen=seen),
            micro,
        )
        return terms | seen

    def _r1_gradients(self, micro: Micro) -> Terms:
        """In full precision: squared gradients would leave the range of a half one."""
        networks, loss = self.networks, self.loss
        factor = loss.r1_interval * micro.weight
        with self.engine.differentiating_twice():
            terms = image_r1_terms(networks, loss, micro.real, view=self._view(micro))
            terms = self._descent_of(terms, factor)
            patches = self._patches((micro.real, micro.real), micro)
            patch_terms = patch_r1_terms(networks, loss, *patches, view=self._patch_view(micro))
            return terms | self._descent_of(patch_terms, factor)

    def _generator_gradients(self, micro: Micro) -> Terms:
        networks, loss, real = self.networks, self.loss, micro.real
        view, patch_view = self._view(micro), self._patch_view(micro)
        with recomputing(self.config.checkpoint_activations):
            made, own = self.engine.forward(self._making, lambda: self._made(micro), is_last=micro.is_last)
            # The discriminators see images without a past; the gradients of both then go on into it.
            reconstruction, hybrid = seen = [images.detach().requires_grad_() for images in made]
            with self.engine.computing():
                terms = image_generator_terms(networks, loss, real, reconstruction, hybrid, view=view)
            terms = self._descent_of(terms, micro.weight)
            patches = self._patches((real, hybrid), micro)
            with self.engine.computing():
                patch_terms = patch_generator_terms(networks, loss, *patches, view=patch_view)
            terms |= self._descent_of(patch_terms, micro.weight)
            # One pass for all that encoder and generator are told.
            told = [self.engine.scaled(micro.weight * total(own))] if own else []
            torch.autograd.backward(
                [*made, *told], [*(images.grad for images in seen), *(None for _ in told)]
            )
        return terms | means_of(own)

    # ---- what they are made of

    def _dealt(self, real: Tensor, random: torch.Generator, **kind: Any) -> list[Micro]:
        """Draw all chance of a batch, and deal it with the images `[b, 3, S, S]` of this process."""
        return self._dealer.dealt(real, random, self.loss, **kind)

    def _images(self, micro: Micro, read: Read | None = None) -> tuple[Tensor, Tensor]:
        """Decode reconstructions and hybrids with fresh noise; `read` is of the images unless given."""
        codes, own = read or (encode(self.networks.encoder, micro.real), None)
        is_stopped = self.loss.stop_structure_gradient
        return reconstruct_and_mix(self.networks.generator, codes, micro.noise, is_stopped, own)

    def _made(self, micro: Micro) -> tuple[tuple[Tensor, Tensor], Terms]:
        """Make reconstructions and hybrids, and what these say without a discriminator."""
        encoder, loss = self.networks.encoder, self.loss
        read = encode_views(encoder, self.config.views, micro.real, micro.view_draws)
        made = self._images(micro, read)
        told = consistency_terms(encoder, loss, read[0], made[1])
        told |= match_terms(loss, micro.real, made[1], micro.places)
        return made, told | self._rest(micro, read[1])

    def _rest(self, micro: Micro, own: Codes | None) -> Terms:
        """Reconstruct the second half too, where the views say so."""
        half = len(micro.real) // 2
        if own is None or len(own) == half:
            return {}
        rest = reconstruct_rest(self.networks.generator, own, half, micro.noise)
        return rest_terms(self.loss, micro.real[half:], rest)

    def _view(self, micro: Micro) -> View:
        """Show the image discriminator images augmented."""
        config, strength = self.config.augment, self.strength.probability
        return lambda images: augment(config, images, micro.image_draws, strength)

    def _patch_view(self, micro: Micro) -> View:
        """Show the patch discriminator one or several sets of patches, each image's augmented alike."""
        config, draws, strength = self.config.augment, micro.patch_draws, self.strength.probability
        if draws is None:
            return as_they_are
        return lambda patches: augment_patches(
            config, patches, draws.repeat(len(patches) // len(draws), 1), strength
        )

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
        return means_of(terms)

    def _learn(
        self,
        kind: str,
        optimizer: Adam,
        batch: list[Micro],
        gradients_of: Callable[[Micro], Terms],
        *,
        is_averaged: bool = True,
    ) -> Terms:
        """Gather the gradients of a batch, in all processes, and descend them; give the terms' means here.

        A step whose numbers are not finite changes nothing (guard.py).
        """
        found = [gradients_of(micro) for micro in batch]
        if not is_averaged:
            self.engine.average(parameters_in(optimizer))
        terms = {name: torch.stack([terms[name] for terms in found]).mean() for name in found[0]}
        skipped = self.guard.judge(
            kind, terms, [p.grad for p in parameters_in(optimizer) if p.grad is not None]
        )
        norms = self._gradient_norms("" if is_averaged else "_r1")
        _descend(self.engine, optimizer, skipped)
        return terms | norms

    def _gradient_norms(self, suffix: str) -> Terms:
        if not self.reads_gradients:
            return {}
        scale = self.engine.gradient_scale()
        norms = gradient_norms(self.networks.named())
        return {name + suffix: norm / scale for name, norm in norms.items()}

    def _freeze_discriminators(self, is_frozen: bool) -> None:
        """Frozen parameters get no gradient, and none is computed for them."""
        self.networks.discriminator.requires_grad_(not is_frozen)
        self.networks.patch_discriminator.requires_grad_(not is_frozen)


def means_of(terms: Terms) -> Terms:
    """Give each term's mean, without a graph and without waiting for the device."""
    return {name: term.detach().mean() for name, term in terms.items()}


def parameters_in(optimizer: Adam) -> list[nn.Parameter]:
    """List what an optimizer moves."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _descend(engine: Engine, optimizer: Adam, skipped: Tensor) -> None:
    """Take one step; no gradient outlives it, so none lies in memory during the other kind of step."""
    engine.descend(optimizer, skipped)
    optimizer.zero_grad(set_to_none=True)
    # A fused step does not count as an edit, and what was folded of the weights goes by that count.
    torch.autograd.graph.increment_version(parameters_in(optimizer))
