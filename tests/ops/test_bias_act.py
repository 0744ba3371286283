import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.native.tools import error, needs_kernels, random
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


@needs_kernels
@pytest.mark.parametrize("shape", [(5, 17), (2, 3, 7, 5)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_compiled_derivatives_up_to_the_second_are_those_of_float64(
    shape: tuple[int, ...], with_bias: bool
) -> None:
    values = []
    for dtype in (torch.float32, torch.float64):
        inputs = [random(*shape).to(dtype).requires_grad_()]
        inputs += [random(shape[1]).to(dtype).requires_grad_()] * with_bias
        y = fused_leaky_relu(*inputs)
        first = torch.autograd.grad(y.pow(3).sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum(g.pow(2).sum() for g in first), inputs)
        values.append((y, *first, *second))
    assert max(error(a, b) for a, b in zip(*values, strict=True)) < 1e-5


@needs_kernels
def test_in_place_is_only_done_where_it_may_be() -> None:
    x = random(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    expected = fused_leaky_relu(x)
    assert torch.equal(fused_leaky_relu(x.clone(), in_place=True), expected)
    same = x.clone()
    assert fused_leaky_relu(same, in_place=True).data_ptr() == same.data_ptr()
    leaf = x.clone().requires_grad_()
    fused_leaky_relu(leaf, in_place=True).sum().backward()
    assert torch.equal(leaf.detach(), x)
    one = random(1, 1, 1, 1)
    assert torch.equal(
        fused_leaky_relu(one.expand(2, 3, 4, 4), in_place=True), fused_leaky_relu(one).expand(2, 3, 4, 4)
    )
    needed = (x.clone().requires_grad_() * 1).exp()  # whose backward needs its own value
    fused_leaky_relu(needed, in_place=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        needed.sum().backward()


def test_a_bias_that_does_not_fit_is_left_to_torch() -> None:
    x = random(2, 3, 4, 4)
    with pytest.raises(RuntimeError, match="must match"):
        fused_leaky_relu(x, torch.zeros(2))
    assert fused_leaky_relu(x, torch.zeros(3, dtype=torch.float64)).dtype == torch.float64
    assert torch.equal(fused_leaky_relu(x, torch.zeros(1)), fused_leaky_relu(x))
