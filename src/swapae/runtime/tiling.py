"""Encode and decode large images tile by tile, with the numbers of the untiled run.

Tiles are cut with the receptive field of all their outputs (`receptive`), sized to a budget of memory
(`plans`), run through the networks as they are, and written into one result. Nothing is blended.
"""

from collections.abc import Sequence
from itertools import product
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.networks import EncoderConfig, GeneratorConfig
from swapae.networks.generator import Gains, Noise
from swapae.runtime.plans import Plan, plan_decoding, plan_encoding
from swapae.runtime.receptive import Span

Place = tuple[Span, Span]  # rows and columns


class EncoderSteps(Protocol):
    """What is asked of an encoder: the methods of `networks.Encoder`."""

    @property
    def config(self) -> EncoderConfig: ...

    def middle(self, images: Tensor) -> Tensor: ...

    def structure_of(self, middle: Tensor) -> Tensor: ...

    def texture_of(self, middle: Tensor) -> Tensor: ...


class GeneratorSteps(Protocol):
    """What is asked of a generator: the methods of `networks.Generator`."""

    @property
    def config(self) -> GeneratorConfig: ...

    def start(self, structure: Tensor, texture: Tensor, noise: Sequence[Noise]) -> Tensor: ...

    def gains_of(self, texture: Tensor) -> list[Gains]: ...

    def up_block(self, index: int, x: Tensor, gains: Gains, noise: Noise) -> Tensor: ...

    def finish(self, x: Tensor, gains: Gains) -> Tensor: ...


@torch.no_grad()
def encode_tiled(encoder: EncoderSteps, images: Tensor, budget: int | None = None) -> tuple[Tensor, Tensor]:
    """Encode images `[B, 3, H, W]`, within about `budget` bytes of temporaries; no gradients.

    Returns:
        structure `[B, Cs, h, w]` and texture `[B, Ct]`, as `Encoder.forward` gives them.

    Raises:
        ValueError: when the budget is too small for the smallest tiles, or the image for the encoder.
    """
    plan = plan_encoding(encoder.config, images, budget)
    codes = []
    for some in _batches(images, plan.items):
        middle = _middle(encoder, some, plan)
        codes.append((encoder.structure_of(middle), encoder.texture_of(middle)))
    structures, textures = zip(*codes, strict=True)
    return _together(structures), _together(textures)


@torch.no_grad()
def middle_tiled(encoder: EncoderSteps, images: Tensor, budget: int | None = None) -> Tensor:
    """Compute `Encoder.middle` so, for callers that read off only one of the two codes."""
    plan = plan_encoding(encoder.config, images, budget)
    return _together([_middle(encoder, some, plan) for some in _batches(images, plan.items)])


@torch.no_grad()
def decode_tiled(
    generator: GeneratorSteps,
    structure: Tensor,
    texture: Tensor,
    noise: Noise | None = None,
    *,
    size: tuple[int, int] | None = None,
    budget: int | None = None,
) -> Tensor:
    """Decode with about `budget` bytes of temporaries; no gradients.

    Args:
        generator: the generator, or what has its steps.
        structure: `[B, Cs, h, w]`.
        texture: `[B, Ct]` or a map `[B, Ct, h', w']`; either batch may be 1.
        noise: as for `Generator.forward`; maps of any size.
        size: height and width to which the image is cut at its right and bottom; None for all of it.
        budget: bytes; the image itself is not counted. None for `default_budget`.

    Returns:
        images `[B, 3, H, W]`.

    Raises:
        ValueError: when the budget is too small for the smallest tiles, or codes and noise do not fit.
    """
    stride = 2 ** len(generator.config.widths)
    whole = (structure.shape[2] * stride, structure.shape[3] * stride)
    size = size or whole
    if not (0 < size[0] <= whole[0] and 0 < size[1] <= whole[1]):
        raise ValueError(f"a structure code of a {whole[0]}×{whole[1]} image gives no {size[0]}×{size[1]}.")
    batch = max(len(structure), len(texture))
    structure = structure.expand(batch, *structure.shape[1:])
    texture = texture.expand(batch, *texture.shape[1:])
    plan = plan_decoding(generator.config, structure, texture, budget, size)
    by_block = generator.config.noise_by_block(noise)
    for one in noise or ():
        if one is not None and len(one) not in (1, batch):
            raise ValueError(f"noise for {len(one)} images does not go with {batch}; give 1 map or {batch}.")
    images = structure.new_empty(batch, 3, *size)
    for first in range(0, batch, max(1, plan.items)):
        items = slice(first, first + plan.items)
        own_noise = [[_of_items(one, items) for one in maps] for maps in by_block]
        _decode(generator, structure[items], texture[items], own_noise, plan, images[items])
    return images


# ---- encoding


