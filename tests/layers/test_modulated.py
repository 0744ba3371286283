import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.layers import ModulatedConv2d, NoiseInjection, SpatialCodeModulation, StyledConv, ToRGB
from swapae.ops import make_kernel, modulated_conv2d_reference


def styles(batch: int, is_map: bool) -> Tensor:
    return torch.randn(batch, 5, 2, 3) if is_map else torch.randn(batch, 5)


def gains(linear: nn.Module, style: Tensor, size: tuple[int, int]) -> Tensor:
    """What a modulation makes of a style, a map brought to the features' size first."""
    if style.ndim == 2:
        return style @ (linear.weight / math.sqrt(5)).T + linear.bias
    style = F.interpolate(style, size=size, mode="bilinear", align_corners=False)
    return torch.einsum("oi,bihw->bohw", linear.weight / math.sqrt(5), style) + linear.bias[:, None, None]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("is_map", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize(
    ("upsample", "downsample", "taps", "pads", "size"),
    [
        (False, False, (1, 3, 3, 1), (0, 0), (6, 4)),
        (True, False, (1, 3, 3, 1), (1, 1), (12, 8)),
        (True, False, (1,), (0, -1), (12, 8)),
        (False, True, (1, 3, 3, 1), (2, 2), (3, 2)),
        (False, True, (1,), (1, 0), (3, 2)),
    ],
)
def test_a_modulated_convolution_is_the_reference_with_the_stated_scale_kernel_and_pads(
    batch: int,
    is_map: bool,
    demodulate: bool,
    upsample: bool,
    downsample: bool,
    taps: tuple[int, ...],
    pads: tuple[int, int],
    size: tuple[int, int],
) -> None:
    layer = ModulatedConv2d(2, 3, 3, 5, demodulate, upsample, downsample, taps)
    x, style = torch.randn(batch, 2, 6, 4), styles(batch, is_map)
    expected = modulated_conv2d_reference(
        x,
        layer.weight[0] / math.sqrt(2 * 9),
        gains(layer.modulation, style, (6, 4)),
        demodulate=demodulate,
        up=upsample,
        down=downsample,
        blur_kernel=make_kernel(taps) * (4 if upsample else 1),
        blur_pad=pads,
    )
    out = layer(x, style)
    torch.testing.assert_close(out, expected)
    assert out.shape == (batch, 3, *size)


def test_modulation_starts_at_one_plus_the_texture() -> None:
    layer = ModulatedConv2d(2, 3, 3, 5)
    assert torch.equal(layer.modulation.bias, torch.ones(2))
    assert layer.weight.shape == (1, 3, 2, 3, 3)


def test_noise_weighs_nothing_at_first_and_is_one_map_for_all_channels() -> None:
    noise = NoiseInjection()
    x, n = torch.randn(2, 3, 4, 4), torch.randn(1, 1, 4, 4)
    assert torch.equal(noise(x, n), x)
    assert noise(x, None) is x
    noise.weight.data.fill_(0.5)
    torch.testing.assert_close(noise(x, n), x + 0.5 * n)


def test_noise_of_another_size_is_brought_to_the_image_by_nearest_neighbour() -> None:
    noise = NoiseInjection()
    noise.weight.data.fill_(1.0)
    n = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    expected = n.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(noise(torch.zeros(1, 1, 4, 4), n), expected)


def test_a_styled_convolution_adds_noise_then_bias_then_activates() -> None:
    layer = StyledConv(2, 3, 3, 5)
    layer.noise.weight.data.fill_(0.5)
    layer.activate.bias.data.normal_()
    x, style, n = torch.randn(2, 2, 4, 4), torch.randn(2, 5), torch.randn(2, 1, 4, 4)
    y = layer.conv(x, style) + 0.5 * n + layer.activate.bias[:, None, None]
    torch.testing.assert_close(layer(x, style, n), math.sqrt(2) * F.leaky_relu(y, 0.2))


def test_a_styled_convolution_doubles_the_size_when_upsampling() -> None:
    layer = StyledConv(2, 3, 3, 5, upsample=True)
    assert layer(torch.randn(1, 2, 3, 5), torch.randn(1, 5)).shape == (1, 3, 6, 10)


@pytest.mark.parametrize("is_map", [False, True])
def test_to_rgb_neither_demodulates_nor_normalises_its_style(is_map: bool) -> None:
    layer = ToRGB(2, 5)
    layer.bias.data.normal_()
    x, style = torch.randn(3, 2, 4, 4), styles(3, is_map)
    s = gains(layer.conv.modulation, style, (4, 4))
    weight = layer.conv.weight[0] / math.sqrt(2)
    expected = F.conv2d(x * (s if is_map else s[:, :, None, None]), weight) + layer.bias
    torch.testing.assert_close(layer(x, style), expected)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("is_map", [False, True])
def test_the_first_modulation_has_no_one_plus(batch: int, is_map: bool) -> None:
    layer = SpatialCodeModulation(4, 5)
    assert not layer.scale.bias.any()
    assert not layer.bias.bias.any()
    layer.scale.bias.data.normal_()
    layer.bias.bias.data.normal_()
    structure, style = torch.randn(batch, 4, 3, 4), styles(batch, is_map)
    scale, bias = (gains(linear, style, (3, 4)) for linear in (layer.scale, layer.bias))
    if not is_map:
        scale, bias = scale[:, :, None, None], bias[:, :, None, None]
    torch.testing.assert_close(layer(structure, style), structure * scale + bias)
