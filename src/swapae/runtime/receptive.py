"""Receptive fields: which rows of its input a span of rows of a network's output needs.

Columns follow the same arithmetic as rows. Spans are counted in pixels of the map they belong to. A network
run on just the rows needed gives the asked rows exactly: what its padding spoils at a cut lies outside them,
and where the span ends at the border of the image the padding is the true one.
"""

from typing import NamedTuple

from swapae.layers.resample import pad_of_downsampling, pad_of_upsampling
from swapae.networks import EncoderConfig

ENCODER_TAPS = (1, 2, 1)
GENERATOR_TAPS = (1, 3, 3, 1)
NO_BLUR = (1,)


class Span(NamedTuple):
    """The rows `start ≤ i < stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    @property
    def rows(self) -> slice:
        """The rows as an index."""
        return slice(self.start, self.stop)

    def times(self, factor: int) -> "Span":
        """Give the same part of a map `factor` times as large."""
        return Span(self.start * factor, self.stop * factor)

    def within(self, size: int) -> "Span":
        """Leave out what a map of `size` rows has not."""
        return Span(max(self.start, 0), min(self.stop, size))

    def reflected_into(self, size: int) -> "Span":
        """Replace what lies before row 0 or behind the last by the rows whose mirror images they are."""
        start = min(self.start, 2 * size - 1 - self.stop) if self.stop > size else self.start
        stop = max(self.stop, 1 - self.start) if self.start < 0 else self.stop
        return Span(start, stop).within(size)


def decoder_spans(out: Span, size: int, num_blocks: int, use_antialias: bool) -> tuple[Span, ...]:
    """Compute what the generator's blocks above the head need for a span of the image.

    Args:
        out: rows of the image.
        size: rows of the structure code.
        num_blocks: blocks above the head; each doubles the size.
        use_antialias: as the generator has it.

    Returns:
        `num_blocks + 1` spans: of the head's output, of each block's output, `out` itself last.
    """
    spans = [out]
    for level in reversed(range(num_blocks)):
        spans.append(input_of_doubling(spans[-1], size * 2**level, use_antialias))
    return tuple(reversed(spans))


def encoder_span(out: Span, side: int, config: EncoderConfig) -> Span:
    """Compute which rows of an image of `side` rows the span `out` of the encoder's middle features needs.

    It starts at a multiple of the stride, so that every halving keeps the rows it would keep, and is as long
    as the shortest side the encoder takes.
    """
    span = out
    for level in reversed(range(config.structure_downsamplings)):
        span = input_of_halving(span, side >> level, config.use_antialias)
    return _lengthened(span, side, config)


def input_of_doubling(out: Span, size: int, use_antialias: bool) -> Span:
    """Go back through an `UpsamplingBlock` whose input has `size` rows: by two rows (one and a half)."""
    taps = GENERATOR_TAPS if use_antialias else NO_BLUR
    span = _correlated(out, taps=3, pad=1).within(2 * size)  # conv2
    span = _correlated(span, len(taps), pad_of_upsampling(taps, 3)[0]).within(2 * size + 1)  # its blur
    convolved = Span((span.start - 1) // 2, (span.stop - 1) // 2 + 1)  # transposed 3×3, stride 2
    skipped = Span((out.start - 1) // 2, out.stop // 2 + 1)  # bilinear ×2
    return _joined(convolved, skipped).within(size)


def input_of_halving(out: Span, size: int, use_antialias: bool) -> Span:
    """Go back through an encoder's `ResBlock` whose input has `size` rows: by three rows (two)."""
    taps = ENCODER_TAPS if use_antialias else NO_BLUR
    span = _correlated(out, taps=3, pad=0, stride=2)  # conv2
    span = _correlated(span, len(taps), pad_of_downsampling(taps, 3)[0]).reflected_into(size)  # its blur
    convolved = _correlated(span, taps=3, pad=1).reflected_into(size)  # conv1
    skipped = _correlated(out, len(taps), pad_of_downsampling(taps, 1)[0], stride=2).within(size)
    return _joined(convolved, skipped)


def _correlated(out: Span, taps: int, pad: int, stride: int = 1) -> Span:
    return Span(out.start * stride - pad, (out.stop - 1) * stride - pad + taps)


def _joined(a: Span, b: Span) -> Span:
    return Span(min(a.start, b.start), max(a.stop, b.stop))


def _lengthened(span: Span, side: int, config: EncoderConfig) -> Span:
    stride, least = config.stride, config.min_side
    start = span.start // stride * stride
    stop = min(side, max(-(-span.stop // stride) * stride, start + least))
    return Span(max(0, min(start, (stop - least) // stride * stride)), stop)
