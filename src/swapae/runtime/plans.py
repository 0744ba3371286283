"""Plans of tiled runs: into how many tiles, so that the temporaries stay within a budget at the least work.

Bytes are estimated from widths and sizes: of every layer the largest set of tensors alive at one time, as the
plain networks have it; the folded ones stay below. A test holds the estimate against what those allocate.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from torch import Tensor

from swapae.networks import EncoderConfig, GeneratorConfig
from swapae.runtime.receptive import Span, decoder_spans, encoder_span

BYTES_PER_PIXEL = 1024  # of the default budget: from 512² on tiles then add 3 to 9 % to the work (LOG.md)
LEAST_BUDGET, MOST_BUDGET = 384 * 2**20, 1536 * 2**20  # bytes
COPIES = 6  # tensors of a layer's output alive at one time, a convolution's scratch included
WORTH_CUTTING = 0.9  # of the work: less is saved than slices cost
MAP_COPIES = 3  # those that gains varying from place to place add


class BudgetTooSmallError(ValueError):
    """Even the smallest tiles need more: `least` bytes."""

    def __init__(self, name: str, budget: int, least: int) -> None:
        super().__init__(f"{name} cannot be done in {budget} bytes; its smallest tiles need {least} bytes.")
        self.least = least


@dataclass(frozen=True)
class Axis:
    """The tiles along rows or columns: of each, a span of every map it goes through, the one written last.

    Tiles are rows × columns, so what all of them cover, and the largest of them, are products of two axes.
    """

    tiles: tuple[tuple[Span, ...], ...]

    @cached_property
    def total(self) -> list[int]:
        """Rows of each map that all tiles go through together; those in two tiles count twice."""
        return [sum(span.length for span in spans) for spans in zip(*self.tiles, strict=True)]

    @cached_property
    def longest(self) -> list[int]:
        """Rows of each map that the largest tile goes through."""
        return [max(span.length for span in spans) for spans in zip(*self.tiles, strict=True)]


@dataclass(frozen=True)
class Plan:
    """How to run: `items` of the batch at a time, and of each run the tiles `rows × columns`."""

    items: int
    rows: Axis
    columns: Axis
    bytes: int  # estimate of the temporaries; inputs and outputs are not counted
    work: int  # multiplications an item, up to a factor
    whole_blocks: int = 0  # of the generator: the first blocks above the head, which run untiled

    @property
    def num_tiles(self) -> int:
        """Tiles of one run."""
        return len(self.rows.tiles) * len(self.columns.tiles)


def default_budget(height: int, width: int) -> int:
    """Give the bytes of temporaries that an image of this size is worth."""
    return min(max(BYTES_PER_PIXEL * height * width, LEAST_BUDGET), MOST_BUDGET)


def plan_encoding(config: EncoderConfig, images: Tensor, budget: int | None = None) -> Plan:
    """Choose the tiles of the middle features, for images `[B, 3, H, W]`, within `budget` bytes.

    Without one, within `default_budget`.

    Raises:
        ValueError: when even the smallest tiles would need more.
    """
    batch, _, height, width = images.shape
    budget = default_budget(height, width) if budget is None else budget

    def axis(side: int, parts: int) -> Axis:
        cuts = spans(side // config.stride, parts)
        return Axis(tuple((encoder_span(out, side, config), out) for out in cuts))

    def plan(items: int, rows: Axis, columns: Axis) -> Plan:
        elements = items * _encoding_elements(config, (height, width), rows, columns)
        return Plan(items, rows, columns, elements * images.element_size(), rows.total[0] * columns.total[0])

    def tiled() -> Iterator[Plan]:
        every_rows = [axis(height, parts) for parts in splits(height // config.stride)]
        every_columns = [axis(width, parts) for parts in splits(width // config.stride)]
        return (plan(1, rows, columns) for rows, columns in product(every_rows, every_columns))

    whole = plan(batch, axis(height, 1), axis(width, 1))
    return whole if whole.bytes <= budget else _least_work(tiled(), budget, "encoding")


def plan_decoding(
    config: GeneratorConfig,
    structure: Tensor,
    texture: Tensor,
    budget: int | None = None,
    size: tuple[int, int] | None = None,
) -> Plan:
    """Choose the tiles of the image, for codes as the generator takes them, within `budget` bytes.

    `size` cuts the image at its right and bottom, as that of `Codes` does. Without a budget: as above.

    Raises:
        ValueError: when even the smallest tiles would need more.
    """
    height, width = structure.shape[2:]
    num_blocks = len(config.widths)
    stride = 2**num_blocks
    shown = size or (height * stride, width * stride)
    budget = default_budget(*shown) if budget is None else budget

    def axis(side: int, shown: int, parts: int) -> Axis:
        cuts = spans(-(-shown // stride), parts)  # of the places that are shown at all
        outs = (cut.times(stride).within(shown) for cut in cuts)
        return Axis(tuple(decoder_spans(out, side, num_blocks, config.use_antialias) for out in outs))

    def plan(items: int, rows: Axis, columns: Axis, whole_blocks: int) -> Plan:
        places = [height * width * 4**i for i in range(num_blocks + 1)]
        largest = places[:whole_blocks] + _areas(rows.longest, columns.longest)[whole_blocks:]
        covered = places[:whole_blocks] + _areas(rows.total, columns.total)[whole_blocks:]
        elements = _decoding_elements(config, places[whole_blocks], largest, whole_blocks, texture.ndim == 4)
        size = items * elements * structure.element_size()
        return Plan(items, rows, columns, size, _multiplications(config, covered), whole_blocks)

    def tiled() -> Iterator[Plan]:
        every_rows = [axis(height, shown[0], parts) for parts in splits(-(-shown[0] // stride))]
        every_columns = [axis(width, shown[1], parts) for parts in splits(-(-shown[1] // stride))]
        choices = product(every_rows, every_columns, range(num_blocks + 1))
        return (plan(1, *choice) for choice in choices)

    # One tile: all of the map, or, of one that was padded much, from some block on only what is shown.
    one = axis(height, shown[0], 1), axis(width, shown[1], 1)
    whole, *cut = (plan(len(structure), *one, whole_blocks) for whole_blocks in range(num_blocks, -1, -1))
    worth = [plan for plan in cut if plan.work <= WORTH_CUTTING * whole.work]
    fitting = [plan for plan in worth or [whole] if plan.bytes <= budget]
    return min(fitting, key=lambda plan: plan.work) if fitting else _least_work(tiled(), budget, "decoding")


def spans(size: int, parts: int) -> list[Span]:
    """Cut `size` rows into `parts` that differ by at most one row."""
    return [Span(a, b) for a, b in pairwise(size * i // parts for i in range(parts + 1))]


def splits(size: int) -> list[int]:
    """List the numbers of parts worth trying: for every longest part the fewest. 1 comes first."""
    return sorted({-(-size // longest) for longest in range(1, size + 1)})


def _least_work(plans: Iterable[Plan], budget: int, name: str) -> Plan:
    plans = list(plans)
    fitting = [plan for plan in plans if plan.bytes <= budget]
    if not fitting:
        least = min(plan.bytes for plan in plans)
        raise BudgetTooSmallError(name, budget, least)
    return min(fitting, key=lambda plan: (plan.work, plan.bytes))


# ---- elements alive at one time, and multiplications


def _encoding_elements(config: EncoderConfig, side: tuple[int, int], rows: Axis, columns: Axis) -> int:
    """Count for one image: the middle features, and beside them a tile's largest layer or the codes'."""
    depth = config.structure_downsamplings
    crop = rows.longest[0] * columns.longest[0]
    tile = max(COPIES * config.widths[level] * (crop >> 2 * level) for level in range(depth + 1))
    middle = (side[0] >> depth) * (side[1] >> depth)
    codes = max(4 * config.widths[depth] * middle, config.widths[depth + 1] * middle)
    return config.widths[depth] * middle + max(tile, codes)


def _decoding_elements(
    config: GeneratorConfig, held_places: int, inputs: Sequence[int], whole_blocks: int, has_map: bool
) -> int:
    """Count for one image: the map all tiles are cut from, and the largest layer before it or of a tile.

    Args:
        held_places: of that map, the output of the `whole_blocks`-th block.
        inputs: places each block goes through at one time, those of `finish` last.
        whole_blocks: blocks that run untiled.
        has_map: whether gains vary from place to place.
    """
    copies = COPIES + MAP_COPIES * has_map
    widths = (config.head_widths[-1], *config.widths)
    held = widths[whole_blocks] * held_places
    head = copies * max(config.head_widths) * (held_places >> 2 * whole_blocks)
    blocks = [
        places * (copies // 3 * in_channels + copies * 4 * out_channels)
        for places, (in_channels, out_channels) in zip(inputs, pairwise(widths), strict=False)
    ]
    finish = copies // 3 * widths[-1] * inputs[-1]
    tiles = max(*blocks[whole_blocks:], finish) if blocks[whole_blocks:] else finish
    return max(head, *blocks[:whole_blocks], held + tiles)


def _multiplications(config: GeneratorConfig, inputs: Sequence[int]) -> int:
    """Count those of the 3×3 convolutions above the head, by the places each block goes through."""
    widths = pairwise((config.head_widths[-1], *config.widths))
    return sum(
        places * (in_channels + 4 * out_channels) * out_channels
        for places, (in_channels, out_channels) in zip(inputs, widths, strict=False)
    )


def _areas(rows: Sequence[int], columns: Sequence[int]) -> list[int]:
    return [height * width for height, width in zip(rows, columns, strict=True)]
