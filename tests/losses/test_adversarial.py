import math

import torch

from swapae.losses import fake_loss, real_loss


def test_real_is_softplus_of_minus_the_logit_and_fake_of_the_logit() -> None:
    logits = torch.tensor([[0.0], [2.0], [-3.0]], dtype=torch.float64)
    real = torch.tensor([math.log1p(math.exp(-x)) for x in (0, 2, -3)], dtype=torch.float64)
    fake = torch.tensor([math.log1p(math.exp(x)) for x in (0, 2, -3)], dtype=torch.float64)
    torch.testing.assert_close(real_loss(logits), real)
    torch.testing.assert_close(fake_loss(logits), fake)


def test_a_loss_has_one_value_per_logit() -> None:
    assert real_loss(torch.zeros(16, 1)).shape == (16,)
    assert fake_loss(torch.zeros(16, 1)).shape == (16,)


def test_wrong_logits_keep_pulling_and_right_ones_let_go() -> None:
    logits = torch.tensor([[-20.0], [20.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(real_loss(logits).sum(), logits)
    torch.testing.assert_close(gradient, torch.tensor([[-1.0], [0.0]]))
