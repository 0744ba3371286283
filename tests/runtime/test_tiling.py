"""Tiled runs give the untiled numbers, in the memory they were given."""

import re
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from swapae import ModelConfig
from swapae.networks import Encoder, Generator, random_noise
from swapae.runtime import receptive
from swapae.runtime.plans import Plan, plan_decoding, plan_encoding
from swapae.runtime.receptive import Span
from swapae.runtime.tiling import decode_tiled, encode_tiled, middle_tiled

TINY = ModelConfig(
    structure_channels=3,
    texture_channels=12,
    structure_downsamplings=3,
    texture_downsamplings=1,
    encoder_capacity=0.1,
    generator_widths=(7, 5, 3),
    head_widths=(4, 6),
)


def changed(**changes: Any) -> ModelConfig:
    return replace(TINY, **changes)


CONFIGS = {
    "tiny": TINY,
    "no_antialias": changed(use_antialias=False),
    "no_noise": changed(use_noise=False, head_blocks=1, head_widths=(4,)),
    "deep": changed(structure_downsamplings=4, texture_downsamplings=2, generator_widths=(5, 4, 3, 3)),
    "five_without": changed(
        structure_downsamplings=5,
        use_antialias=False,
        generator_widths=(5, 4, 3, 3, 2),
        encoder_capacity=0.03,
    ),
    "six": changed(structure_downsamplings=6, generator_widths=(5, 4, 3, 3, 2, 2), encoder_capacity=0.03),
}


