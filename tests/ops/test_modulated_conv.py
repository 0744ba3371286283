import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ops.derivatives import Body, assert_differentiable_twice, assert_equal_bodies, draw
from torch import Tensor

from swapae.ops import (
    make_kernel,
    modulated_conv2d,
    modulated_conv2d_reference,
    upfirdn2d_reference,
)
from swapae.ops.modulated_conv import demodulated_weight

DIRECTIONS = {"plain": {}, "up": {"up": True}, "down": {"down": True}}


def inputs_of(batch: int, ins: int, outs: int, side: tuple[int, int], k: int, is_map: bool) -> list[Tensor]:
    return draw(0, (batch, ins, *side), (outs, ins, k, k), (batch, ins, *(side if is_map else ())))


@settings(max_examples=40)
@given(
    batch=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    side=st.tuples(st.integers(2, 4), st.integers(2, 4)),
    k=st.sampled_from([1, 3]),
    is_map=st.booleans(),
    demodulate=st.booleans(),
    direction=st.sampled_from(sorted(DIRECTIONS)),
    taps=st.integers(1, 4),
    pads=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_the_fast_body_is_the_reference_in_value_and_two_derivatives(
    batch: int,
    channels: tuple[int, int],
    side: tuple[int, int],
    k: int,
    is_map: bool,
    demodulate: bool,
    direction: str,
    taps: int,
    pads: tuple[int, int],
) -> None:
    def run(body: Body) -> Body:
        return lambda x, weight, style, kernel: body(
            x,
            weight,
            style,
            demodulate=demodulate,
            blur_kernel=kernel,
            blur_pad=(pads[0] + taps - 1, pads[1] + k - 1),
            **DIRECTIONS[direction],
        )

    inputs = [*inputs_of(batch, *channels, side, k, is_map), *draw(1, (taps, taps))]
    if direction == "plain":  # the blur is not used
        inputs = inputs[:3]
        fast, reference = (
            lambda x, weight, style, body=body: body(x, weight, style, demodulate=demodulate)
            for body in (modulated_conv2d, modulated_conv2d_reference)
        )
        assert_equal_bodies(fast, reference, inputs)
    else:
        assert_equal_bodies(run(modulated_conv2d), run(modulated_conv2d_reference), inputs)


@pytest.mark.parametrize("direction", sorted(DIRECTIONS))
@pytest.mark.parametrize("is_map", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_derivatives_are_those_of_the_numbers(direction: str, is_map: bool, demodulate: bool) -> None:
    kernel = torch.tensor([[1.0, 3.0], [2.0, 1.0]], dtype=torch.float64)
    assert_differentiable_twice(
        lambda x, weight, style: modulated_conv2d(
            x,
            weight,
            style,
            demodulate=demodulate,
            blur_kernel=kernel,
            blur_pad=(2, 1),
            **DIRECTIONS[direction],
        ),
        inputs_of(1, 2, 1, (3, 2), 3, is_map),
    )


def test_demodulation_knows_nothing_of_the_style() -> None:
    x, weight, style = inputs_of(2, 3, 4, (3, 3), 3, is_map=False)
    demodulated = modulated_conv2d(x, weight, style)
    gained = modulated_conv2d(x, demodulated_weight(weight), style, demodulate=False)
    # Demodulating also brings each sample's style to unit mean square, and does nothing else.
    rms = style.square().mean(1)[:, None, None, None].sqrt()
    torch.testing.assert_close(demodulated * rms, gained, rtol=1e-6, atol=1e-6)


def test_every_output_channel_of_a_demodulated_weight_has_unit_length() -> None:
    lengths = demodulated_weight(torch.randn(5, 4, 3, 3)).square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(lengths, torch.ones(5))


def test_a_style_without_demodulation_keeps_its_length() -> None:
    x, weight, style = inputs_of(1, 2, 2, (3, 3), 1, is_map=False)
    once = modulated_conv2d(x, weight, style, demodulate=False)
    torch.testing.assert_close(modulated_conv2d(x, weight, 3 * style, demodulate=False), 3 * once)
    once = modulated_conv2d(x, weight, style)
    torch.testing.assert_close(modulated_conv2d(x, weight, 3 * style), once, rtol=1e-6, atol=1e-6)


def test_up_is_zero_insertion_then_the_flipped_weight_then_the_blur() -> None:
    x, weight, style = inputs_of(1, 1, 1, (3, 4), 3, is_map=False)
    kernel = 4 * make_kernel([1, 3, 3, 1]).double()
    out = modulated_conv2d(x, weight, style, demodulate=False, up=True, blur_kernel=kernel, blur_pad=(1, 1))
    spread = upfirdn2d_reference(x * style.reshape(()), weight[0, 0], up=2, pad=(2, 1))
    torch.testing.assert_close(out, upfirdn2d_reference(spread, kernel, pad=(1, 1)))
    assert out.shape == (1, 1, 6, 8)


@pytest.mark.parametrize("body", [modulated_conv2d, modulated_conv2d_reference])
def test_what_cannot_be_meant_is_refused(body: Body) -> None:
    x, weight, style = inputs_of(1, 2, 2, (3, 3), 3, is_map=False)
    with pytest.raises(ValueError, match="needs a blur_kernel"):
        body(x, weight, style, up=True)
    with pytest.raises(ValueError, match="up or down, not both"):
        body(x, weight, style, up=True, down=True, blur_kernel=torch.ones(1, 1))
