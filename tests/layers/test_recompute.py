"""Activation checkpointing: the same numbers, fewer of them kept."""

from collections.abc import Callable

import torch
from torch import Tensor

from swapae.layers import ResBlock
from swapae.layers.recompute import recomputed, recomputing


def block_and_input(dtype: torch.dtype = torch.float64) -> tuple[ResBlock, Tensor]:
    torch.manual_seed(0)
    return ResBlock(8, 12).to(dtype), torch.randn(2, 8, 16, 16, dtype=dtype, requires_grad=True)


def derivatives(block: ResBlock, x: Tensor) -> list[Tensor]:
    """First ones by input and weights, and those of the squared first one, as R1 takes them."""
    first = torch.autograd.grad(block(x).square().sum(), [x, *block.parameters()])
    (gradient,) = torch.autograd.grad(block(x).square().sum(), [x], create_graph=True)
    return [*first, *torch.autograd.grad(gradient.square().sum(), [x, *block.parameters()])]


def kept_bytes(run: Callable[[], Tensor]) -> int:
    """Bytes of the distinct memory that a forward call keeps for backward."""
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = run()
    assert out.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def test_first_and_second_derivatives_are_the_same() -> None:
    for dtype in (torch.float32, torch.float64):
        block, x = block_and_input(dtype)
        expected = derivatives(block, x)
        with recomputing():
            found = derivatives(block, x)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_only_the_input_is_kept() -> None:
    block, x = block_and_input()
    plain = kept_bytes(lambda: block(x))
    with recomputing():
        assert kept_bytes(lambda: block(x)) == x.numel() * x.element_size()
    assert plain > 3 * x.numel() * x.element_size()


def test_it_ends_with_its_context_and_can_be_declined() -> None:
    block, x = block_and_input()
    plain = kept_bytes(lambda: block(x))
    with recomputing():
        with recomputing(False):
            assert kept_bytes(lambda: block(x)) == plain
        assert kept_bytes(lambda: block(x)) < plain
    assert kept_bytes(lambda: block(x)) == plain


def test_a_block_runs_twice_where_there_is_a_gradient_and_once_where_there_is_none() -> None:
    runs: list[int] = []

    def block(x: Tensor) -> Tensor:
        runs.append(1)
        return x.square().sin()

    with recomputing():
        with torch.no_grad():
            recomputed(block, torch.ones(2))
        assert len(runs) == 1
        recomputed(block, torch.ones(2, requires_grad=True)).sum().backward()
        assert len(runs) == 3
