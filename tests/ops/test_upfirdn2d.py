import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.native.tools import error, needs_kernels, random
from tests.ops.derivatives import Body, assert_differentiable_twice, assert_equal_bodies, draw

from swapae.ops import make_kernel, reflected_fir, upfirdn2d, upfirdn2d_reference

FACTOR = st.integers(1, 4)
SIDE = st.integers(1, 6)
TAPS = st.integers(1, 5)
PADS = st.tuples(*[st.integers(-4, 5)] * 4)


@settings(max_examples=80)
@given(
    channels=st.integers(1, 3),
    sides=st.tuples(SIDE, SIDE),
    taps=st.tuples(TAPS, TAPS),
    up=FACTOR,
    down=FACTOR,
    pads=PADS,
)
@example(channels=1, sides=(2, 2), taps=(1, 1), up=4, down=1, pads=(-7, 3, -7, 3))  # inserted zeros only
@example(channels=1, sides=(3, 3), taps=(2, 2), up=1, down=1, pads=(-4, 6, -4, 6))  # no image left
@example(channels=2, sides=(5, 4), taps=(3, 2), up=1, down=1, pads=(1, 1, 2, 2))
@example(channels=2, sides=(5, 4), taps=(4, 4), up=2, down=1, pads=(2, 1, 2, 1))
@example(channels=2, sides=(5, 4), taps=(4, 4), up=1, down=2, pads=(2, 2, 2, 2))
@example(channels=2, sides=(5, 4), taps=(1, 1), up=1, down=2, pads=(0, -1, 0, -1))
def test_the_fast_body_is_the_reference_in_value_and_two_derivatives(
    channels: int,
    sides: tuple[int, int],
    taps: tuple[int, int],
    up: int,
    down: int,
    pads: tuple[int, int, int, int],
) -> None:
    left, right, top, bottom = pads
    assume(sides[0] * up + top + bottom >= taps[0])
    assume(sides[1] * up + left + right >= taps[1])
    assert_equal_bodies(
        lambda x, kernel: upfirdn2d(x, kernel, up, down, pads),
        lambda x, kernel: upfirdn2d_reference(x, kernel, up, down, pads),
        draw(0, (2, channels, *sides), taps),
    )


@pytest.mark.parametrize(
    ("up", "down", "pad", "taps"),
    [
        (1, 1, (1, 2), (2, 3)),
        (2, 1, (2, 1), (4, 4)),
        (1, 2, (2, 2), (3, 3)),
        (3, 2, (-1, 3, 2, -2), (2, 3)),
        (1, 2, (0, -1), (1, 1)),
    ],
)
def test_derivatives_are_those_of_the_numbers(
    up: int, down: int, pad: tuple[int, ...], taps: tuple[int, int]
) -> None:
    inputs = draw(1, (1, 2, 4, 3), taps)
    assert_differentiable_twice(lambda x, kernel: upfirdn2d(x, kernel, up, down, pad), inputs)


@pytest.mark.parametrize("body", [upfirdn2d, upfirdn2d_reference])
def test_a_single_pixel_spreads_the_kernel_unflipped(body: Body) -> None:
    kernel = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    image = torch.zeros(1, 1, 3, 3)
    image[0, 0, 1, 1] = 1
    out = body(image, kernel, pad=(1, 0))
    expected = torch.tensor([[0.0, 0, 0], [0, 1, 2], [0, 3, 4]])
    assert torch.equal(out[0, 0], expected)


@pytest.mark.parametrize("body", [upfirdn2d, upfirdn2d_reference])
def test_four_pads_are_left_right_top_bottom(body: Body) -> None:
    image = torch.ones(1, 1, 1, 1)
    out = body(image, torch.ones(1, 1), pad=(1, 2, 3, 0))
    expected = torch.zeros(1, 1, 4, 4)
    expected[0, 0, 3, 1] = 1
    assert torch.equal(out, expected)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2), (3, 2), (2, 3)])
