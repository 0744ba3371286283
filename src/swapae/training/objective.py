"""The published objective, where the four networks meet (model-spec §9; paper §3, eq. 1–5).

Every function gives named terms, each a tensor with a value per image (or per patch), already weighted; a
loss is the sum of their means. Images come in, patches come in: nothing here is random. Each step's terms
fall into a part that sees images and one that sees patches, which share no activation: the training takes
them one after the other, and holds one graph at a time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor, nn

from swapae.codes import Codes
from swapae.losses import (
    code_distance,
    fake_loss,
    l1_gradient_loss,
    l1_loss,
    patch_match,
    real_loss,
    squared_gradient,
)
from swapae.networks import Discriminator, Encoder, Generator, PatchDiscriminator
from swapae.training.health import verdicts
from swapae.training.making import swapped
from swapae.training.schedule import ScheduleConfig

Terms = dict[str, Tensor]
View = Callable[[Tensor], Tensor]  # what a discriminator is shown of images or patches; gradients pass


def as_they_are(images: Tensor) -> Tensor:
    """Show images or patches without change."""
    return images


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms, and how patches are drawn. The defaults are the published ones."""

    l1: float = 1.0  # reconstruction
    l1_gradient: float = 0.0  # reconstruction of edges: steps between neighbouring pixels; 0 is off
    gan: float = 1.0  # image discriminator, every term
    gan_reconstruction: float = 0.5  # share of reconstructions, in both steps
    gan_hybrid: float = 0.5  # share of hybrids in the discriminator's step
    gan_hybrid_generator: float = 1.0  # share of hybrids in the generator's step: 1, not the paper's 0.5
    patch: float = 1.0  # patch co-occurrence discriminator
    patch_match: float = 0.0  # a hybrid's small patches are like those of its texture image; 0 is off
    r1: float = 10.0  # gradient penalty of the image discriminator
    patch_r1: float = 1.0  # gradient penalty of the patch discriminator
    r1_interval: int = 16  # discriminator steps between two R1 steps
    num_patches: int = 8  # patches an image in each set
    patch_min_scale: float = 0.125  # smallest side of a patch, as a fraction of the image's
    patch_max_scale: float = 0.25  # largest
    use_aggregation: bool = True  # compare a patch with the mean of the reference patches
    structure_consistency: float = 0.0  # a hybrid encoded again gives back its structure; 0 is off
    texture_consistency: float = 0.0  # and its texture; 0 is off
    stop_structure_gradient: bool = False  # hybrids do not teach the encoder what structure is
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)

    def __post_init__(self) -> None:
        at_least_one = ("r1_interval", "num_patches")
        for one in fields(self):
            value, least = getattr(self, one.name), int(one.name in at_least_one)
            if one.name != "schedule" and not value >= least:
                raise ValueError(f"loss.{one.name}={value} must be at least {least}.")
        if not 0 < self.patch_min_scale <= self.patch_max_scale <= 1:
            raise ValueError(
                f"loss.patch_min_scale={self.patch_min_scale} and patch_max_scale={self.patch_max_scale} "
                "must lie between 0 and 1, the first not above the second."
            )
        try:
            self.at(self.schedule.end)  # every value on the way lies between two that are checked
        except ValueError as error:
            raise ValueError(f"at the end of loss.schedule: {error}") from None

    def at(self, images_seen: int) -> "LossConfig":
        """Give the values that hold after so many images: those of the ramps are on their way."""
        goals = self.schedule.goals()
        if not goals:
            return self
        share = self.schedule.share(images_seen)
        now = {name: (1 - share) * getattr(self, name) + share * goal for name, goal in goals.items()}
        return replace(self, **now, schedule=ScheduleConfig())


@dataclass
class Networks:
    """The four networks of a training."""

    encoder: Encoder
    generator: Generator
    discriminator: Discriminator
    patch_discriminator: PatchDiscriminator

    def named(self) -> dict[str, nn.Module]:
        """Give them by name, in a fixed order."""
        return {
            "encoder": self.encoder,
            "generator": self.generator,
            "discriminator": self.discriminator,
            "patch_discriminator": self.patch_discriminator,
        }


# ── the discriminators' step ─────────────────────────────────────────────────────────────────────


