"""A key for the present weights of a network: what was made from them is good as long as the key is equal."""

import weakref
from array import array
from collections.abc import Iterator
from ctypes import string_at
from dataclasses import dataclass, field
from hashlib import blake2b

from torch import Tensor, nn

SAMPLE = 64  # bytes at the start of each tensor
UNCOUNTED = -1  # the version of a tensor made in inference mode, whose edits torch does not count


@dataclass(frozen=True, slots=True)
class WeightsKey:
    """Equal keys of one network mean equal weights; see `weights_key`."""

    digest: bytes
    # Never compared. As long as a reference lives, its own id, which is in the digest, is given to no other:
    # weights that come to lie where freed ones lay cannot be taken for them.
    references: tuple[object, ...] = field(compare=False, repr=False)


def weights_key(network: nn.Module) -> WeightsKey:
    """Describe the weights of a network, without reading all of them, in tenths of a millisecond.

    Of every parameter and buffer the key knows its memory, how often torch counted an edit in place, and, on
    the CPU, its first 64 bytes. The bytes tell what torch does not count: steps of fused optimizers, edits of
    tensors made in inference mode, and writes through `.data`. Such an edit is missed where it leaves the
    start of every tensor as it was, or is made on another device, where reading would wait for the device;
    `torch.autograd.graph.increment_version` makes it count.
    """
    states = array("q")
    samples, references = [], []
    for tensor in _tensors(network):
        storage = tensor.untyped_storage()
        reference = weakref.ref(storage)
        start = tensor.data_ptr()
        states.extend((id(reference), start, UNCOUNTED if tensor.is_inference() else tensor._version))
        references.append(reference)
        if tensor.is_cpu:
            rest = storage.nbytes() - (start - storage.data_ptr())
            samples.append(string_at(start, max(0, min(SAMPLE, rest))))
    return WeightsKey(
        blake2b(states.tobytes() + b"".join(samples), digest_size=20).digest(), tuple(references)
    )


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    """Give every parameter and buffer; `parameters()` and `buffers()` take several times as long."""
    modules = [network]
    for module in modules:
        for tensors in (module._parameters, module._buffers):
            yield from (tensor for tensor in tensors.values() if tensor is not None)
        modules += (child for child in module._modules.values() if child is not None)
