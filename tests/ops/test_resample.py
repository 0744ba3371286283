import pytest
import torch
from tests.native.tools import error, needs_kernels, random
from tests.ops.derivatives import assert_equal_bodies, draw

from swapae import native
from swapae.ops import resample, resample_reference, upfirdn2d_reference, upsample2
from swapae.ops.resample import dense, doubling_lines, fir_lines

TAPS = (0.5, 0.25, -1.0, 2.0)


@pytest.mark.parametrize(
    ("up", "down", "pad"), [(1, 1, (2, 1)), (2, 1, (3, 1)), (1, 2, (2, 2)), (3, 2, (-1, 4))]
)
def test_the_reference_is_upfirdn2d(up: int, down: int, pad: tuple[int, int]) -> None:
    x = random(2, 3, 6, 9).double()
    lines = [fir_lines(size, TAPS, up, down, *pad) for size in (6, 9)]
    taps = torch.tensor(TAPS, dtype=torch.float64)
    expected = upfirdn2d_reference(x, torch.outer(taps, taps), up, down, pad)
    torch.testing.assert_close(resample_reference(x, *lines), expected, rtol=1e-12, atol=1e-12)


def test_the_bodies_agree_in_two_derivatives() -> None:
    lines = fir_lines(5, TAPS, 1, 2, 2, 2, reflect=True), doubling_lines(6)
    assert_equal_bodies(
        lambda x: resample(x, *lines), lambda x: resample_reference(x, *lines), draw(0, (2, 3, 5, 6))
    )


def test_doubling_is_bilinear() -> None:
    for size in (1, 2, 7):
        x = random(1, 1, size, size).double()
        expected = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        ours = resample_reference(x, doubling_lines(size), doubling_lines(size))
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)


@needs_kernels
def test_compiled_derivatives_up_to_the_second_are_those_of_float64() -> None:
    lines = fir_lines(9, TAPS, 1, 2, 2, 2, reflect=True), doubling_lines(7)
    values = []
    for x in (random(2, 5, 9, 7), random(2, 5, 9, 7).double()):
        y = resample(x.requires_grad_(), *lines)
        (first,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.pow(2).sum(), x)
        values.append((y, first, second))
    assert max(error(a, b) for a, b in zip(*values, strict=True)) < 1e-5


def test_matrices_made_in_inference_serve_training() -> None:
    fir_lines.cache_clear()
    doubling_lines.cache_clear()
    with torch.inference_mode():
        lines = fir_lines(6, TAPS, 1, 1, 2, 1), doubling_lines(5)
        upsample2(random(1, 2, 6, 6))
    assert not dense(lines[0]).is_inference()
    with native.using(None):
        resample(random(1, 2, 6, 5).requires_grad_(), *lines).sum().backward()
    resample(random(1, 2, 6, 5).requires_grad_(), *lines).sum().backward()


def test_matrices_made_under_another_default_device_are_real() -> None:
    fir_lines.cache_clear()
    with torch.device("meta"):
        lines = fir_lines(6, TAPS, 1, 1, 2, 1)
    assert lines.weight.device.type == "cpu"
