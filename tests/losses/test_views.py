"""What the encoder is shown: structure without colour, texture moved."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from swapae.losses import ViewsConfig, draw_views, moved, recolored
from swapae.losses.views import DRAWS, pattern

ALWAYS = ViewsConfig(recolor=1.0, pattern=0.8, move=1.0)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(batch: int = 6, size: int = 32) -> Tensor:
    coarse = 2 * torch.rand(batch, 3, size // 8, size // 8, generator=chance(7)) - 1
    return torch.nn.functional.interpolate(coarse, size=size, mode="nearest")


def draws(config: ViewsConfig = ALWAYS, batch: int = 6, seed: int = 0) -> Tensor:
    found = draw_views(config, batch, chance(seed))
    assert found is not None
    return found


def test_off_draws_nothing() -> None:
    random = chance()
    assert draw_views(ViewsConfig(), 4, random) is None
    assert torch.equal(random.get_state(), chance().get_state())


@pytest.mark.parametrize("view", [recolored, moved])
def test_shares_say_how_many_images_change(view: object) -> None:
    x, u = images(batch=400, size=16), draws(batch=400)
    for share in (0.0, 0.3, 1.0):
        changed = (view(replace(ALWAYS, recolor=share, move=share), x, u) != x).flatten(1).any(1)  # type: ignore[operator]
        assert changed.float().mean().item() == pytest.approx(share, abs=0.07 if 0 < share < 1 else 0.02)


@pytest.mark.parametrize("view", [recolored, moved])
def test_an_image_depends_on_its_own_row_of_draws_alone(view: object) -> None:
    x, u = images(), draws()
    together = view(ALWAYS, x, u)  # type: ignore[operator]
    for i in range(len(x)):
        torch.testing.assert_close(view(ALWAYS, x[i : i + 1], u[i : i + 1]), together[i : i + 1])  # type: ignore[operator]


@pytest.mark.parametrize("view", [recolored, moved])
def test_views_stay_images(view: object) -> None:
    seen = view(ALWAYS, images(batch=100, size=16), draws(batch=100))  # type: ignore[operator]
    assert seen.shape == (100, 3, 16, 16)
    assert seen.abs().max() <= 1


def test_without_a_pattern_a_colour_becomes_one_other_colour() -> None:
    flat = images()
    seen = recolored(replace(ALWAYS, pattern=0.0), flat, draws())
    blocks = seen.unfold(2, 8, 8).unfold(3, 8, 8).flatten(4)
    torch.testing.assert_close(blocks, blocks[..., :1].expand_as(blocks))
    assert (seen - flat).abs().mean() > 0.2


def test_colours_last_neither_in_value_nor_in_order() -> None:
    """Over many views of one image, a channel's correlation with the original averages out."""
    x = images(batch=1).expand(500, -1, -1, -1)
    seen = recolored(replace(ALWAYS, pattern=0.0), x, draws(batch=500))

    def unit(z: Tensor) -> Tensor:
        z = z.flatten(2) - z.flatten(2).mean(2, keepdim=True)
        return z / z.norm(dim=2, keepdim=True)

    correlation = (unit(x) * unit(seen)).sum(2)
    assert correlation.abs().mean() > 0.2  # edges are where they were
    assert correlation.mean(0).abs().max() < 0.1  # but light may be dark


def test_patterns_are_waves_of_bounded_frequency_and_about_unit_size() -> None:
    u = dict(zip(DRAWS, torch.split(draws(batch=200), list(DRAWS.values()), dim=1), strict=True))
    found = pattern(u, 32, 32)
    assert found.shape == (200, 1, 32, 32)
    assert 0.7 < found.std() < 1.3
    spectrum = torch.fft.fft2(found[u["hard"][:, 0] > 0.5]).abs().square().mean((0, 1))
    frequency = torch.fft.fftfreq(32)
    radius = (frequency[:, None].square() + frequency.square()).sqrt()
    assert spectrum[radius > 0.3].sum() < 0.05 * spectrum.sum()


def test_a_mirror_alone_is_a_mirror() -> None:
    u = torch.full((1, sum(DRAWS.values())), 0.5)
    names = [name for name, count in DRAWS.items() for _ in range(count)]
    u[0, names.index("mirror")] = 0.25
    u[0, names.index("move?")] = 0.0
    x = images(batch=1)
    torch.testing.assert_close(moved(ALWAYS, x, u), x.flip(3), atol=1e-5, rtol=0)


def test_a_shift_moves_what_is_there() -> None:
    u = torch.full((1, sum(DRAWS.values())), 0.5)
    names = [name for name, count in DRAWS.items() for _ in range(count)]
    u[0, names.index("mirror")] = 0.75
    u[0, names.index("move?")] = 0.0
    u[0, names.index("shift")] = 1.0  # an eighth of the side: content moves 4 of 32 px to the left
    x = images(batch=1)
    torch.testing.assert_close(moved(ALWAYS, x, u)[..., :28], x[..., 4:], atol=1e-4, rtol=0)


@pytest.mark.parametrize("wrong", [{"recolor": 1.5}, {"move": -0.1}, {"pattern": -1.0}])
def test_shares_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"views.{next(iter(wrong))}"):
        ViewsConfig(**wrong)
