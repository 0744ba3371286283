import math

import pytest
import torch
import torch.nn.functional as F
from tests.layers.test_resample import PADS
from torch import Tensor

from swapae.layers import ConvLayer, FusedLeakyReLU, ResBlock, ScaledLeakyReLU
from swapae.ops import make_kernel, upfirdn2d_reference

BOOLS = [False, True]
SIZES = [(8, 6), (7, 9)]


def shifted(x: Tensor, pads: tuple[int, int], is_reflected: bool) -> Tensor:
    """Pad both axes, by zeros (or a crop) or by reflection."""
    left_right_top_bottom = (*pads, *pads)
    return F.pad(x, left_right_top_bottom, mode="reflect" if is_reflected else "constant")


def weighted(layer: ConvLayer, x: Tensor, stride: int) -> Tensor:
    weight = layer.conv.weight
    return F.conv2d(x, weight / math.sqrt(weight[0].numel()), stride=stride)


def activated(layer: ConvLayer, x: Tensor) -> Tensor:
    if layer.conv.bias is not None:
        return x + layer.conv.bias[:, None, None]
    if isinstance(layer.act, FusedLeakyReLU):
        x = x + layer.act.bias[:, None, None]
    return x if layer.act is None else math.sqrt(2) * F.leaky_relu(x, 0.2)