def _middle(encoder: EncoderSteps, images: Tensor, plan: Plan) -> Tensor:
    if plan.num_tiles == 1:
        return encoder.middle(images)
    config = encoder.config
    side = (images.shape[2] // config.stride, images.shape[3] // config.stride)
    middle = images.new_empty(len(images), config.widths[config.structure_downsamplings], *side)
    for (rows, out_rows), (columns, out_columns) in product(plan.rows.tiles, plan.columns.tiles):
        tile = encoder.middle(images[:, :, rows.rows, columns.rows])
        # Tiles start at multiples of the stride: their features at place `start / stride` of all.
        start = Span(rows.start // config.stride, 0), Span(columns.start // config.stride, 0)
        middle[:, :, out_rows.rows, out_columns.rows] = _part(tile, start, (out_rows, out_columns))
    return middle


def _batches(images: Tensor, items: int) -> list[Tensor]:
    return [images[i : i + items] for i in range(0, len(images), items)] if len(images) else [images]


def _together(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


# ---- decoding


def _decode(
    generator: GeneratorSteps,
    structure: Tensor,
    texture: Tensor,
    noise: Sequence[Noise],
    plan: Plan,
    images: Tensor,
) -> None:
    """Run the head and the first blocks on all of the map, the others tile by tile, into `images`."""
    num_head = len(generator.config.head_widths)
    x = generator.start(structure, texture, noise[:num_head])
    gains = generator.gains_of(texture)
    for i in range(plan.whole_blocks):
        x = generator.up_block(i, x, gains[i], noise[num_head + i])
    whole = (structure.shape[2], structure.shape[3])
    for rows, columns in product(plan.rows.tiles, plan.columns.tiles):
        places = list(zip(rows, columns, strict=True))
        images[:, :, rows[-1].rows, columns[-1].rows] = _tile(
            generator, x, gains, noise[num_head:], plan.whole_blocks, places, whole
        )


def _tile(
    generator: GeneratorSteps,
    x: Tensor,
    gains: Sequence[Gains],
    noise: Sequence[Noise],
    first_block: int,
    places: Sequence[Place],
    whole: tuple[int, int],
) -> Tensor:
    """Run one tile from the map `x` that all are cut from: `places[i]` is needed of block i's input."""
    at = (Span(0, x.shape[2]), Span(0, x.shape[3]))  # where x lies in the map of its level
    for i in range(first_block, len(places) - 1):
        x = _part(x, at, places[i])
        size = (whole[0] * 2**i, whole[1] * 2**i)
        doubled_size = (2 * size[0], 2 * size[1])
        at = (places[i][0].times(2), places[i][1].times(2))
        here = (gains_within(gains[i][0], size, places[i]), gains_within(gains[i][1], doubled_size, at))
        x = generator.up_block(i, x, here, [noise_within(one, doubled_size, at) for one in noise[i]])
    size = (whole[0] * 2 ** (len(places) - 1), whole[1] * 2 ** (len(places) - 1))
    return generator.finish(_part(x, at, places[-1]), (gains_within(gains[-1][0], size, places[-1]),))


def _part(x: Tensor, at: Place, wanted: Place) -> Tensor:
    """Cut the place `wanted` out of `x`, which begins where `at` begins."""
    (rows, columns), (top, left) = wanted, (at[0].start, at[1].start)
    return x[:, :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _of_items(noise: Tensor | None, items: slice) -> Tensor | None:
    """Cut a noise map to some items of the batch; one map for all stays."""
    return noise if noise is None or len(noise) == 1 else noise[items]


def noise_within(noise: Tensor | None, size: tuple[int, int], place: Place) -> Tensor | None:
    """Cut a noise map `[B, 1, h, w]`, brought to `size` by nearest neighbour, to a place of it."""
    if noise is None:
        return None
    rows, columns = (
        _nearest(have, want, noise)[span.rows]
        for have, want, span in zip(noise.shape[2:], size, place, strict=True)
    )
    return noise.index_select(2, rows).index_select(3, columns)


def _nearest(have: int, want: int, like: Tensor) -> Tensor:
    """List which of `have` rows each of `want` rows is a copy of: what resizing makes of the row numbers."""
    # The scale is rounded to the numbers' type; it must be rounded as it would be for the map itself.
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    numbers = torch.arange(have, device=like.device, dtype=dtype).reshape(1, 1, have, 1)
    return F.interpolate(numbers, size=(want, 1), mode="nearest").flatten().long()


def gains_within(gains: Tensor, size: tuple[int, int], place: Place) -> Tensor:
    """Cut gains `[B, C, h', w']`, brought to `size` bilinearly, to a place of it; a vector stays as it is.

    Only the place is computed: rows and columns are resized by the two matrices that bilinear resizing is.
    """
    if gains.ndim == 2:
        return gains
    for axis in (0, 1):
        if gains.shape[2 + axis] == size[axis]:
            gains = gains.narrow(2 + axis, place[axis].start, place[axis].length)
            continue
        weights, used = _bilinear(gains.shape[2 + axis], size[axis], place[axis], gains)
        part = gains.narrow(2 + axis, used.start, used.length)
        gains = weights @ part if axis == 0 else part @ weights.T
    return gains


def _bilinear(have: int, want: int, span: Span, like: Tensor) -> tuple[Tensor, Span]:
    """Give the weights `[span, used]` of those of `have` rows that a span of `want` rows is made of.

    They are what resizing makes of the unit matrix.
    """
    unit = torch.eye(have, device=like.device, dtype=torch.float64)[None, None]
    weights = F.interpolate(unit, size=(want, have), mode="bilinear", align_corners=False)[0, 0, span.rows]
    columns = weights.any(dim=0).nonzero().flatten()
    used = Span(int(columns[0]), int(columns[-1]) + 1)
    return weights[:, used.rows].to(like.dtype), used
