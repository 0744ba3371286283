"""How two bodies of one op are held to each other: values, gradients, and gradients of gradients."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Body = Callable[..., Tensor]


def draw(seed: int, *shapes: Sequence[int]) -> list[Tensor]:
    """Draw unit-normal float64 tensors that require gradients."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes
    ]


def derivatives(body: Body, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Compute the output, its gradients under a random cotangent, and the gradients of these (0 if none)."""
    y = body(*inputs)
    (cotangent,) = draw(99, y.shape)
    first = torch.autograd.grad(y, inputs, cotangent, create_graph=True)
    directions = draw(98, *(one.shape for one in first))
    along = torch.stack([(a * b).sum() for a, b in zip(first, directions, strict=True)]).sum()
    second = torch.autograd.grad(along, [*inputs, cotangent], materialize_grads=True)
    return [y, *first, *second]


def assert_equal_bodies(fast: Body, reference: Body, inputs: Sequence[Tensor]) -> None:
    """Fail unless both bodies agree in all derivatives up to the second."""
    for ours, theirs in zip(derivatives(fast, inputs), derivatives(reference, inputs), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def assert_differentiable_twice(body: Body, inputs: Sequence[Tensor]) -> None:
    """Fail unless the analytic derivatives are the numeric ones, once and twice."""
    assert torch.autograd.gradcheck(body, inputs)
    assert torch.autograd.gradgradcheck(body, inputs)