def test_output_size_follows_the_formula(up: int, down: int) -> None:
    out = upfirdn2d(torch.ones(2, 3, 7, 5), torch.ones(3, 4), up, down, (2, 1, -1, 3))
    assert out.shape == (2, 3, (7 * up + 2 - 3) // down + 1, (5 * up + 3 - 4) // down + 1)


def test_float32_and_a_float32_kernel_on_float64_images_both_work() -> None:
    kernel = make_kernel([1, 3, 3, 1])
    image = torch.randn(1, 2, 6, 6, dtype=torch.float64)
    double = upfirdn2d(image, kernel, up=2, pad=(2, 1))
    assert double.dtype == torch.float64
    torch.testing.assert_close(upfirdn2d(image.float(), kernel, up=2, pad=(2, 1)).double(), double)


@pytest.mark.parametrize(("taps", "total"), [([1, 3, 3, 1], 64), ([1, 2, 1], 16), ([1], 1), ([1, 5, 2], 64)])
def test_make_kernel_is_the_outer_product_over_its_sum(taps: list[int], total: int) -> None:
    kernel = make_kernel(taps)
    expected = torch.tensor([[a * b / total for b in taps] for a in taps])
    assert kernel.dtype == torch.float32
    assert torch.equal(kernel, expected)


def test_make_kernel_only_normalises_two_dimensions() -> None:
    assert torch.equal(make_kernel(torch.tensor([[1.0, 2.0, 1.0]])), torch.tensor([[0.25, 0.5, 0.25]]))


def test_bad_arguments_are_refused_with_their_numbers() -> None:
    image, kernel = torch.ones(1, 1, 2, 3), torch.ones(3, 3)
    with pytest.raises(ValueError, match=r"\(2, 3\), is smaller than the kernel, \(3, 3\)"):
        upfirdn2d(image, kernel)
    with pytest.raises(ValueError, match="up=0"):
        upfirdn2d(image, kernel, up=0)
    with pytest.raises(ValueError, match="down=-1"):
        upfirdn2d(image, kernel, down=-1)
    with pytest.raises(ValueError, match="3 numbers"):
        upfirdn2d(image, kernel, pad=(1, 1, 1))
    with pytest.raises(ValueError, match="3-D and 2-D"):
        upfirdn2d(image[0], kernel)


@needs_kernels
@pytest.mark.parametrize(
    ("up", "down", "pad"), [(1, 1, (2, 1)), (2, 1, (2, 1)), (1, 2, (2, 2)), (3, 2, (-1, 3))]
)
def test_compiled_values_and_gradients_are_those_of_float64(up: int, down: int, pad: tuple[int, int]) -> None:
    kernel, values = make_kernel([1, 3, 3, 1]), []
    for x in (random(2, 5, 9, 7), random(2, 5, 9, 7).double()):
        y = upfirdn2d(x.requires_grad_(), kernel, up, down, pad)
        values.append((y, *torch.autograd.grad(y.pow(3).sum(), x)))
    assert max(error(a, b) for a, b in zip(*values, strict=True)) < 1e-6


def test_a_kernel_that_requires_a_gradient_gets_one() -> None:
    kernel = make_kernel([1, 3, 3, 1]).requires_grad_()
    upfirdn2d(torch.ones(1, 1, 6, 6), kernel).sum().backward()
    torch.testing.assert_close(kernel.grad, torch.full((4, 4), 9.0))


@pytest.mark.parametrize("size", [10, 11])
def test_wide_reflections_with_many_taps_have_the_gradients_of_float64(size: int) -> None:
    values = []  # the adjoint has rows of more than 16 entries
    for x in (random(1, 3, size, size), random(1, 3, size, size).double()):
        y = reflected_fir(x.requires_grad_(), make_kernel([1, 2, 3, 4, 5, 6, 7, 8]), 1, (9, 9))
        values.append((y, *torch.autograd.grad(y.pow(2).sum(), x)))
    assert max(error(a, b) for a, b in zip(*values, strict=True)) < 1e-6


def test_reflection_of_too_small_an_image_is_refused() -> None:
    with pytest.raises(ValueError, match="smaller than the kernel"):
        reflected_fir(torch.ones(1, 1, 2, 2), make_kernel([1] * 5), 1, (1, 1))
