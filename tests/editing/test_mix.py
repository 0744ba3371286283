import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from swapae import Codes
from swapae.codes import blend
from swapae.editing import angle, mix, slerp, spherical_mean
from swapae.editing.sphere import unit

close = torch.testing.assert_close


def near(center: torch.Tensor, num: int, spread: float = 0.5) -> list[torch.Tensor]:
    return [center + spread * torch.randn_like(center) for _ in range(num)]


@pytest.mark.parametrize("shape", [(2, 16), (2, 16, 3, 4)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_mix_of_two_is_their_slerp(shape: tuple[int, ...], share: float) -> None:
    a, b = torch.randn(shape), torch.randn(shape)
    close(spherical_mean([a, b], [1 - share, share]), slerp(a, b, share), atol=1e-5, rtol=0)


@pytest.mark.parametrize("num", [1, 3, 8])
def test_a_mix_is_where_the_ways_to_all_balance(num: int) -> None:
    """The gradient of the weighted squared angles is zero there, and the sum of them is least."""
    codes = near(torch.randn(2, 16, 3, 1), num)
    weights = [0.5 + i for i in range(num)]
    mean = spherical_mean(codes, weights)

    def cost(point: torch.Tensor) -> torch.Tensor:
        angles = (angle(point, code) for code in codes)
        return sum(w * a**2 for w, a in zip(weights, angles, strict=True))  # type: ignore[return-value]

    for _ in range(5):
        assert (cost(mean) <= cost(unit(mean + 0.02 * torch.randn_like(mean)))).all()


def test_only_the_proportions_of_weights_count() -> None:
    codes = near(torch.randn(1, 16), 4)
    expected = spherical_mean(codes, [0.1, 0.2, 0.3, 0.4])
    close(spherical_mean(codes, [1, 2, 3, 4]), expected)
    close(spherical_mean(codes, [1e300, 2e300, 3e300, 4e300]), expected)
    close(spherical_mean([9 * codes[0], *codes[1:]], [1, 2, 3, 4]), expected)


def test_the_order_of_codes_does_not_count() -> None:
    codes = near(torch.randn(1, 16), 4)
    close(spherical_mean(codes, [1, 2, 3, 4]), spherical_mean(codes[::-1], [4, 3, 2, 1]), atol=1e-5, rtol=0)


def test_what_has_no_weight_is_left_out() -> None:
    a, b = torch.randn(1, 6), torch.randn(1, 6)
    nothing = torch.full((1, 6), math.nan)
    close(spherical_mean([a, nothing, b], [1, 0, 1]), slerp(a, b, 0.5), atol=1e-5, rtol=0)


def test_a_symmetric_mix_lies_in_the_middle() -> None:
    close(spherical_mean(list(torch.eye(3)[:, None]), [1, 1, 1]), torch.full((1, 3), 3**-0.5))


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda w: sum(w) > 0.01), st.integers(0, 20))
def test_a_mix_is_never_farther_from_all_than_they_are_from_each_other(
    weights: list[float], seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    codes = [torch.rand(1, 5, generator=draw) + 0.01 for _ in range(3)]
    mean = spherical_mean(codes, weights)
    widest = max(angle(a, b).item() for a in codes for b in codes)
    assert min(angle(mean, code).item() for code in codes) <= widest
    close(mean.norm(dim=1), torch.ones(1))


def test_opposite_codes_mix_to_something_finite_between_them() -> None:
    a = torch.randn(1, 8)
    middle = spherical_mean([a, -a], [1, 1])
    assert middle.isfinite().all()
    assert angle(a, middle).item() == pytest.approx(math.pi / 2, abs=1e-3)
    assert torch.equal(middle, spherical_mean([a, -a], [1, 1]))


def test_vectors_mix_with_maps_and_one_image_with_a_batch() -> None:
    vector, many = torch.randn(1, 8), torch.randn(3, 8, 2, 2)
    made = spherical_mean([vector, many], [1, 3])
    assert made.shape == (3, 8, 2, 2)
    close(made[2, :, 0, 1], slerp(vector, many[2:, :, 0, 1], 0.75)[0], atol=1e-5, rtol=0)
    assert spherical_mean([vector, torch.randn(3, 8)], [1, 0]).shape == (3, 8)


@pytest.mark.parametrize(
    ("num", "weights", "message"),
    [
        (9, [1] * 9, "one to 8 codes"),
        (0, [], "one to 8 codes"),
        (2, [1], "2 textures need as many weights, not 1"),
        (2, [0, 0], "weight other than 0"),
        (2, [1, -0.5], r"-0.5 is no weight"),
        (2, [1, math.nan], "nan is no weight"),
        (2, [math.inf, 1], "inf is no weight"),
    ],
)
def test_weights_that_are_none_are_refused(num: int, weights: Sequence[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spherical_mean([torch.ones(1, 4)] * num, weights)


def test_codes_are_mixed_by_texture_by_structure_or_by_both() -> None:
    parts = [Codes(torch.randn(1, 4, 2, 3), torch.randn(1, 6), (8, 12 - i)) for i in range(3)]
    textures, structures = [part.texture for part in parts], [part.structure for part in parts]
    made = mix(parts, textures=[1, 2, 3])
    assert torch.equal(made.structure, parts[0].structure)
    close(made.texture, spherical_mean(textures, [1, 2, 3]))
    made = mix(parts, structures=[1, 2, 3])
    assert torch.equal(made.texture, parts[0].texture)
    close(made.structure, spherical_mean(structures, [1, 2, 3]))
    both = mix(parts, textures=[1, 2, 3], structures=[1, 2, 3])
    close(both.structure, made.structure)
    assert both.size == (8, 12)
    by_line = mix(parts, textures=[1, 2, 3], path="line").texture
    close(by_line, blend(textures, [1 / 6, 2 / 6, 3 / 6]))
    assert angle(by_line, made.texture).item() > 0.01
    with pytest.raises(ValueError, match="no codes"):
        mix([])
    with pytest.raises(ValueError, match="two models"):
        mix([parts[0], Codes(torch.ones(1, 4, 2, 3), torch.ones(1, 7), (8, 12))], textures=[1, 1])
