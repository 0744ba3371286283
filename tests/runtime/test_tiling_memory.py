"""Tiled runs take no more memory than planned, and what fits, or cannot fit, is not tiled."""

import weakref
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from tests.runtime.tiling_tools import (
    TINY,
    budget_between,
    encoder_of,
    generator_of,
    randn,
    with_random_parameters,
)
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from swapae import ModelConfig
from swapae.networks import Encoder, Generator, random_noise
from swapae.runtime.plans import plan_decoding, plan_encoding
from swapae.runtime.tiling import decode_tiled, encode_tiled


class Allocated(TorchDispatchMode):
    """Counts the bytes of the tensors made inside it, and the most there were at one time."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[int, list[int]] = {}  # storage → its bytes, its tensors
        self.now = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        given = [one for one in args if isinstance(one, Tensor)]
        for one in made if isinstance(made, Sequence) else [made]:
            if isinstance(one, Tensor) and not any(one is other for other in given):
                self._count(one, given)
        return made

    def _count(self, tensor: Tensor, given: list[Tensor]) -> None:
        key, size = tensor.untyped_storage()._cdata, tensor.untyped_storage().nbytes()
        if key not in self.live:
            if any(other.untyped_storage()._cdata == key for other in given):
                return  # a view of what was there before
            self.live[key] = [size, 0]
            self.now += size
            self.peak = max(self.peak, self.now)
        self.live[key][1] += 1
        weakref.finalize(tensor, self._freed, key)

    def _freed(self, key: int) -> None:
        self.live[key][1] -= 1
        if self.live[key][1] == 0:
            self.now -= self.live.pop(key)[0]


@pytest.mark.parametrize("share", [0.05, 0.3, 1.5])
@pytest.mark.parametrize("map_size", [(), (3, 4)])
def test_decoding_allocates_less_than_planned(share: float, map_size: tuple[int, ...]) -> None:
    config = ModelConfig(texture_channels=64, generator_capacity=0.1).generator()
    generator = Generator(config)
    structure, texture = torch.randn(1, 8, 16, 12), torch.randn(1, 64, *map_size)
    budget = budget_between(lambda budget: plan_decoding(config, structure, texture, budget), share)
    plan = plan_decoding(config, structure, texture, budget)
    with Allocated() as allocated:
        image = decode_tiled(generator, structure, texture, budget=budget)
    weights = sum(p.nbytes for p in generator.parameters())  # each is scaled at its use: not counted in plans
    used = allocated.peak - image.nbytes
    assert 0.2 * plan.bytes < used < plan.bytes + weights


@pytest.mark.parametrize("share", [0.05, 0.3, 1.5])
def test_encoding_allocates_less_than_planned(share: float) -> None:
    config = ModelConfig(texture_channels=64, encoder_capacity=0.5).encoder()
    encoder, images = Encoder(config), torch.randn(1, 3, 512, 400)
    budget = budget_between(lambda budget: plan_encoding(config, images, budget), share)
    plan = plan_encoding(config, images, budget)
    with Allocated() as allocated:
        encode_tiled(encoder, images, budget)
    weights = sum(p.nbytes for p in encoder.parameters())
    assert 0.2 * plan.bytes < allocated.peak < plan.bytes + weights


def test_a_4096_image_is_planned_within_2_gib_and_an_eighth_more_work() -> None:
    config = ModelConfig()
    images = torch.empty(1, 3, 4096, 4096, device="meta")
    structure, texture = torch.empty(1, 8, 256, 256, device="meta"), torch.empty(1, 2048, device="meta")
    for plan, untiled in [
        (plan_encoding(config.encoder(), images, 2**31), plan_encoding(config.encoder(), images, 10**12)),
        (
            plan_decoding(config.generator(), structure, texture, 2**31),
            plan_decoding(config.generator(), structure, texture, 10**12),
        ),
    ]:
        assert plan.bytes <= 2 * 2**30 < untiled.bytes
        assert plan.num_tiles > 1
        assert plan.work < 1.15 * untiled.work


def test_what_fits_is_not_tiled() -> None:
    generator, structure, texture = generator_of("tiny"), randn(2, 3, 4, 6), randn(2, 12)
    plan = plan_decoding(generator.config, structure, texture)
    assert (plan.num_tiles, plan.items, plan.whole_blocks) == (1, 2, 3)
    with torch.no_grad():
        assert torch.equal(decode_tiled(generator, structure, texture), generator(structure, texture))


def test_of_a_map_that_was_padded_much_only_what_is_shown_goes_through_the_last_blocks() -> None:
    generator = with_random_parameters(Generator(TINY.generator()))
    structure, texture = torch.randn(2, 3, 7, 7).double(), torch.randn(2, 12).double()
    noise = [one.double() for one in random_noise(generator.noise_shapes(7, 7), torch.Generator())]
    plan = plan_decoding(TINY.generator(), structure, texture, size=(32, 24))
    assert plan.num_tiles == 1
    assert plan.whole_blocks < len(TINY.generator().widths)
    assert plan.work < 0.7 * plan_decoding(TINY.generator(), structure, texture).work
    images = decode_tiled(generator, structure, texture, noise, size=(32, 24))
    with torch.no_grad():
        whole = generator(structure, texture, noise)
    torch.testing.assert_close(images, whole[:, :, :32, :24], rtol=1e-10, atol=1e-12)


def test_a_map_that_was_hardly_padded_is_not_cut() -> None:
    structure, texture = torch.randn(1, 3, 7, 7), torch.randn(1, 12)
    assert plan_decoding(TINY.generator(), structure, texture, size=(55, 54)).whole_blocks == 3


def test_too_small_a_budget_is_refused_with_both_numbers() -> None:
    generator, structure, texture = generator_of("tiny"), randn(1, 3, 4, 6), randn(1, 12)
    with pytest.raises(ValueError, match=r"decoding cannot be done in 1000 bytes; .* need \d+ bytes"):
        decode_tiled(generator, structure, texture, budget=1000)
    with pytest.raises(ValueError, match=r"encoding cannot be done in 1000 bytes; .* need \d+ bytes"):
        encode_tiled(encoder_of("tiny"), randn(1, 3, 64, 64), budget=1000)


def test_an_image_too_small_for_the_encoder_is_refused_by_it() -> None:
    with pytest.raises(ValueError, match="at least 24 px, not 6×30"):
        encode_tiled(encoder_of("tiny"), randn(1, 3, 6, 30))


def test_an_image_larger_than_its_codes_is_refused() -> None:
    generator, structure, texture = generator_of("tiny"), randn(1, 3, 4, 6), randn(1, 12)
    with pytest.raises(ValueError, match="32×48 image gives no 33×48"):
        decode_tiled(generator, structure, texture, size=(33, 48))