def discriminator_terms(
    networks: Networks,
    config: LossConfig,
    real: Tensor,
    reconstruction: Tensor,
    hybrid: Tensor,
    reference_patches: Tensor,
    real_patches: Tensor,
    hybrid_patches: Tensor,
) -> Terms:
    """Compute what the two discriminators descend (model-spec §9.2; paper eq. 2–4).

    Args:
        networks: the two discriminators are used.
        config: weights.
        real: `[B, 3, S, S]`.
        reconstruction: `[B/2, 3, S, S]`, detached.
        hybrid: `[B, 3, S, S]`, detached.
        reference_patches: of the real images, `[B, N, 3, p, p]`.
        real_patches: of the real images, other windows.
        hybrid_patches: of the hybrids; hybrid i has the texture of image i.
    """
    return {
        **image_discriminator_terms(networks, config, real, reconstruction, hybrid),
        **patch_discriminator_terms(networks, config, reference_patches, real_patches, hybrid_patches),
    }


def image_discriminator_terms(
    networks: Networks,
    config: LossConfig,
    real: Tensor,
    reconstruction: Tensor,
    hybrid: Tensor,
    *,
    view: View = as_they_are,
    hear: Callable[[Tensor], None] | None = None,
    seen: Terms | None = None,
) -> Terms:
    """Compute the image discriminator's part of `discriminator_terms`.

    Args:
        view: of all images in one batch, in the order of the arguments.
        hear: is told the logits on real images.
        seen: what the verdicts are added to, summed up.
    """
    logits = networks.discriminator(view(torch.cat([real, reconstruction, hybrid])))
    on_real, on_reconstruction, on_hybrid = logits.split([len(real), len(reconstruction), len(hybrid)])
    if hear is not None:
        hear(on_real.detach())
    if seen is not None:
        seen |= verdicts("D", on_real, reconstruction=on_reconstruction, hybrid=on_hybrid)
    return {
        "D_real": config.gan * real_loss(on_real),
        "D_reconstruction": config.gan * config.gan_reconstruction * fake_loss(on_reconstruction),
        "D_hybrid": config.gan * config.gan_hybrid * fake_loss(on_hybrid),
    }


def patch_discriminator_terms(
    networks: Networks,
    config: LossConfig,
    reference_patches: Tensor,
    real_patches: Tensor,
    hybrid_patches: Tensor,
    *,
    view: View = as_they_are,
    seen: Terms | None = None,
) -> Terms:
    """Compute the patch discriminator's part of `discriminator_terms`; both terms share the references."""
    judge = networks.patch_discriminator
    features = judge.features(view(torch.cat([reference_patches, real_patches, hybrid_patches])))
    reference, target, fake = features.chunk(3)
    logits = judge.compare(
        torch.cat([reference, reference]), torch.cat([target, fake]), config.use_aggregation
    )
    patch_real, patch_fake = logits.chunk(2)
    if seen is not None:
        seen |= verdicts("patch_D", patch_real, hybrid=patch_fake)
    return {
        "patch_D_real": config.patch * real_loss(patch_real),
        "patch_D_hybrid": config.patch * fake_loss(patch_fake),
    }


# ── R1 ───────────────────────────────────────────────────────────────────────────────────────────


def r1_terms(
    networks: Networks,
    config: LossConfig,
    real: Tensor,
    reference_patches: Tensor,
    real_patches: Tensor,
) -> Terms:
    """Compute the gradient penalties, before the ×interval of lazy regularisation (model-spec §9.2, item 5).

    `λ/2 · Σ|∂D/∂image|²` and `λ_patch/2 · ½ · (Σ|∂P/∂reference|² + Σ|∂P/∂patch|²)`, over pixels and patches.
    """
    return {
        **image_r1_terms(networks, config, real),
        **patch_r1_terms(networks, config, reference_patches, real_patches),
    }


def image_r1_terms(
    networks: Networks, config: LossConfig, real: Tensor, *, view: View = as_they_are
) -> Terms:
    """Compute the image discriminator's part of `r1_terms`: by the image, though it is seen in a view."""
    real = real.detach().requires_grad_()
    logits = networks.discriminator(view(real))
    return {"D_r1": config.r1 / 2 * squared_gradient(logits, [real])}


