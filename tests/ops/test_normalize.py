import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ops.derivatives import Body, assert_differentiable_twice, assert_equal_bodies, draw

from swapae.ops import normalize, normalize_reference
from swapae.ops.normalize import rms_normalize

SHAPE = st.one_of(st.tuples(*[st.integers(1, 5)] * 2), st.tuples(*[st.integers(1, 4)] * 4))


@settings(max_examples=40)
@given(shape=SHAPE)
def test_the_fast_body_is_the_reference_in_value_and_two_derivatives(shape: tuple[int, ...]) -> None:
    assert_equal_bodies(normalize, normalize_reference, draw(0, shape))


@pytest.mark.parametrize("body", [normalize, rms_normalize])
def test_derivatives_are_those_of_the_numbers(body: Body) -> None:
    assert_differentiable_twice(body, draw(1, (2, 3, 2, 1)))


def test_a_structure_code_has_unit_length_at_each_place() -> None:
    lengths = normalize(torch.randn(2, 8, 3, 4)).square().sum(1)
    torch.testing.assert_close(lengths, torch.ones(2, 3, 4))


def test_a_style_has_unit_mean_square() -> None:
    torch.testing.assert_close(rms_normalize(torch.randn(3, 8)).square().mean(1), torch.ones(3))


@pytest.mark.parametrize("body", [normalize, normalize_reference, rms_normalize])
def test_zero_stays_zero(body: Body) -> None:
    assert torch.equal(body(torch.zeros(1, 4)), torch.zeros(1, 4))


def test_the_epsilon_is_added_to_the_sum_and_to_the_mean() -> None:
    v = torch.full((1, 4), 1e-4, dtype=torch.float64)
    torch.testing.assert_close(normalize(v), v / (4e-8 + 1e-8) ** 0.5)
    torch.testing.assert_close(rms_normalize(v), v / (1e-8 + 1e-8) ** 0.5)
