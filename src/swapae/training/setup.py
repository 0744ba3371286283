"""What a training is before its first step: networks, optimizers, averages, and the images it shows."""

import torch
from torch import Tensor

from swapae.data.source import Source
from swapae.errors import UserError
from swapae.layers import ModulatedConv2d, SpatialCodeModulation
from swapae.model import SwappingAutoencoder
from swapae.networks import Discriminator, PatchDiscriminator
from swapae.training.checkpoint import Learner, State
from swapae.training.config import InitConfig, TrainConfig
from swapae.training.ema import Ema
from swapae.training.engine import Engine
from swapae.training.objective import Networks
from swapae.training.samples import fixed_indices, images_of
from swapae.training.step import make_optimizers
from swapae.training.strength import Strength


def images_to_show(source: Source, config: TrainConfig) -> Tensor:
    """Take images from all over the source for snapshots, `[B, 3, S, S]`."""
    return fitting(images_of(source, config, fixed_indices(source.num_images)), config)


def fitting(images: Tensor, config: TrainConfig) -> Tensor:
    """Pass images `[B, 3, H, W]` on if they have the size that the discriminator takes.

    Raises:
        UserError: with both sizes.
    """
    size = config.discriminator.image_size
    height, width = images.shape[2:]
    if (height, width) != (size, size):
        raise UserError(
            f"images come out {width}×{height} px, the discriminator takes {size}×{size}: set data.crop to "
            "random, or data.preprocess to resize."
        )
    return images


def make_learner(config: TrainConfig, engine: Engine) -> Learner:
    """Make all that training changes, as it is before the first step."""
    model, networks = make_networks(config)
    for network in networks.named().values():
        engine.settle(network)
    ema, strength = Ema(model, config.ema_half_life_kimg), Strength(config.augment, engine)
    return Learner(networks, make_optimizers(networks, config), ema, strength)


@torch.no_grad()
def restart(learner: Learner, config: TrainConfig) -> None:
    """Bring a learner back, in place, to what it was before the first step."""
    model, networks = make_networks(config)
    for name, network in learner.networks.named().items():
        network.load_state_dict(networks.named()[name].state_dict())
    learner.ema.model.load_state_dict(model.state_dict())
    for adam in (learner.optimizers.generator, learner.optimizers.discriminator):
        adam.state.clear()
    learner.strength.restore({})
    learner.state = State()


def make_networks(config: TrainConfig) -> tuple[SwappingAutoencoder, Networks]:
    """Make the model and the discriminators, with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = SwappingAutoencoder(config.model)
        discriminator = Discriminator(config.discriminator)
        patch_discriminator = PatchDiscriminator(config.patch_discriminator)
    initialize(model, config.init)
    return model, Networks(model.encoder, model.generator, discriminator, patch_discriminator)


@torch.no_grad()
def initialize(model: SwappingAutoencoder, init: InitConfig) -> None:
    """Depart from the published start as asked."""
    for module in model.generator.modules():
        if isinstance(module, ModulatedConv2d):
            module.modulation.weight.mul_(init.texture_gain)
        if isinstance(module, SpatialCodeModulation):
            assert module.scale.bias is not None
            module.scale.bias.fill_(init.structure_gain)
            module.scale.weight.mul_(init.texture_gain)
            module.bias.weight.mul_(init.texture_gain)
