"""Activation checkpointing: memory for time, with the same numbers (Chen et al. 2016, arXiv:1604.06174)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

_state = threading.local()


@contextmanager
def recomputing(wanted: bool = True) -> Iterator[None]:
    """Keep no activation inside a block that this thread runs here: backward computes them again.

    The gradients are the same to the bit. Second derivatives are right too, but nothing is saved by it: the
    graph of a gradient holds the activations again.
    """
    before = getattr(_state, "wanted", False)
    _state.wanted = wanted
    try:
        yield
    finally:
        _state.wanted = before


def recomputed(block: Callable[..., Tensor], *inputs: Any) -> Tensor:
    """Run a block that draws nothing at random; while `recomputing`, only its inputs are kept."""
    if getattr(_state, "wanted", False) and torch.is_grad_enabled():
        out: Tensor = checkpoint(block, *inputs, use_reentrant=False, preserve_rng_state=False)
        return out
    return block(*inputs)
