"""The four networks, each beside its config; and the config of a model, of which two are parts."""

from swapae.networks.discriminator import Discriminator, DiscriminatorConfig
from swapae.networks.encoder import Encoder, EncoderConfig, StyleGAN2ResnetEncoder, encoder_widths
from swapae.networks.generator import Generator, GeneratorConfig, generator_widths, head_widths, random_noise
from swapae.networks.model_config import ModelConfig
from swapae.networks.patch_discriminator import PatchDiscriminator, PatchDiscriminatorConfig

__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "Encoder",
    "EncoderConfig",
    "Generator",
    "GeneratorConfig",
    "ModelConfig",
    "PatchDiscriminator",
    "PatchDiscriminatorConfig",
    "StyleGAN2ResnetEncoder",
    "encoder_widths",
    "generator_widths",
    "head_widths",
    "random_noise",
]
