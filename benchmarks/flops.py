"""Count the operations of direct convolutions and matrix products, 2 for a multiplication and addition.

The baseline is run on the "meta" device, where nothing is computed. Its one-channel blurs are left out: they
are the way, not the work.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten


def count(function: Callable[[], Any]) -> float:
    """Run a function on meta tensors and count."""
    mapping = {aten.convolution: _forward, aten.convolution_backward: _backward}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        function()
    return float(counter.get_total_flops())


def _forward(
    x: Any,
    w: Any,
    _b: Any,
    _s: Any,
    _p: Any,
    _d: Any,
    transposed: bool,
    *_: Any,
    out_shape: Any = None,
    **__: Any,
) -> float:
    return _multiplied(x, w, out_shape, transposed)


def _backward(
    grad: Any,
    x: Any,
    w: Any,
    _b: Any,
    _s: Any,
    _p: Any,
    _d: Any,
    transposed: bool,
    _o: Any,
    _g: Any,
    wanted: Any,
    **__: Any,
) -> float:
    return sum(wanted[:2]) * _multiplied(x, w, grad, transposed)


def _multiplied(x: Any, w: Any, out: Any, transposed: bool) -> float:
    """Every output (of a transposed convolution: every input) meets a whole kernel of its group."""
    if tuple(w[:2]) == (1, 1):
        return 0.0
    return 2.0 * math.prod(x if transposed else out) * w[1] * math.prod(w[2:])
