"""The published training steps by the published operations (model-spec §9): see `benchmarks.baseline`.

Every term is a forward call of its own. Chance is drawn as the package draws it, so that both compute the
same numbers from the same seed.
"""

import torch
from torch import Tensor
from torch.optim import Adam

from benchmarks.baseline import compare_patches, decode, discriminate, encode, patch_features
from swapae.losses import Windows, draw_windows
from swapae.networks import random_noise
from swapae.training.config import TrainConfig
from swapae.training.objective import Networks

Terms = dict[str, Tensor]


def cut(images: Tensor, windows: Windows, patch_size: int) -> Tensor:
    """Sample patches `[B, N, 3, p, p]`: images copied N times, one `grid_sample` of `B·N` (§9.5)."""
    flip, scale, offset = (part.to(images) for part in windows)
    batch, number = flip.shape
    line = torch.linspace(-1, 1, patch_size, dtype=images.dtype, device=images.device)
    x = (line * flip[..., None]) * scale[..., 0, None] + offset[..., 0, None]  # [B, N, p]
    y = line * scale[..., 1, None] + offset[..., 1, None]
    x = x[:, :, None, :].repeat(1, 1, patch_size, 1)
    y = y[:, :, :, None].repeat(1, 1, 1, patch_size)
    grid = torch.stack([x, y], dim=-1).flatten(0, 1)  # [B·N, p, p, 2]
    copies = images[:, None].expand(-1, number, -1, -1, -1).flatten(0, 1)
    patches = torch.nn.functional.grid_sample(copies, grid, align_corners=False)
    return patches.unflatten(0, (batch, number))


def swapped(x: Tensor) -> Tensor:
    """Exchange neighbours of a batch (§9.1)."""
    return x.reshape(-1, 2, *x.shape[1:]).flip(1).reshape(x.shape)


def softplus(logits: Tensor) -> Tensor:
    """Compute softplus, averaged."""
    return torch.nn.functional.softplus(logits).mean()


