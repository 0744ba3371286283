import pytest
import torch
from tests.native.tools import ISAS, disguises, error, kernels_of, needs_kernels, random, threads

from swapae import native

SHAPES = [(1, 1), (5, 17), (130, 33), (2, 3, 5, 7), (1, 16, 4, 4), (3, 47, 9, 8)]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_activation_is_that_of_float64(isa: str, shape: tuple[int, ...], slope: float) -> None:
    x, bias = random(*shape), random(shape[1])
    for one in (None, bias):
        v = x.double() if one is None else x.double() + bias.double().reshape(-1, *[1] * (len(shape) - 2))
        with kernels_of(isa):
            y = native.activate(x, one, slope, 1.4)
        assert error(y, 1.4 * torch.where(v > 0, v, slope * v)) < 2e-7


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_its_gradient_is_that_of_float64(isa: str, shape: tuple[int, ...]) -> None:
    y, grad, shift = random(*shape), random(*shape, seed=1), random(shape[1])
    over = (shape[1], *[1] * (len(shape) - 2))
    factor = torch.where(y > 0, torch.tensor(1.4).double(), torch.tensor(0.28).double())
    exact = (grad.double() + shift.double().reshape(over)) * factor
    with kernels_of(isa):
        ours, ours_bias = native.activate_grad(grad, y, shift, 0.2, 1.4, with_bias=True)
        without, none = native.activate_grad(grad, y, shift, 0.2, 1.4, with_bias=False)
    assert error(ours, exact) < 3e-7
    assert error(ours_bias, exact.sum([0, *range(2, len(shape))])) < 2e-6
    assert none is None
    assert torch.equal(without, ours)


@pytest.mark.parametrize("isa", ISAS)
def test_threads_and_layouts_change_no_bit(isa: str) -> None:
    y, grad, bias = random(2, 5, 9, 8), random(2, 5, 9, 8, seed=1), random(5)
    with kernels_of(isa):
        out = native.activate(y, bias, 0.2, 1.0)
        back, back_bias = native.activate_grad(grad, y, None, 0.2, 1.0, with_bias=True)
        for other_y, other_grad in zip(disguises(y), disguises(grad), strict=True):
            for number in (1, 2, 3, 200):
                with threads(number):
                    assert torch.equal(native.activate(other_y, bias, 0.2, 1.0), out)
                    ours, ours_bias = native.activate_grad(
                        other_grad, other_y, None, 0.2, 1.0, with_bias=True
                    )
                    assert torch.equal(ours, back)
                    assert torch.equal(ours_bias, back_bias)


@pytest.mark.parametrize("isa", ISAS)
def test_nothing_in_gives_nothing_out(isa: str) -> None:
    with kernels_of(isa):
        for shape in ((0, 3), (0, 3, 4, 4), (2, 0), (2, 0, 4, 4), (2, 3, 0, 4)):
            empty = torch.empty(shape)
            assert native.activate(empty, None, 0.2, 1.0).shape == shape
            out, bias = native.activate_grad(empty, empty, None, 0.2, 1.0, with_bias=True)
            assert out.shape == shape
            assert torch.equal(bias, torch.zeros(shape[1]))


@needs_kernels
def test_what_would_be_read_out_of_bounds_is_refused() -> None:
    x = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"bias is \(2,\), and must be \(3,\)"):
        native.activate(x, torch.zeros(2), 0.2, 1.0)
    with pytest.raises(ValueError, match=r"gradient is \(2, 2\), and the output \(2, 3\)"):
        native.activate_grad(torch.zeros(2, 2), x, None, 0.2, 1.0, with_bias=True)
    with pytest.raises(ValueError, match="slope=2"):
        native.activate(x, None, 2, 1.0)
    with pytest.raises(ValueError, match="not 3-D"):
        native.activate(torch.zeros(2, 3, 4), None, 0.2, 1.0)
