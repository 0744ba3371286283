import math

import pytest
import torch
import torch.nn.functional as F

from swapae.layers import EqualConv2d, EqualLinear, FusedLeakyReLU, ScaledLeakyReLU


@pytest.mark.parametrize("lr_mul", [1.0, 0.01])
@pytest.mark.parametrize("bias", [False, True])
def test_a_convolution_scales_its_weight_and_not_its_bias(lr_mul: float, bias: bool) -> None:
    conv = EqualConv2d(4, 5, 3, 2, 1, bias, lr_mul)
    if conv.bias is not None:
        conv.bias.data.normal_()
    x = torch.randn(2, 4, 7, 6)
    expected = F.conv2d(x, conv.weight * lr_mul / math.sqrt(4 * 9), conv.bias, stride=2, padding=1)
    torch.testing.assert_close(conv(x), expected)
    assert [name for name, _ in conv.named_parameters()] == ["weight", *["bias"] * bias]


def test_a_convolution_starts_unit_normal_without_bias_and_keeps_the_variance() -> None:
    conv = EqualConv2d(256, 256, 3)
    assert conv.weight.std().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(conv.bias, torch.zeros(256))
    assert conv(torch.randn(1, 256, 8, 8)).std().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("lr_mul", [1.0, 0.01])
@pytest.mark.parametrize("activation", [None, "fused_lrelu"])
@pytest.mark.parametrize("bias", [False, True])
def test_a_linear_layer_scales_weight_and_bias(lr_mul: float, activation: str | None, bias: bool) -> None:
    linear = EqualLinear(4, 3, bias, 0.7, lr_mul, activation)
    x = torch.randn(5, 4)
    expected = x @ (linear.weight * lr_mul / 2).T + (0.7 * lr_mul if bias else 0.0)
    if activation:
        expected = math.sqrt(2) * F.leaky_relu(expected, 0.2)
    torch.testing.assert_close(linear(x), expected)


def test_the_learning_rate_multiplier_cancels_in_the_first_output() -> None:
    linear = EqualLinear(256, 256, lr_mul=0.01)
    assert linear.weight.std().item() == pytest.approx(100, rel=0.02)
    assert linear(torch.randn(64, 256)).std().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("activation", [None, "fused_lrelu"])
def test_a_linear_layer_takes_a_map_place_by_place(activation: str | None) -> None:
    linear = EqualLinear(4, 3, bias_init=0.3, lr_mul=0.5, activation=activation)
    x = torch.randn(2, 4, 3, 5)
    out = linear(x)
    assert out.shape == (2, 3, 3, 5)
    torch.testing.assert_close(out[:, :, 2, 4], linear(x[:, :, 2, 4]))
    torch.testing.assert_close(out[:, :, 0, 1], linear(x[:, :, 0, 1]))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 4)])
def test_fused_leaky_relu_adds_its_bias_then_activates(shape: tuple[int, ...]) -> None:
    act = FusedLeakyReLU(3)
    assert torch.equal(act.bias, torch.zeros(3))
    act.bias.data = torch.tensor([1.0, -1.0, 0.0])
    x = torch.randn(shape)
    biased = x + act.bias.reshape(1, 3, *[1] * (len(shape) - 2))
    torch.testing.assert_close(act(x), math.sqrt(2) * F.leaky_relu(biased, 0.2))


def test_slope_and_gain_can_be_chosen() -> None:
    x = torch.tensor([[-2.0, 3.0]])
    torch.testing.assert_close(FusedLeakyReLU(2, 0.1, 3.0)(x), torch.tensor([[-0.6, 9.0]]))
    torch.testing.assert_close(ScaledLeakyReLU(0.1)(x), math.sqrt(2) * torch.tensor([[-0.2, 3.0]]))
    assert not list(ScaledLeakyReLU().parameters())


def test_an_unknown_activation_is_refused_rather_than_taken_for_leaky_relu() -> None:
    with pytest.raises(ValueError, match="'relu'"):
        EqualLinear(2, 2, activation="relu")  # type: ignore[arg-type]