class BaselineSteps:
    """The three steps over networks of the package; each gives its terms, already weighted."""

    def __init__(self, networks: Networks, config: TrainConfig) -> None:
        self.networks = networks
        self.config = config
        adam = config.optimizer
        c = config.loss.r1_interval / (config.loss.r1_interval + 1)
        plain = {"foreach": False, "fused": False}
        self.generator_optimizer = Adam(
            [*networks.encoder.parameters(), *networks.generator.parameters()],
            lr=adam.learning_rate,
            betas=(adam.beta1, adam.beta2),
            **plain,
        )
        self.discriminator_optimizer = Adam(
            [*networks.discriminator.parameters(), *networks.patch_discriminator.parameters()],
            lr=adam.discriminator_learning_rate * c,
            betas=(adam.beta1**c, adam.beta2**c),
            **plain,
        )

    def discriminator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators (§9.2)."""
        self._train_discriminators(True)
        terms = self.discriminator_terms(real, random)
        _descend(self.discriminator_optimizer, terms)
        return _detached(terms)

    def r1_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train both discriminators on their gradient penalties, × interval (§9.2, item 5)."""
        self._train_discriminators(True)
        terms = self.r1_terms(real, random)
        _descend(self.discriminator_optimizer, terms, self.config.loss.r1_interval)
        return _detached(terms)

    def generator_step(self, real: Tensor, random: torch.Generator) -> Terms:
        """Train encoder and generator (§9.3)."""
        self._train_discriminators(False)
        terms = self.generator_terms(real, random)
        _descend(self.generator_optimizer, terms)
        return _detached(terms)

    # ---- terms

    def discriminator_terms(self, real: Tensor, random: torch.Generator) -> Terms:
        """Compute what the discriminators descend."""
        loss, judge = self.config.loss, self.networks.patch_discriminator
        with torch.no_grad():
            reconstruction, hybrid = self._images(real, random)
        reference, target, fake = (self._patches(images, random) for images in (real, real, hybrid))
        terms = {
            "D_real": loss.gan * softplus(-self._judge(real)),
            "D_reconstruction": loss.gan * loss.gan_reconstruction * softplus(self._judge(reconstruction)),
            "D_hybrid": loss.gan * loss.gan_hybrid * softplus(self._judge(hybrid)),
        }
        reference = patch_features(judge, reference)
        target, fake = patch_features(judge, target), patch_features(judge, fake)
        terms["patch_D_real"] = loss.patch * softplus(-self._compare(reference, target))
        terms["patch_D_hybrid"] = loss.patch * softplus(self._compare(reference, fake))
        return terms

    def r1_terms(self, real: Tensor, random: torch.Generator) -> Terms:
        """Compute the gradient penalties, before the × interval."""
        loss, judge = self.config.loss, self.networks.patch_discriminator
        reference, target = (self._patches(real, random).detach().requires_grad_() for _ in range(2))
        real = real.detach().requires_grad_()
        on_image = _squared_gradients(self._judge(real), [real])
        logits = self._compare(patch_features(judge, reference), patch_features(judge, target))
        on_patches = _squared_gradients(logits, [reference, target])
        return {"D_r1": loss.r1 / 2 * on_image, "patch_D_r1": loss.patch_r1 / 4 * on_patches}

    def generator_terms(self, real: Tensor, random: torch.Generator) -> Terms:
        """Compute what encoder and generator descend."""
        loss, judge = self.config.loss, self.networks.patch_discriminator
        reconstruction, hybrid = self._images(real, random)
        reference, fake = self._patches(real, random), self._patches(hybrid, random)
        l1 = (reconstruction - real[: len(reconstruction)]).abs().mean()
        on_reconstruction = softplus(-self._judge(reconstruction))
        on_hybrid = softplus(-self._judge(hybrid))
        features = patch_features(judge, reference).detach()
        on_patches = softplus(-self._compare(features, patch_features(judge, fake)))
        return {
            "G_l1": loss.l1 * l1,
            "G_reconstruction": loss.gan * loss.gan_reconstruction * on_reconstruction,
            "G_hybrid": loss.gan * loss.gan_hybrid_generator * on_hybrid,
            "patch_G_hybrid": loss.patch * on_patches,
        }

    # ---- parts

    def _images(self, real: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Reconstruct the first half, and mix all: two calls of the generator."""
        net, half = self.networks.generator, len(real) // 2
        structure, texture = encode(self.networks.encoder, real)
        maps = random_noise(net.noise_shapes(*structure.shape[2:]), random, batch=3 * half)
        maps = [one.to(real) for one in maps]
        reconstruction = decode(net, structure[:half], texture[:half], [one[:half] for one in maps])
        return reconstruction, decode(net, swapped(structure), texture, [one[half:] for one in maps])

    def _patches(self, images: Tensor, random: torch.Generator) -> Tensor:
        loss = self.config.loss
        windows = draw_windows(
            len(images), loss.num_patches, loss.patch_min_scale, loss.patch_max_scale, random
        )
        return cut(images, windows, self.config.patch_discriminator.patch_size)

    def _judge(self, images: Tensor) -> Tensor:
        return discriminate(self.networks.discriminator, images)

    def _compare(self, reference: Tensor, query: Tensor) -> Tensor:
        judge = self.networks.patch_discriminator
        return compare_patches(judge, reference, query, self.config.loss.use_aggregation)

    def _train_discriminators(self, wanted: bool) -> None:
        for net in (self.networks.discriminator, self.networks.patch_discriminator):
            net.requires_grad_(wanted)


def _squared_gradients(logits: Tensor, inputs: list[Tensor]) -> Tensor:
    """Compute `Σ |∂ Σ logits / ∂ input|²` of an image, averaged over images."""
    gradients = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return sum((gradient**2).sum() for gradient in gradients) / len(inputs[0])  # type: ignore[return-value]


def _descend(optimizer: Adam, terms: Terms, factor: float = 1.0) -> None:
    optimizer.zero_grad()
    (factor * sum(terms.values())).backward()  # type: ignore[union-attr]
    optimizer.step()


def _detached(terms: Terms) -> Terms:
    return {name: term.detach() for name, term in terms.items()}