def with_random_parameters(network: nn.Module) -> Any:
    """In float64, and with biases and noise strengths that do something."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network.double().eval()


def encoder_of(name: str) -> Encoder:
    return with_random_parameters(Encoder(CONFIGS[name].encoder()))


def generator_of(name: str) -> Generator:
    return with_random_parameters(Generator(CONFIGS[name].generator()))


def randn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def error(tiled: Tensor, untiled: Tensor) -> float:
    assert tiled.shape == untiled.shape
    return ((tiled - untiled).abs().max() / untiled.abs().max()).item()


def budget_between(plan: Callable[[int], Plan], share: float) -> int:
    """A budget between the least possible one and that of the smallest untiled run."""
    with pytest.raises(ValueError, match="bytes") as refused:
        plan(0)
    least = int(re.findall(r"need (\d+) bytes", str(refused.value))[0])
    return int(least + share * (plan(10**12).bytes - 1 - least))


# ---- equality


@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tiny", (200, 131)),
        ("tiny", (24, 233)),
        ("no_antialias", (130, 99)),
        ("deep", (448, 321)),
        ("five_without", (650, 353)),
        ("six", (450, 600)),
    ],
)
def test_tiled_codes_are_the_untiled_ones(name: str, size: tuple[int, int], share: float) -> None:
    encoder, images = encoder_of(name), randn(1, 3, *size)
    budget = budget_between(lambda budget: plan_encoding(encoder.config, images, budget), share)
    assert plan_encoding(encoder.config, images, budget).num_tiles > 1
    with torch.no_grad():
        structure, texture = encoder(images)
    tiled_structure, tiled_texture = encode_tiled(encoder, images, budget)
    assert error(tiled_structure, structure) < 1e-12
    assert error(tiled_texture, texture) < 1e-12


@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tiny", (9, 17)),
        ("tiny", (1, 30)),
        ("no_antialias", (13, 8)),
        ("no_noise", (9, 11)),
        ("deep", (7, 12)),
        ("five_without", (11, 5)),
        ("six", (5, 9)),
    ],
)
def test_a_tiled_image_is_the_untiled_one(name: str, size: tuple[int, int], share: float) -> None:
    generator, structure, texture = generator_of(name), randn(1, 3, *size), randn(1, 12)
    noise = [one.double() for one in random_noise(generator.noise_shapes(*size), torch.Generator())]
    budget = budget_between(lambda b: plan_decoding(generator.config, structure, texture, b), share)
    assert plan_decoding(generator.config, structure, texture, budget).num_tiles > 1
    with torch.no_grad():
        untiled = generator(structure, texture, noise)
    assert error(decode_tiled(generator, structure, texture, noise, budget=budget), untiled) < 1e-12


@settings(max_examples=25)
@given(
    name=st.sampled_from(["tiny", "no_antialias", "no_noise"]),
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    cut=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    share=st.floats(0, 1),
    map_size=st.one_of(st.none(), st.tuples(st.integers(1, 20), st.integers(1, 20))),
    noise_size=st.one_of(st.none(), st.tuples(st.integers(1, 90), st.integers(1, 90))),
)
def test_any_image_is_tiled_exactly(
    name: str,
    height: int,
    width: int,
    cut: tuple[int, int],
    share: float,
    map_size: tuple[int, int] | None,
    noise_size: tuple[int, int] | None,
) -> None:
    generator, structure = generator_of(name), randn(1, 3, height, width)
    texture = randn(1, 12, *(map_size or ()))
    shown = max(1, 8 * height - cut[0]), max(1, 8 * width - cut[1])
    shapes = generator.noise_shapes(height, width)
    noise = [randn(1, 1, *(noise_size or shape[2:])) if i % 3 else None for i, shape in enumerate(shapes)]
    budget = budget_between(lambda b: plan_decoding(generator.config, structure, texture, b, shown), share)
    with torch.no_grad():
        untiled = generator(structure, texture, noise)[:, :, : shown[0], : shown[1]]
    tiled = decode_tiled(generator, structure, texture, noise, size=shown, budget=budget)
    assert error(tiled, untiled) < 1e-11


@pytest.mark.parametrize("own_noise", [False, True])
@pytest.mark.parametrize("map_size", [(), (1, 1), (5, 3), (9, 7)])
def test_a_batch_is_run_item_by_item_where_memory_asks_for_it(
    own_noise: bool, map_size: tuple[int, ...]
) -> None:
    generator, structure, texture = generator_of("tiny"), randn(3, 3, 9, 7), randn(3, 12, *map_size)
    shapes = generator.noise_shapes(9, 7)
    noise = [randn(3 if own_noise else 1, *shape[1:]) for shape in shapes]
    whole = plan_decoding(generator.config, structure, texture)
    with torch.no_grad():
        untiled = generator(structure, texture, noise)
    for budget, items in [(whole.bytes, 3), (whole.bytes - 1, 1), (whole.bytes // 6, 1)]:
        plan = plan_decoding(generator.config, structure, texture, budget)
        assert plan.items == items
        assert (plan.num_tiles > 1) == (budget == whole.bytes // 6)
        assert error(decode_tiled(generator, structure, texture, noise, budget=budget), untiled) < 1e-12


@pytest.mark.parametrize(("structures", "textures"), [(1, 3), (3, 1)])
@pytest.mark.parametrize("share", [1, 6])
def test_either_batch_may_be_one(structures: int, textures: int, share: int) -> None:
    generator, structure, texture = generator_of("tiny"), randn(structures, 3, 9, 7), randn(textures, 12)
    budget = plan_decoding(generator.config, randn(3, 3, 9, 7), texture).bytes // share
    with torch.no_grad():
        untiled = generator(structure, texture)
    assert error(decode_tiled(generator, structure, texture, budget=budget), untiled) < 1e-12


def test_a_batch_is_encoded_item_by_item_where_memory_asks_for_it() -> None:
    encoder, images = encoder_of("tiny"), randn(3, 3, 160, 131)
    whole = plan_encoding(encoder.config, images).bytes
    with torch.no_grad():
        middle = encoder.middle(images)
        structure, texture = encoder(images)
    for budget, items in [(whole, 3), (whole // 2, 1), (whole // 5, 1)]:
        assert plan_encoding(encoder.config, images, budget).items == items
        assert error(middle_tiled(encoder, images, budget), middle) < 1e-12
        tiled = encode_tiled(encoder, images, budget)
        assert error(tiled[0], structure) < 1e-12
        assert error(tiled[1], texture) < 1e-12


def test_in_float32_and_inference_mode_tiles_err_by_rounding_only() -> None:
    encoder, generator = encoder_of("deep").float(), generator_of("deep").float()
    images, texture = torch.randn(1, 3, 320, 240), torch.randn(1, 12, 6, 4)
    with torch.inference_mode():
        structure, _ = encoder(images)
        untiled = generator(structure, texture)
        budget = plan_encoding(encoder.config, images).bytes // 2
        assert error(encode_tiled(encoder, images, budget)[0], structure) < 1e-5
        budget = plan_decoding(generator.config, structure, texture).bytes // 4
        assert error(decode_tiled(generator, structure, texture, budget=budget), untiled) < 1e-5


def test_noise_of_another_size_is_taken_from_the_same_places_in_float32() -> None:
    generator = generator_of("tiny").float()
    structure, texture = torch.randn(1, 3, 11, 13), torch.randn(1, 12)
    noise = [torch.randn(1, 1, 37, 41) for _ in generator.noise_shapes(11, 13)]
    budget = plan_decoding(generator.config, structure, texture).bytes // 4
    tiled = decode_tiled(generator, structure, texture, noise, budget=budget)
    with torch.no_grad():
        assert error(tiled, generator(structure, texture, noise)) < 1e-5


# ---- receptive fields


def rows_used(network: Callable[[Tensor], Tensor], x: Tensor, row: int) -> Span:
    """The rows of `x` that a row of the output depends on, by the gradient."""
    x = x.requires_grad_()
    (gradient,) = torch.autograd.grad(network(x)[:, :, row].square().sum(), x)
    used = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    return Span(int(used[0]), int(used[-1]) + 1)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("name", ["tiny", "no_antialias"])
def test_what_a_doubling_needs_is_what_it_uses(name: str, size: int) -> None:
    generator = generator_of(name)
    gains = generator.gains_of(randn(1, 12))[1]
    block, x = (lambda x: generator.up_block(1, x, gains, (None, None))), randn(1, 7, size, 4)
    for row in range(2 * size):
        expected = rows_used(block, x, row)
        use_antialias = generator.config.use_antialias
        assert receptive.input_of_doubling(Span(row, row + 1), size, use_antialias) == expected


@pytest.mark.parametrize("size", [4, 5, 8, 11])
@pytest.mark.parametrize("name", ["tiny", "no_antialias"])
def test_what_a_halving_needs_is_what_it_uses(name: str, size: int) -> None:
    encoder = encoder_of(name)
    block, x = encoder.down_to_structure[1], randn(1, encoder.config.widths[1], size, 6)
    for row in range(size // 2):
        needed = receptive.input_of_halving(Span(row, row + 1), size, encoder.config.use_antialias)
        used = rows_used(block, x, row)
        assert needed.start <= used.start
        assert needed.stop >= used.stop
        if 2 <= row < size // 2 - 2:  # at the border, an outermost mirror image can fall inside the others
            assert needed == used


def test_every_doubling_adds_a_row_and_a_half_of_its_output_to_a_tile() -> None:
    assert receptive.decoder_spans(Span(512, 1024), 256, 4, True) == (
        Span(29, 67),
        Span(61, 131),
        Span(125, 259),
        Span(254, 514),
        Span(512, 1024),
    )


@pytest.mark.parametrize("end", ["start", "stop"])
def test_a_smaller_halo_would_not_do(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, structure, texture = generator_of("tiny"), randn(1, 3, 9, 12), randn(1, 12)
    budget = plan_decoding(generator.config, structure, texture).bytes // 6
    full = receptive.input_of_doubling

    def smaller(out: Span, size: int, use_antialias: bool) -> Span:
        start, stop = full(out, size, use_antialias)
        return Span(start + (end == "start" and start > 0), stop - (end == "stop" and stop < size))

    monkeypatch.setattr(receptive, "input_of_doubling", smaller)
    tiled = decode_tiled(generator, structure, texture, budget=budget)
    with torch.no_grad():
        assert error(tiled, generator(structure, texture)) > 1e-6


# ---- memory


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
