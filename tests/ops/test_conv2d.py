import warnings

import pytest
import torch
from tests.native.tools import error, needs_kernels, random
from tests.ops.derivatives import assert_equal_bodies, draw
from torch import Tensor
from torch.autograd import forward_ad
from torch.func import grad, vmap

from swapae import native
from swapae.networks import Discriminator, DiscriminatorConfig
from swapae.ops import conv2d, conv2d_reference
from swapae.ops.conv2d import _Conv3x3, takes_winograd

ARGUMENTS = [(1, 0, 1.0), (1, 1, 0.3), (2, 0, 1.0), (2, 1, 2.0), (1, 2, 0.5)]  # stride, padding, scale


@pytest.mark.parametrize(("stride", "padding", "scale"), ARGUMENTS)
@pytest.mark.parametrize("k", [1, 3])
def test_the_body_is_the_reference_in_value_and_two_derivatives(
    stride: int, padding: int, scale: float, k: int
) -> None:
    more = {"stride": stride, "padding": padding, "scale": scale}
    inputs = draw(0, (2, 3, 6, 5), (4, 3, k, k), (4,))
    assert_equal_bodies(lambda *t: conv2d(*t, **more), lambda *t: conv2d_reference(*t, **more), inputs)
    torch.testing.assert_close(
        conv2d(*inputs, **more), conv2d_reference(*inputs, **more), rtol=1e-12, atol=1e-12
    )


def derivatives(x: Tensor, w: Tensor, padding: int, body: object) -> list[Tensor]:
    """Value, gradients, gradients of a function of these, and gradients of a function of those."""
    x, w = x.requires_grad_(), w.requires_grad_()
    y = body(x, w, padding, 0.4)
    first = torch.autograd.grad(y.square().sum(), (x, w), create_graph=True)
    second = torch.autograd.grad(sum(g.pow(2).sum() for g in first), (x, w), create_graph=True)
    third = torch.autograd.grad(sum(g.sin().sum() for g in second), (x, w))
    return [y, *first, *second, *third]


@needs_kernels
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_compiled_derivatives_up_to_the_third_are_those_of_float64(padding: int) -> None:
    x, w = 0.1 * random(2, 5, 9, 7), 0.1 * random(17, 5, 3, 3)
    ours = derivatives(x.clone(), w.clone(), padding, _Conv3x3.apply)
    exact = derivatives(
        x.double(), w.double(), padding, lambda x, w, padding, scale: conv2d(x, w, None, 1, padding, scale)
    )
    assert max(error(a, b) for a, b in zip(ours, exact, strict=True)) < 1e-5


def wide(seed: int = 0) -> tuple[Tensor, Tensor]:
    """An image and a weight for which the compiled convolution is the faster one."""
    return random(2, 64, 32, 32, seed=seed), random(64, 64, 3, 3, seed=seed)


@needs_kernels
def test_where_it_is_faster_the_compiled_convolution_runs() -> None:
    x, w = wide()
    assert takes_winograd(x, w, 1)
    assert not takes_winograd(x[:, :3], w[:, :3], 1)
    assert not takes_winograd(x, w[:, :, :1, :1], 0)
    assert not takes_winograd(x[:, :32], w, 1)  # torch says what is wrong
    with native.using(None):
        assert not takes_winograd(x, w, 1)


@needs_kernels
@pytest.mark.parametrize("which", ["x", "w", "bias"])
def test_only_what_requires_a_gradient_gets_one(which: str) -> None:
    x, w = wide()
    given = {"x": x, "w": w, "bias": random(64)}
    exact = {name: one.double() for name, one in given.items()}
    for one in (given, exact):
        one[which].requires_grad_()
        conv2d(one["x"], one["w"], one["bias"], padding=1).square().sum().backward()
    for name, one in given.items():
        assert (one.grad is not None) == (name == which)
    assert error(given[which].grad, exact[which].grad) < 1e-5


@needs_kernels
def test_a_backward_ends_with_the_kernels_it_began_with() -> None:
    x, w = wide()
    y = conv2d(x.requires_grad_(), w, padding=1)
    (inside,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    with native.using(None):
        (outside,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(inside, outside)


@needs_kernels
def test_where_a_run_is_not_plain_the_plain_path_serves() -> None:
    from torch._subclasses import FakeTensorMode

    x, w = wide()
    with native.using(None):
        plain = conv2d(x, w, padding=1)
        gradient = grad(lambda x: conv2d(x, w, padding=1).square().sum())(x)
    assert native.suits(x, w)
    torch.testing.assert_close(grad(lambda x: conv2d(x, w, padding=1).square().sum())(x), gradient)
    torch.testing.assert_close(vmap(lambda x: conv2d(x, w, padding=1))(x[:, None])[:, 0], plain)
    torch.testing.assert_close(torch.compile(conv2d, backend="eager", fullgraph=True)(x, w, padding=1), plain)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert conv2d(mode.from_tensor(x), mode.from_tensor(w), padding=1).shape == plain.shape
    with torch.autocast("cpu", torch.bfloat16):
        assert conv2d(x, w, padding=1).dtype == torch.bfloat16
    with warnings.catch_warnings():  # of torch.jit, which is on its way out
        warnings.simplefilter("ignore")
        with forward_ad.dual_level():
            dual = conv2d(forward_ad.make_dual(x, x), w, padding=1)
            torch.testing.assert_close(forward_ad.unpack_dual(dual).tangent, plain)
        traced = torch.jit.trace(lambda x: conv2d(x, w, padding=1), x, check_trace=False)
    assert "PythonOp" not in str(traced.graph)
    assert not native.suits(x.as_subclass(type("Mine", (Tensor,), {})))
    assert not native.suits(x.to("meta"))


@needs_kernels
def test_what_torch_refuses_is_still_refused() -> None:
    x, w = wide()
    with pytest.raises(RuntimeError, match="to have 64 channels"):
        conv2d(x[:, :60], w, padding=1)
    with pytest.raises(RuntimeError):
        conv2d(x, w, torch.zeros(1), padding=1)
    with pytest.raises(RuntimeError):
        conv2d(x, w, torch.zeros(64, dtype=torch.float64), padding=1)


@needs_kernels
def test_inference_tensors_and_empty_batches_are_taken() -> None:
    x, w = wide()
    expected = conv2d(x, w, padding=1)
    with torch.inference_mode():
        assert torch.equal(conv2d(x.clone(), w.clone(), padding=1), expected)
    assert conv2d(x[:0], w, padding=1).shape == (0, 64, 32, 32)


@needs_kernels
def test_an_r1_step_of_a_discriminator_has_the_gradients_of_float64() -> None:
    torch.manual_seed(0)
    config = DiscriminatorConfig(image_size=64, capacity=0.25, max_channels=128)
    net = Discriminator(config)
    exact = Discriminator(config).double()
    exact.load_state_dict({name: value.double() for name, value in net.state_dict().items()})
    image = random(2, 3, 64, 64)
    for one, x in ((net, image.clone()), (exact, image.double())):
        logits = one(x.requires_grad_())
        (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
        (gradient.square().sum() + logits.sum()).backward()
    worst = 0.0
    for ours, theirs in zip(net.parameters(), exact.parameters(), strict=True):
        if theirs.grad is not None and theirs.grad.norm() > 0:
            worst = max(worst, float((ours.grad.double() - theirs.grad).norm() / theirs.grad.norm()))
    # 1.5e-6 but for roundings that turn the sign before a leaky ReLU, which torch's own float32 has too.
    assert 0 < worst < 2e-3
