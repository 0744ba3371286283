"""The architecture of a published checkpoint, told from names and shapes alone (model-spec §8.3).

Widths are read off, never computed: files of one preset differ (1536 or 1638 channels). Where some capacity
gives just these widths, the config names it, so that a converted default model has the default config; where
none does, the config carries the widths.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from math import isqrt
from typing import TypeVar

from torch import Tensor

from swapae.convert.official_names import (
    Architecture,
    down_block,
    head_block,
    image_block,
    patch_block,
    texture_conv,
    up_block,
)
from swapae.errors import UserError
from swapae.model_config import ModelConfig
from swapae.networks import (
    DiscriminatorConfig,
    PatchDiscriminatorConfig,
    encoder_widths,
    generator_widths,
    head_widths,
)

Tensors = Mapping[str, Tensor]
Widths = tuple[int, ...]
C = TypeVar("C", DiscriminatorConfig, PatchDiscriminatorConfig)

CAPACITIES = [
    n / d for d in (1, 2, 4, 5, 8, 10, 16, 20, 32, 64) for n in range(1, 8 * d + 1)
]  # plain ones first
STEEPNESSES = (2.0, 1.8)  # all that presets have


def infer(tensors: Tensors, *, use_noise: bool = True) -> Architecture:
    """Tell the architecture of a published checkpoint.

    Args:
        tensors: by published keys; only shapes are looked at.
        use_noise: whether the upsampling blocks take noise; no shape tells.

    Raises:
        UserError: a tensor that tells a width is missing, or the numbers of blocks contradict each other.
    """
    groups = _groups(tensors)
    try:
        return Architecture(
            _model(tensors, groups, use_noise),
            _discriminator(tensors, groups) if "D" in groups else None,
            _patch_discriminator(tensors, groups) if "Dpatch" in groups else None,
        )
    except ValueError as error:  # a config refuses itself
        raise UserError(f"the shapes make no network: {error}") from error


def _model(tensors: Tensors, groups: set[str], use_noise: bool) -> ModelConfig:
    num_down, num_up = _count(groups, down_block), _count(groups, up_block)
    if num_down == 0 or num_down != num_up:
        raise UserError(
            f"it has {num_down} downsampling blocks of the encoder ({down_block(0)}, …) and {num_up} "
            f"upsampling blocks of the generator ({up_block(0)}, …); there must be as many of both."
        )
    config = ModelConfig(
        structure_channels=_rows(tensors, "E.ToSpatialCode.1.Conv.weight"),
        texture_channels=_rows(tensors, "E.ToGlobalCode.0.weight"),
        structure_downsamplings=num_down,
        texture_downsamplings=_count(groups, lambda i: texture_conv(num_down + i)),
        use_antialias=_is_blurred(tensors, f"{down_block(0)}.conv2.Blur.kernel"),
        head_blocks=_count(groups, head_block),
        use_noise=use_noise,
    )
    return _with_generator_widths(_with_encoder_widths(config, tensors), tensors)


def _with_encoder_widths(config: ModelConfig, tensors: Tensors) -> ModelConfig:
    s, t = config.structure_downsamplings, config.texture_downsamplings
    widths = (
        _rows(tensors, "E.FromRGB.Conv.weight"),
        *(_rows(tensors, f"{down_block(i)}.conv2.Conv.weight") for i in range(s)),
        *(_rows(tensors, f"{texture_conv(s + i)}.Conv.weight") for i in range(t)),
    )
    for steepness in STEEPNESSES:
        for capacity in CAPACITIES:
            if encoder_widths(capacity, steepness, s + t, config.texture_channels) == widths:
                return replace(config, encoder_capacity=capacity, encoder_steepness=steepness)
    return replace(config, encoder_widths=widths)


def _with_generator_widths(config: ModelConfig, tensors: Tensors) -> ModelConfig:
    def width(block: str) -> int:
        return _rows(tensors, f"{block}.conv2.activate.bias")

    heads = tuple(width(head_block(i)) for i in range(config.head_blocks))
    ups = tuple(width(up_block(i)) for i in range(config.structure_downsamplings))
    for capacity in CAPACITIES:
        first, *rest = generator_widths(capacity, len(ups))
        if tuple(rest) == ups and head_widths(config.structure_channels, first, len(heads)) == heads:
            return replace(config, generator_capacity=capacity)
    return replace(config, head_widths=heads, generator_widths=ups)


def _discriminator(tensors: Tensors, groups: set[str]) -> DiscriminatorConfig:
    top_level = 2 + _count(groups, lambda i: image_block(3 + i))
    widths = (
        _rows(tensors, "D.stylegan2_D.convs.0.Conv.weight"),
        *(_rows(tensors, f"{image_block(level)}.conv2.Conv.weight") for level in range(top_level, 2, -1)),
    )
    config = DiscriminatorConfig(
        image_size=_image_size(tensors, 2**top_level, widths[-1]),
        use_antialias=_is_blurred(tensors, f"{image_block(top_level)}.conv2.Blur.kernel"),
    )
    return _with_widths(config, widths)


def _image_size(tensors: Tensors, top: int, channels: int) -> int:
    """Tell the image's side from the columns of the linear layer: they are channels · side² of the last map.

    Sides that end in the same map cannot be told apart; the smallest is taken: 768 for 3² after 8 halvings.
    """
    key = "D.stylegan2_D.final_linear.0.weight"
    columns = tensors[key].shape[1] if _rows(tensors, key) and tensors[key].ndim == 2 else 0
    side = isqrt(columns // channels)
    if channels * side**2 == columns:
        for size in range(max(8, top * side // 4), top * (side + 1) // 4):
            if DiscriminatorConfig(size).top_size == top:
                return size
    raise UserError(f"{key} has {columns} columns, which suits no image: there are {channels} channels.")


def _patch_discriminator(tensors: Tensors, groups: set[str]) -> PatchDiscriminatorConfig:
    top_level = 1 + _count(groups, lambda i: patch_block(2 + i))
    widths = (
        _rows(tensors, "Dpatch.convs.0.Conv.weight"),
        *(_rows(tensors, f"{patch_block(level)}.conv2.Conv.weight") for level in range(top_level, 2, -1)),
    )
    num_linear = _count(groups, lambda i: f"Dpatch.pairlinear.{i}")
    config = PatchDiscriminatorConfig(
        patch_size=2**top_level,
        head_widths=tuple(_rows(tensors, f"Dpatch.pairlinear.{i}.weight") for i in range(num_linear - 1)),
        use_antialias=_is_blurred(tensors, f"{patch_block(top_level)}.conv2.Blur.kernel"),
    )
    return _with_widths(config, widths)


def _with_widths(config: C, widths: Widths) -> C:
    """Find the plainest capacity that gives these widths, from the largest map down to 4²; else set them."""
    for max_channels in (config.max_channels, max(widths)):
        for capacity in CAPACITIES:
            guess = replace(config, capacity=capacity, max_channels=max_channels)
            if all(guess.channels_at(2 ** (len(widths) + 1 - i)) == width for i, width in enumerate(widths)):
                return guess
    return replace(config, widths=widths)


def _groups(tensors: Tensors) -> set[str]:
    """Collect every dotted beginning of every key."""
    return {group for key in tensors for group in accumulate(key.split("."), "{}.{}".format)}


def _count(groups: set[str], name: Callable[[int], str]) -> int:
    """Count the blocks `name(0)`, `name(1)`, … that are there."""

    def present() -> Iterator[int]:
        number = 0
        while name(number) in groups:
            yield number
            number += 1

    return len(list(present()))


def _rows(tensors: Tensors, key: str) -> int:
    if key not in tensors or tensors[key].ndim == 0:
        raise UserError(f"it lacks {key}, which tells a width.")
    return tensors[key].shape[0]


def _is_blurred(tensors: Tensors, key: str) -> bool:
    """Whether a filter has more than one tap; an odd or missing one is reported when filters are checked."""
    return key not in tensors or tuple(tensors[key].shape) != (1, 1)
