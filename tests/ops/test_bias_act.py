import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ops.derivatives import Body, assert_differentiable_twice, assert_equal_bodies, draw

from swapae.ops import fused_leaky_relu, fused_leaky_relu_reference

SHAPE = st.one_of(st.tuples(*[st.integers(1, 4)] * 2), st.tuples(*[st.integers(1, 4)] * 4))
FACTOR = st.floats(0.05, 3)


@settings(max_examples=40)
@given(shape=SHAPE, slope=FACTOR, scale=FACTOR)
def test_the_fast_body_is_the_reference_in_value_and_two_derivatives(
    shape: tuple[int, ...], slope: float, scale: float
) -> None:
    assert_equal_bodies(
        lambda x, bias: fused_leaky_relu(x, bias, slope, scale),
        lambda x, bias: fused_leaky_relu_reference(x, bias, slope, scale),
        draw(0, shape, shape[1:2]),
    )


def test_without_a_bias_the_bodies_agree_too() -> None:
    assert_equal_bodies(fused_leaky_relu, fused_leaky_relu_reference, draw(0, (2, 3, 2, 2)))


def test_derivatives_are_those_of_the_numbers() -> None:
    assert_differentiable_twice(fused_leaky_relu, draw(2, (2, 3, 2, 2), (3,)))


@pytest.mark.parametrize("body", [fused_leaky_relu, fused_leaky_relu_reference])
def test_slope_is_a_fifth_and_gain_the_root_of_two(body: Body) -> None:
    x = torch.tensor([[3.0, -1.0]], dtype=torch.float64)
    bias = torch.tensor([1.0, -4.0], dtype=torch.float64)
    expected = torch.tensor([[4 * math.sqrt(2), -math.sqrt(2)]], dtype=torch.float64)
    torch.testing.assert_close(body(x, bias), expected)


def test_the_input_is_left_as_it_was() -> None:
    x = torch.tensor([[1.0, -1.0]])
    fused_leaky_relu(x)
    assert torch.equal(x, torch.tensor([[1.0, -1.0]]))
