"""What the tests of the compiled kernels share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import pytest
import torch
from torch import Tensor

from swapae import native
from swapae.native import library, memory

ISAS = ("avx512", "avx2", "portable")
needs_kernels = pytest.mark.skipif(library.kernels() is None, reason="no kernels were built for this machine")


@contextmanager
def kernels_of(isa: str) -> Iterator[None]:
    """Use one instruction set, with scratch memory full of NaN; skip where it does not run."""
    kernels = library.kernels(isa)
    if kernels is None:
        pytest.skip(f"there are no {isa} kernels for this machine")
    for name in ("workspace", "packed"):
        native.workspace(1 << 20, name).fill_(torch.nan)
    with native.using(kernels):
        yield


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Work on so many threads, however little there is to do."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with mock.patch.object(memory, "GRAIN", 1):
            yield
    finally:
        torch.set_num_threads(before)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def error(ours: Tensor | None, exact: Tensor | None) -> float:
    """The largest error as a share of the largest |value|."""
    assert ours is not None
    assert exact is not None
    assert ours.shape == exact.shape
    assert ours.dtype == torch.float32
    assert exact.dtype == torch.float64
    ours, exact = ours.detach(), exact.detach()
    return float((ours.double() - exact).abs().max() / exact.abs().max().clamp_min(1e-30))


def disguises(x: Tensor) -> Sequence[Tensor]:
    """The same values in other layouts: NCHW, channels_last, a slice, strides of its own, an offset."""
    wide = torch.full((x.shape[0], x.shape[1], x.shape[2], 2 * x.shape[3]), torch.nan)
    wide[..., ::2] = x
    longer = torch.full((len(x) + 1, *x.shape[1:]), torch.nan)
    longer[1:] = x
    return [
        x.contiguous(),
        x.contiguous(memory_format=torch.channels_last),
        wide[..., ::2],
        x.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0),
        longer.contiguous(memory_format=torch.channels_last)[1:],
    ]
