"""The four networks, each beside its config."""

from swapae.networks.discriminator import Discriminator, DiscriminatorConfig
from swapae.networks.encoder import Encoder, EncoderConfig, StyleGAN2ResnetEncoder, encoder_widths
from swapae.networks.generator import Generator, GeneratorConfig, generator_widths, head_widths, random_noise
from swapae.networks.patch_discriminator import PatchDiscriminator, PatchDiscriminatorConfig

__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "Encoder",
    "EncoderConfig",
    "Generator",
    "GeneratorConfig",
    "PatchDiscriminator",
    "PatchDiscriminatorConfig",
    "StyleGAN2ResnetEncoder",
    "encoder_widths",
    "generator_widths",
    "head_widths",
    "random_noise",
]
