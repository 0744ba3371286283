"""Codes are not computed twice, never stale, and a grid costs N + M encodings and N·M decodings."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from swapae import SwappingAutoencoder
from swapae.images import open_image
from swapae.runtime.networks import FoldedEncoder, FoldedGenerator


class Calls:
    """Counts the images that go through the networks, and the halves read off."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.middle = self.structure_of = self.texture_of = self.generator = 0
        for name in ("middle", "structure_of", "texture_of"):
            patch.setattr(FoldedEncoder, name, self._counted(name, getattr(FoldedEncoder, name)))
        patch.setattr(FoldedGenerator, "start", self._counted("generator", FoldedGenerator.start))

    def _counted(self, name, original):
        def call(network: object, first: Tensor, *others: object) -> Tensor:
            setattr(self, name, getattr(self, name) + len(first))
            return original(network, first, *others)

        return call

    def take(self) -> tuple[int, int, int, int]:
        found = self.middle, self.structure_of, self.texture_of, self.generator
        self.middle = self.structure_of = self.texture_of = self.generator = 0
        return found


@pytest.fixture
def model(tiny_model: Path) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


def images(batch: int, seed: int = 0, size: tuple[int, int] = (16, 20)) -> Tensor:
    return 2 * torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed)) - 1


@pytest.mark.parametrize(
    ("strength", "halves"),
    [(1.0, (2, 1, 1, 1)), (0.0, (1, 1, 1, 1)), (0.5, (2, 1, 2, 1))],
)
@pytest.mark.parametrize("is_cached", [True, False])
def test_a_swap_computes_only_the_codes_it_uses(
    model: SwappingAutoencoder, calls: Calls, strength: float, halves: tuple[int, ...], is_cached: bool
) -> None:
    if not is_cached:
        model.codes_cache = None
    model.swap(images(1), images(1, seed=1), strength)
    assert calls.take() == halves
    model.swap(images(1), images(1, seed=1), strength)
    assert calls.take() == ((0, 0, 0, 1) if is_cached else halves)


def test_a_picture_that_comes_again_is_not_encoded_again(
    model: SwappingAutoencoder, calls: Calls, photo
) -> None:
    path = photo("a.png")
    first = model.encode_image(path)
    again = model.encode_image(open_image(path))
    assert calls.take() == (1, 1, 1, 0)
    assert torch.equal(again.structure, first.structure)
    assert torch.equal(again.texture, first.texture)
    model.swap_images(path, str(path))
    assert calls.take() == (0, 0, 0, 1)


def test_the_cache_changes_no_number(model: SwappingAutoencoder) -> None:
    a, b = images(2), images(2, seed=1)
    cached = [model.swap(a, b), model.swap(a, b), model.swap(b, a, 0.3), model.encode(a).structure]
    model.codes_cache = None
    plain = [model.swap(a, b), model.swap(a, b), model.swap(b, a, 0.3), model.encode(a).structure]
    assert all(torch.equal(one, other) for one, other in zip(cached, plain, strict=True))


def test_codes_are_never_those_of_other_weights(model: SwappingAutoencoder) -> None:
    image = images(1)
    before = model.encode(image)
    for parameter in model.encoder.parameters():
        parameter.grad = torch.rand_like(parameter)
    torch.optim.Adam(model.encoder.parameters(), lr=0.1, fused=True).step()
    after = model.encode(image)
    assert not torch.equal(after.structure, before.structure)
    model.codes_cache = None
    assert torch.equal(after.structure, model.encode(image).structure)


def test_autocast_has_codes_of_its_own(model: SwappingAutoencoder) -> None:
    image = images(1)
    plain = model.encode(image)
    with torch.autocast("cpu", torch.bfloat16):
        assert not torch.equal(model.encode(image).texture, plain.texture)
    assert torch.equal(model.encode(image).texture, plain.texture)


def test_the_cache_is_neither_saved_nor_copied(model: SwappingAutoencoder) -> None:
    names = set(model.state_dict())
    model.encode(images(1))
    assert set(model.state_dict()) == names
    assert model.codes_cache.statistics().entries == 1
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.codes_cache is not model.codes_cache
        assert other.codes_cache.statistics().entries == 0
    assert model.codes_cache.statistics().entries == 1


# ── grid ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_cached", [True, False])
@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_grid_is_every_swap_for_one_encoding_an_image(
    model: SwappingAutoencoder, calls: Calls, is_cached: bool, batch_size: int
) -> None:
    if not is_cached:
        model.codes_cache = None
    structures = [images(1, 1), images(1, 2, (13, 30))]
    textures = [images(1, 3), images(1, 4, (40, 12)), images(1, 5)]
    rows = list(model.grid(structures, textures, 7, batch_size))
    assert calls.take() == (5, 5, 3, 6)
    assert [row.shape for row in rows] == [(3, 3, 16, 20), (3, 3, 13, 30)]
    for structure, row in zip(structures, rows, strict=True):
        for texture, image in zip(textures, row, strict=True):
            torch.testing.assert_close(image[None], model.swap(structure, texture, noise=7))


def test_the_first_row_is_there_before_the_second_is_computed(
    model: SwappingAutoencoder, calls: Calls
) -> None:
    taken = []

    def structures() -> Iterator[Tensor]:
        for seed in range(3):
            taken.append(seed)
            yield images(1, seed)

    rows = model.grid(structures(), [images(1, 3), images(1, 4)])
    assert calls.take() == (0, 0, 0, 0)
    next(rows)
    assert calls.take() == (3, 3, 2, 2)
    assert taken == [0]
    next(rows)
    assert calls.take() == (1, 1, 0, 2)
    assert len(list(rows)) == 1


def test_an_image_on_both_sides_of_a_grid_is_encoded_once(model: SwappingAutoencoder, calls: Calls) -> None:
    some = [images(1, seed) for seed in range(3)]
    list(model.grid(some, [*(one.clone() for one in some), some[0]]))
    assert calls.take() == (3, 3, 3, 12)


def test_a_grid_takes_batches_and_codes(model: SwappingAutoencoder, calls: Calls) -> None:
    a, b = images(2), images(3, 1)
    expected = list(model.grid(a.split(1), b.split(1)))
    codes = model.encode(a), model.encode(b)
    calls.take()
    for rows in (model.grid([a], [b]), model.grid([codes[0]], [codes[1][0], codes[1][1:]])):
        torch.testing.assert_close(torch.stack(list(rows)), torch.stack(expected))
    assert calls.take() == (0, 0, 0, 12)


def test_a_grid_without_textures_or_a_batch_of_none_is_refused(model: SwappingAutoencoder) -> None:
    with pytest.raises(ValueError, match="a grid needs a texture and batch_size ≥ 1, not 0 and 1"):
        next(model.grid([images(1)], []))
    with pytest.raises(ValueError, match="not 1 and 0"):
        next(model.grid([images(1)], [images(1)], batch_size=0))
    assert list(model.grid([], [images(1)])) == []