def patch_r1_terms(
    networks: Networks,
    config: LossConfig,
    reference_patches: Tensor,
    real_patches: Tensor,
    *,
    view: View = as_they_are,
) -> Terms:
    """Compute the patch discriminator's part of `r1_terms`."""
    reference_patches = reference_patches.detach().requires_grad_()
    real_patches = real_patches.detach().requires_grad_()
    seen = view(reference_patches), view(real_patches)
    logits = networks.patch_discriminator(*seen, config.use_aggregation)
    return {"patch_D_r1": config.patch_r1 / 4 * squared_gradient(logits, [reference_patches, real_patches])}


# ── the step of encoder and generator ────────────────────────────────────────────────────────────


def generator_terms(
    networks: Networks,
    config: LossConfig,
    real: Tensor,
    reconstruction: Tensor,
    hybrid: Tensor,
    reference_patches: Tensor,
    hybrid_patches: Tensor,
) -> Terms:
    """Compute what encoder and generator descend (model-spec §9.3; paper eq. 1–5).

    Arguments as in `discriminator_terms`, with gradients in `reconstruction`, `hybrid` and `hybrid_patches`.
    """
    return {
        **image_generator_terms(networks, config, real, reconstruction, hybrid),
        **patch_generator_terms(networks, config, reference_patches, hybrid_patches),
    }


def image_generator_terms(
    networks: Networks,
    config: LossConfig,
    real: Tensor,
    reconstruction: Tensor,
    hybrid: Tensor,
    *,
    view: View = as_they_are,
) -> Terms:
    """Compute the part of `generator_terms` that sees whole images; the discriminator has a view of them."""
    logits = networks.discriminator(view(torch.cat([reconstruction, hybrid])))
    on_reconstruction, on_hybrid = logits.split([len(reconstruction), len(hybrid)])
    wanted = real[: len(reconstruction)]
    edges = {}
    if config.l1_gradient:
        edges["G_l1_gradient"] = config.l1_gradient * l1_gradient_loss(reconstruction, wanted)
    return {
        "G_l1": config.l1 * l1_loss(reconstruction, wanted),
        **edges,
        "G_reconstruction": config.gan * config.gan_reconstruction * real_loss(on_reconstruction),
        "G_hybrid": config.gan * config.gan_hybrid_generator * real_loss(on_hybrid),
    }


def patch_generator_terms(
    networks: Networks,
    config: LossConfig,
    reference_patches: Tensor,
    hybrid_patches: Tensor,
    *,
    view: View = as_they_are,
) -> Terms:
    """Compute the part of `generator_terms` that sees patches; the references get no gradient."""
    judge = networks.patch_discriminator
    with torch.no_grad():
        reference = judge.features(view(reference_patches))
    patch_fake = judge.compare(reference, judge.features(view(hybrid_patches)), config.use_aggregation)
    return {"patch_G_hybrid": config.patch * real_loss(patch_fake)}


def consistency_terms(encoder: Encoder, config: LossConfig, codes: Codes, hybrid: Tensor) -> Terms:
    """Compute how far hybrids, encoded again, are from the codes they were made of; empty when that is off.

    Args:
        encoder: it learns from this as well.
        config: weights.
        codes: of the real images; they are what is wanted, and get no gradient.
        hybrid: `[B, 3, S, S]`; hybrid i has the texture of image i and the structure of its neighbour.
    """
    if not (config.structure_consistency or config.texture_consistency):
        return {}
    structure, texture = encoder(hybrid)
    terms = {}
    if config.structure_consistency:
        wanted = swapped(codes.structure.detach())
        terms["G_structure"] = config.structure_consistency * code_distance(structure, wanted)
    if config.texture_consistency:
        terms["G_texture"] = config.texture_consistency * code_distance(texture, codes.texture)
    return terms


def rest_terms(config: LossConfig, wanted: Tensor, reconstruction: Tensor) -> Terms:
    """Compute how far reconstructions that no discriminator sees are from their images: as much again."""
    terms = {"G_l1_rest": config.l1 * l1_loss(reconstruction, wanted)}
    if config.l1_gradient:
        terms["G_l1_gradient_rest"] = config.l1_gradient * l1_gradient_loss(reconstruction, wanted)
    return terms


def match_terms(config: LossConfig, real: Tensor, hybrid: Tensor, places: Tensor | None) -> Terms:
    """Compute how far hybrids' small patches are from their texture images'; empty when that is off."""
    if places is None:
        return {}
    return {"G_patch_match": config.patch_match * patch_match(hybrid, real, places)}


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """Add the terms' means."""
    return torch.stack([term.mean() for term in terms.values()]).sum()
