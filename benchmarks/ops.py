"""Measure single layers and operations, without gradients: `python -m benchmarks.ops [--only NAME]`.

A row's resolution is the side of the map that goes in; its name says how many channels go in and come out.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from benchmarks import baseline
from benchmarks.baseline_training import cut as baseline_cut
from benchmarks.driver import main
from benchmarks.flops import count
from benchmarks.jobs import Case, Job, liven
from swapae.layers import Blur, ConvLayer, ModulatedConv2d, StyledConv
from swapae.layers.resample import pad_of_downsampling
from swapae.losses import cut, draw_windows

STYLE = 2048
BLUR = (1, 3, 3, 1)
PATCH, NUM_PATCHES = 128, 8

# kind of operation: (channels in, channels out, side of the map that goes in)
SHAPES: dict[str, list[tuple[int, int, int]]] = {
    "conv3x3": [(128, 128, 256), (256, 256, 128), (512, 512, 64), (512, 512, 32), (64, 64, 64)],
    "up": [(256, 128, 128), (512, 512, 32)],
    "down": [(128, 256, 256), (512, 512, 64)],
    "skip": [(128, 256, 256), (512, 512, 64)],
    "blur": [(128, 128, 256), (512, 512, 64)],
    "modulated": [(128, 128, 256), (512, 512, 64)],
    "patches": [(3, 3, 256)],
}


def cases(model: str | None = None, resolution: int | None = None, batch: int | None = None) -> list[Case]:
    """List the rows; `--only` takes a kind's rows by their whole names, `conv3x3_512_512` say."""
    return [
        Case("ops", f"{kind}_{wide[0]}_{wide[1]}", wide[2], batch or 1, extra={"kind": kind, "widths": wide})
        for kind, shapes in SHAPES.items()
        for wide in shapes
        if resolution in (None, wide[2])
    ]


def job(case: Case, role: str) -> Job:
    """Build a row for a role."""
    call = ours(case) if role == "ours" else theirs(case, "cpu")
    return Job([(1.0, lambda: [without_gradients(call)])])


def flops(case: Case) -> float:
    """Count what the row needs."""
    with torch.device("meta"):
        call = theirs(case, "meta")
    return count(lambda: without_gradients(call))


def ours(case: Case) -> Callable[[], Tensor]:
    """Call the layer itself."""
    if case.extra["kind"] == "patches":
        images, windows = patch_inputs(case)
        return lambda: cut(images, windows, PATCH)
    layer, inputs = prepared(case, "cpu")
    return lambda: layer(*inputs)


def theirs(case: Case, device: str) -> Callable[[], Tensor]:
    """Call the published operations on that layer's parameters."""
    if case.extra["kind"] == "patches":
        images, windows = patch_inputs(case)
        return lambda: baseline_cut(images.to(device), windows, PATCH)
    layer, inputs = prepared(case, device)
    match layer:
        case ConvLayer():
            return lambda: baseline.conv_layer(layer, *inputs)
        case Blur():
            return lambda: baseline.blur(layer, *inputs)
        case ModulatedConv2d():
            return lambda: baseline.modulated_conv(layer, *inputs)
        case StyledConv():
            return lambda: baseline.styled_conv(layer, *inputs, None)
    raise ValueError(f"the baseline has no {type(layer).__name__}.")


def prepared(case: Case, device: str) -> tuple[nn.Module, Sequence[Tensor]]:
    """Make a layer and its inputs from fixed seeds."""
    kind, (inside, outside, side) = case.extra["kind"], case.extra["widths"]
    torch.manual_seed(0)
    layer: nn.Module
    if kind == "conv3x3":
        layer = ConvLayer(inside, outside, 3)
    elif kind == "down":
        layer = ConvLayer(inside, outside, 3, downsample=True)
    elif kind == "skip":
        layer = ConvLayer(inside, outside, 1, downsample=True, bias=False, activate=False)
    elif kind == "blur":
        layer = Blur(BLUR, pad_of_downsampling(BLUR, 3))
    elif kind == "up":
        layer = ModulatedConv2d(inside, outside, 3, STYLE, upsample=True)
    else:
        layer = StyledConv(inside, outside, 3, STYLE)
    if device == "cpu":
        liven(layer)
    random = torch.Generator().manual_seed(1)
    x = torch.randn(case.batch, inside, side, side, generator=random, device="cpu").to(device)
    style = torch.randn(case.batch, STYLE, generator=random, device="cpu").to(device)
    return layer, (x, style) if kind in ("up", "modulated") else (x,)


def patch_inputs(case: Case) -> tuple[Tensor, object]:
    """Make images and windows from a fixed seed."""
    random = torch.Generator().manual_seed(1)
    side = case.resolution
    images = torch.rand(case.batch, 3, side, side, generator=random, device="cpu")
    with torch.device("cpu"):
        return images, draw_windows(case.batch, NUM_PATCHES, 1 / 8, 1 / 4, random)


@torch.no_grad()
def without_gradients(call: Callable[[], Tensor]) -> Tensor:
    """Call."""
    return call()


if __name__ == "__main__":
    main(__doc__, cases)
