import pytest
import torch

from swapae import native
from swapae.losses import squared_gradient
from swapae.ops import conv2d


def test_the_penalty_of_a_linear_critic_is_its_squared_weight_for_every_image() -> None:
    weight = torch.randn(3, 4, 4)
    x = torch.randn(5, 3, 4, 4, requires_grad=True)
    logits = (x * weight).sum(dim=(1, 2, 3))[:, None]
    torch.testing.assert_close(squared_gradient(logits, [x]), weight.square().sum().expand(5))


def test_penalties_add_up_over_inputs_patches_and_pixels() -> None:
    a, b = torch.randn(2, 2, 3, 4, requires_grad=True).unbind(0)
    logits = (a.square() + 3 * b).flatten(1).sum(1)
    expected = (2 * a).square().sum(dim=(1, 2)) + 9 * 12
    torch.testing.assert_close(squared_gradient(logits, [a, b]), expected)


def test_the_penalty_can_be_descended() -> None:
    weight = torch.randn(4, requires_grad=True)
    x = torch.randn(2, 4, requires_grad=True)
    penalty = squared_gradient((x * weight).sum(1), [x])
    (gradient,) = torch.autograd.grad(penalty.mean(), weight)
    torch.testing.assert_close(gradient, 2 * weight)


@pytest.mark.skipif(not native.is_available(), reason="the kernels were not built")
def test_gradients_of_weights_are_computed_when_the_penalty_is_descended_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[int] = []
    plain = native.conv3x3_grad
    monkeypatch.setattr(native, "conv3x3_grad", lambda *given: (computed.append(1), plain(*given))[1])
    x = torch.randn(4, 64, 32, 32, requires_grad=True)
    weight = torch.randn(64, 64, 3, 3, requires_grad=True)
    penalty = squared_gradient(conv2d(x, weight, padding=1), [x])
    assert computed == []
    penalty.sum().backward()
    assert computed == [1]
    assert weight.grad is not None
