"""How far from a region an edit of it may change the image: the generator's field (model-spec §4)."""

from swapae.networks import GeneratorConfig
from swapae.runtime.receptive import Span, decoder_spans


def reach(config: GeneratorConfig) -> int:
    """Compute how many pixels away from the places that were edited the image may still change.

    Farther away every pixel is what it was, up to rounding: no path through the generator leads there. Both
    codes, texture maps at the structure's size or finer, and edges away from the border are covered. The
    pixels of an edited place itself do not count; feathering comes on top.
    """
    stride, num_blocks = 2 ** len(config.widths), len(config.widths)
    middle = 64 * stride  # of an image so large that no border is near
    head = 2 * len(config.head_widths)  # 3×3 convolutions at the structure's size: one place each
    far = 0
    for pixel in range(middle, middle + stride):
        span = decoder_spans(Span(pixel, pixel + 1), 128, num_blocks, config.use_antialias)[0]
        before = (span.start - head + 1) * stride - 1  # last pixel of the first place that matters
        behind = (span.stop - 1 + head) * stride  # first pixel of the last one
        far = max(far, pixel - before, behind - pixel)
    return far