def randomized(layer: ConvLayer) -> ConvLayer:
    for parameter in layer.parameters():
        parameter.data.normal_()
    return layer


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_reflected", BOOLS)
@pytest.mark.parametrize("activate", BOOLS)
@pytest.mark.parametrize("bias", BOOLS)
@pytest.mark.parametrize(("taps", "kernel_size"), PADS)
def test_downsampling_blurs_by_the_table_then_convolves_with_stride_two_and_no_padding(
    taps: tuple[int, ...],
    kernel_size: int,
    bias: bool,
    activate: bool,
    is_reflected: bool,
    size: tuple[int, int],
) -> None:
    layer = randomized(ConvLayer(2, 3, kernel_size, True, taps, bias, activate, None, is_reflected))
    x = torch.randn(2, 2, *size)
    pads = PADS[taps, kernel_size]
    padded = shifted(x, pads, is_reflected and max(pads) > 0)
    blurred = upfirdn2d_reference(padded, make_kernel(taps))
    out = layer(x)
    torch.testing.assert_close(out, activated(layer, weighted(layer, blurred, stride=2)))
    assert out.shape == (2, 3, size[0] // 2, size[1] // 2)


@pytest.mark.parametrize("is_reflected", BOOLS)
@pytest.mark.parametrize("activate", BOOLS)
@pytest.mark.parametrize("bias", BOOLS)
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_without_downsampling_the_side_stays(
    kernel_size: int, bias: bool, activate: bool, is_reflected: bool
) -> None:
    layer = randomized(
        ConvLayer(2, 3, kernel_size, bias=bias, activate=activate, reflection_pad=is_reflected)
    )
    x = torch.randn(2, 2, 7, 6)
    padded = shifted(x, (kernel_size // 2, kernel_size // 2), is_reflected)
    out = layer(x)
    torch.testing.assert_close(out, activated(layer, weighted(layer, padded, stride=1)))
    assert out.shape == (2, 3, 7, 6)


@pytest.mark.parametrize(
    ("bias", "activate", "names", "act"),
    [
        (True, True, ["conv.weight", "act.bias"], FusedLeakyReLU),
        (True, False, ["conv.weight", "conv.bias"], type(None)),
        (False, True, ["conv.weight"], ScaledLeakyReLU),
        (False, False, ["conv.weight"], type(None)),
    ],
)
@pytest.mark.parametrize("downsample", BOOLS)
def test_the_bias_lives_in_the_activation_if_there_is_one(
    bias: bool, activate: bool, names: list[str], act: type, downsample: bool
) -> None:
    layer = ConvLayer(2, 3, 3, downsample, bias=bias, activate=activate)
    assert [name for name, _ in layer.named_parameters()] == names
    assert isinstance(layer.act, act)


@pytest.mark.parametrize(("side", "out"), [(16, 7), (7, 3), (15, 7), (3, 1)])
def test_a_texture_convolution_is_valid_and_halves_short(side: int, out: int) -> None:
    layer = ConvLayer(1, 1, 3, downsample=True, blur_kernel=[1], pad=0)
    assert layer(torch.ones(1, 1, side, side)).shape == (1, 1, out, out)


def test_a_valid_texture_convolution_never_reads_the_last_line_of_an_even_map() -> None:
    layer = ConvLayer(1, 1, 3, downsample=True, blur_kernel=[1], pad=0)
    x = torch.randn(1, 1, 16, 16)
    other = x.clone()
    other[:, :, 15], other[:, :, :, 15] = 9, 9
    assert torch.equal(layer(x), layer(other))


@pytest.mark.parametrize(("pad", "side"), [(0, 4), (1, 6), (2, 8)])
@pytest.mark.parametrize("is_reflected", BOOLS)
def test_a_given_pad_without_downsampling_is_on_each_side(pad: int, side: int, is_reflected: bool) -> None:
    layer = ConvLayer(1, 1, 3, pad=pad, reflection_pad=is_reflected)
    assert layer(torch.ones(1, 1, 6, 6)).shape == (1, 1, side, side)


@pytest.mark.parametrize("taps", [(1, 3, 3, 1), (1, 2, 1), (1,)])
@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("side", [255, 256, 257, 18, 17])
def test_odd_sides_halve_downwards_in_each_branch(taps: tuple[int, ...], kernel_size: int, side: int) -> None:
    layer = ConvLayer(1, 1, kernel_size, True, taps)
    assert layer(torch.ones(1, 1, side, 8)).shape == (1, 1, side // 2, 4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_reflected", BOOLS)
@pytest.mark.parametrize("taps", [(1, 3, 3, 1), (1, 2, 1), (1,)])
def test_a_block_is_two_convolutions_and_a_skip_that_always_pads_with_zeros_over_the_root_of_two(
    taps: tuple[int, ...], is_reflected: bool, size: tuple[int, int]
) -> None:
    block = ResBlock(2, 3, taps, is_reflected)
    x = torch.randn(2, 2, *size)
    conv1, conv2, skip = block.conv1, block.conv2, block.skip

    y = activated(conv1, weighted(conv1, shifted(x, (1, 1), is_reflected), stride=1))
    y = upfirdn2d_reference(shifted(y, PADS[taps, 3], is_reflected), make_kernel(taps))
    y = activated(conv2, weighted(conv2, y, stride=2))
    straight = upfirdn2d_reference(shifted(x, PADS[taps, 1], is_reflected=False), make_kernel(taps))
    expected = (y + weighted(skip, straight, stride=2)) / math.sqrt(2)

    out = block(x)
    torch.testing.assert_close(out, expected)
    assert out.shape == (2, 3, size[0] // 2, size[1] // 2)


def test_a_block_that_does_not_downsample_keeps_its_side() -> None:
    block = ResBlock(2, 4, downsample=False)
    x = torch.randn(1, 2, 5, 5)
    expected = (block.conv2(block.conv1(x)) + weighted(block.skip, x, stride=1)) / math.sqrt(2)
    torch.testing.assert_close(block(x), expected)


def test_the_first_convolution_of_a_block_keeps_the_channels_and_the_skip_is_linear() -> None:
    shapes = {name: tuple(p.shape) for name, p in ResBlock(2, 5).named_parameters()}
    assert shapes == {
        "conv1.conv.weight": (2, 2, 3, 3),
        "conv1.act.bias": (2,),
        "conv2.conv.weight": (5, 2, 3, 3),
        "conv2.act.bias": (5,),
        "skip.conv.weight": (5, 2, 1, 1),
    }


def test_arguments_by_position_and_by_name_are_the_same() -> None:
    named = ConvLayer(
        in_channel=2,
        out_channel=3,
        kernel_size=3,
        downsample=True,
        blur_kernel=[1, 2, 1],
        bias=False,
        activate=True,
        pad=4,
        reflection_pad=True,
    )
    placed = ConvLayer(2, 3, 3, True, [1, 2, 1], False, True, 4, True)
    assert repr(named) == repr(placed)


def test_an_odd_side_of_a_block_halves_downwards() -> None:
    assert ResBlock(1, 1, (1, 2, 1), reflection_pad=True)(torch.ones(1, 1, 255, 6)).shape == (1, 1, 127, 3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_block_moves_to_other_numbers(dtype: torch.dtype) -> None:
    block = ResBlock(2, 3, reflection_pad=True).to(dtype)
    assert block(torch.randn(1, 2, 8, 8, dtype=dtype)).dtype == dtype
