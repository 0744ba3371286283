"""Without PyTorch the same codes, images and pictures, the same defaults and the same refusals."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.swapae_onnx.conftest import Both

from swapae.codes import Codes
from swapae.onnx import Codes as Arrays
from swapae.onnx import SwappingAutoencoder as Runtime
from swapae.onnx import UserError

LIMIT = 1e-4
SHAPES = [(1, 1, 1), (2, 5, 9), (1, 33, 17), (3, 16, 16)]
METHODS = ["encode", "decode", "swap", "mix", "grid", "encode_image", "decode_image", "swap_images"]


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def same(ours: Any, expected: torch.Tensor, limit: float = LIMIT) -> bool:
    assert ours.shape == tuple(expected.shape)
    assert ours.dtype == np.float32
    assert float(expected.std()) > 0.01  # not all alike, or they would tell nothing
    return bool(np.abs(ours - expected.numpy()).max() <= limit)


def as_arrays(codes: Codes) -> Arrays:
    return Arrays(codes.structure.numpy(), codes.texture.numpy(), codes.size)


# ---- arrays


def test_codes_and_images_are_those_of_torch(each: Both) -> None:
    for batch, height, width in SHAPES:
        images = drawn(batch, 3, height, width)
        expected, ours = each.torch.encode(images), each.runtime.encode(images.numpy())
        assert same(ours.structure, expected.structure)
        assert same(ours.texture, expected.texture)
        assert ours.size == expected.size == (height, width)
        for noise in (None, 3):
            assert same(each.runtime.decode(ours, noise), each.torch.decode(expected, noise))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1), (5, 7)])
def test_a_texture_may_be_a_map_of_any_size(each: Both, size: tuple[int, int]) -> None:
    codes = each.torch.encode(drawn(2, 3, 14, 23))
    codes = Codes(codes.structure, drawn(2, 16, *size, seed=1), codes.size)
    assert same(each.runtime.decode(as_arrays(codes)), each.torch.decode(codes))


def test_noise_may_be_maps_of_other_sizes_and_left_out_of_layers(both: Both) -> None:
    codes = both.torch.encode(drawn(2, 3, 20, 28))
    shapes = both.torch.generator.noise_shapes(5, 7)
    maps: list[Any] = [drawn(*shape, seed=i) * 2 for i, shape in enumerate(shapes)]
    maps[1], maps[3], maps[5] = None, drawn(2, 1, 3, 4), drawn(1, 1, 40, 9)
    arrays = [None if one is None else one.numpy() for one in maps]
    ours, expected = both.runtime.decode(as_arrays(codes), arrays), both.torch.decode(codes, maps)
    assert same(ours, expected)
    assert not same(ours, both.torch.decode(codes))


def test_swaps_of_batches_are_those_of_torch_at_every_strength(each: Both) -> None:
    a, b = drawn(3, 3, 18, 15), drawn(1, 3, 30, 13, seed=1)
    for strength in (-0.5, 0.0, 0.3, 1.0, 1.5):
        ours = each.runtime.swap(a.numpy(), b.numpy(), strength, noise=5)
        assert same(ours, each.torch.swap(a, b, strength, noise=5))
    assert same(each.runtime.swap(b.numpy(), a.numpy()), each.torch.swap(b, a))


def test_mixes_are_those_of_torch(both: Both) -> None:
    a, others = drawn(1, 3, 18, 15), [drawn(n, 3, 13, 16, seed=n) for n in (1, 2, 2)]
    for weights in ([0.2, 0.5, 0.3], [0, 0, 1], [2, -1, 0]):
        ours = both.runtime.mix(a.numpy(), [one.numpy() for one in others], weights)
        assert same(ours, both.torch.mix(a, others, weights))


@pytest.mark.parametrize("batch_size", [1, 2, 9])
def test_grids_are_those_of_torch(both: Both, batch_size: int) -> None:
    a, b, c = drawn(2, 3, 18, 15), drawn(1, 3, 12, 40, seed=1), drawn(2, 3, 16, 16, seed=2)
    codes = both.torch.encode(b)
    expected = both.torch.grid([a, codes], [c, codes], 4, batch_size)
    ours = both.runtime.grid([a.numpy(), as_arrays(codes)], [c.numpy(), as_arrays(codes)], 4, batch_size)
    rows = list(zip(ours, expected, strict=True))
    assert [row.shape for row, _ in rows] == [(3, 3, 18, 15), (3, 3, 18, 15), (3, 3, 12, 40)]
    assert all(same(row, other) for row, other in rows)


def test_codes_are_taken_apart_and_joined_as_those_of_torch(both: Both) -> None:
    codes = both.runtime.encode(drawn(3, 3, 16, 16).numpy())
    assert len(codes) == 3
    joined = Arrays.cat([codes[2], codes[:2], codes[-1]])
    assert np.array_equal(joined.texture, codes.texture[[2, 0, 1, 2]])
    assert np.array_equal(joined.structure, codes.structure[[2, 0, 1, 2]])
    with pytest.raises(IndexError):
        codes[3]
    with pytest.raises(ValueError, match="when their images have one size"):
        Arrays.cat([codes, both.runtime.encode(drawn(1, 3, 16, 12).numpy())])
    with pytest.raises(ValueError, match="3 structure codes do not pair with 2"):
        Arrays(codes.structure, codes.texture[:2], codes.size)
    with pytest.raises(ValueError, match=r"structure must be \[B, C, h, w\]"):
        Arrays(codes.structure[0], codes.texture, codes.size)


# ---- pictures


def pictures(size: tuple[int, int], seed: int) -> dict[str, Image.Image]:
    random = np.random.default_rng(seed)
    rgba = Image.fromarray(random.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8), "RGBA")
    rgb = rgba.convert("RGB")
    return {"RGB": rgb, "RGBA": rgba, "LA": rgba.convert("LA"), "L": rgb.convert("L"), "P": rgb.quantize(9)}


def assert_alike(ours: Image.Image, expected: Image.Image) -> None:
    assert (ours.mode, ours.size) == (expected.mode, expected.size)
    apart = np.asarray(ours).astype(int) - np.asarray(expected).astype(int)
    assert np.abs(apart).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P"])
def test_pictures_swapped_are_those_of_torch_within_a_level(both: Both, mode: str) -> None:
    a, b = pictures((31, 18), 0)[mode], pictures((13, 40), 1)[mode]
    for strength in (-0.5, 0.0, 0.8, 1.0, 1.5):
        ours = both.runtime.swap_images(a, b, strength, noise=2)
        assert_alike(ours, both.torch.swap_images(a, b, strength, noise=2))
    has_alpha = mode in ("RGBA", "LA")
    assert ours.mode == ("RGBA" if has_alpha else "RGB")
    assert ours.size == (31, 18)
    if has_alpha:
        assert ours.getchannel("A").tobytes() == a.getchannel("A").tobytes()


def test_files_are_brought_upright_and_to_srgb(both: Both, tmp_path: Any) -> None:
    color = pictures((31, 18), 0)["RGB"]
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    color.save(tmp_path / "turned.jpg", exif=exif)
    color.convert("CMYK").save(tmp_path / "ink.jpg")
    turned, ink = tmp_path / "turned.jpg", str(tmp_path / "ink.jpg")
    ours = both.runtime.swap_images(turned, ink)
    assert ours.size == (18, 31)
    assert_alike(ours, both.torch.swap_images(turned, ink))
    assert_alike(
        both.runtime.decode_image(both.runtime.encode_image(ink)), both.torch.swap_images(ink, ink, 0)
    )


# ---- the same face


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_what_those_of_torch_take(both: Both, name: str) -> None:
    def face(model: object) -> list[tuple[str, object]]:
        arguments = inspect.signature(getattr(model, name)).parameters.values()
        return [(one.name, one.default) for one in arguments]

    assert face(Runtime) == face(type(both.torch))


REFUSED: dict[str, Callable[[Any, Callable[..., Any], Any], object]] = {
    "no texture": lambda m, t, c: next(m.grid([t(1, 3, 16, 16)], [])),
    "batch size": lambda m, t, c: next(m.grid([t(1, 3, 16, 16)], [t(1, 3, 16, 16)], batch_size=0)),
    "weights": lambda m, t, c: m.mix(t(1, 3, 16, 16), [t(1, 3, 16, 16)], [1, 2]),
    "all 0": lambda m, t, c: m.mix(t(1, 3, 16, 16), [t(1, 3, 16, 16)], [0]),
    "batches": lambda m, t, c: m.swap(t(2, 3, 16, 16), t(3, 3, 16, 16)),
    "other channels": lambda m, t, c: m.decode(c(t(1, 5, 4, 4), t(1, 16), (16, 16))),
    "too large": lambda m, t, c: m.decode(c(t(1, 4, 4, 4), t(1, 16), (16, 17))),
    "maps": lambda m, t, c: m.decode(c(t(1, 4, 4, 4), t(1, 16), (16, 16)), [None]),
    "two images": lambda m, t, c: m.decode_image(c(t(2, 4, 4, 4), t(2, 16), (16, 16))),
    "deep picture": lambda m, t, c: m.encode_image(Image.new("I;16", (20, 20))),
    "no picture": lambda m, t, c: m.swap_images("nowhere.png", "nowhere.png"),
    "a seed": lambda m, t, c: m.decode(c(t(1, 4, 4, 4), t(1, 16), (16, 16)), 1.5),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_torch_refuses_is_refused_in_the_same_words(both: Both, name: str) -> None:
    said = []
    for model, draw, codes in (
        (both.torch, drawn, Codes),
        (both.runtime, lambda *shape: drawn(*shape).numpy(), Arrays),
    ):
        with pytest.raises(Exception) as caught:
            REFUSED[name](model, draw, codes)
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


def test_what_onnx_runtime_cannot_do_is_one_sentence(both: Both) -> None:
    codes = both.runtime.encode(drawn(2, 3, 16, 16).numpy())
    maps = [drawn(3, 1, 4 * scale, 4 * scale).numpy() for scale in both.runtime.folder.noise]
    with pytest.raises(UserError, match=r"^ONNX Runtime cannot compute noisy_generator of .*\.$"):
        both.runtime.decode(codes, maps)


def test_whole_numbers_are_no_images(both: Both) -> None:
    with pytest.raises(ValueError, match=r"images must be floats \[B, 3, H, W\] in \[-1, 1\], not uint8"):
        both.runtime.encode(np.zeros((1, 3, 16, 16), np.uint8))
