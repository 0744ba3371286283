"""Tiled runs give the untiled numbers."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.tiling_tools import budget_between, encoder_of, error, generator_of, randn
from torch import Tensor

from swapae.networks import random_noise
from swapae.runtime import receptive
from swapae.runtime.plans import plan_decoding, plan_encoding
from swapae.runtime.receptive import Span
from swapae.runtime.tiling import decode_tiled, encode_tiled, middle_tiled

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
