import doctest
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import swapae.model
from swapae import Codes, ModelConfig, SwappingAutoencoder
from swapae.errors import UserError
from swapae.images import open_image, split_alpha, to_array, to_pil
from swapae.layers import NoiseInjection

SMALL = ModelConfig(
    structure_channels=4,
    texture_channels=16,
    structure_downsamplings=2,
    texture_downsamplings=1,
    encoder_capacity=0.25,
    generator_capacity=0.05,
)
Photo = Callable[..., Path]


@pytest.fixture(scope="module")
def model() -> SwappingAutoencoder:
    """A model of stride 4 and shortest side 12, in which texture and noise act as in a trained one."""
    torch.manual_seed(0)
    model = SwappingAutoencoder(SMALL)
    model.generator.modulation.scale.bias.data.fill_(1.0)
    for module in model.modules():
        if isinstance(module, NoiseInjection):
            module.weight.data.fill_(0.2)
    return model


def images(batch: int, height: int = 16, width: int = 20, seed: int = 0) -> Tensor:
    return 2 * torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed)) - 1


def reconstruction(model: SwappingAutoencoder, x: Tensor, noise: int | None = None) -> Tensor:
    return model.decode(model.encode(x), noise)


# ── any size ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "padded"),
    [
        ((1, 1), (12, 12)),
        ((1, 500), (12, 500)),
        ((17, 33), (20, 36)),
        ((250, 255), (252, 256)),
        ((12, 12), (12, 12)),
        ((256, 13), (256, 16)),
        ((5, 3), (12, 12)),
    ],
)
def test_an_image_of_any_size_comes_back_at_its_size(
    model: SwappingAutoencoder, size: tuple[int, int], padded: tuple[int, int]
) -> None:
    codes = model.encode(images(1, *size))
    assert codes.size == size
    assert codes.structure.shape == (1, 4, padded[0] // 4, padded[1] // 4)
    assert codes.texture.shape == (1, 16)
    out = model.decode(codes)
    assert out.shape == (1, 3, *size)
    assert out.isfinite().all()


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (3, 30), (13, 18)])
def test_padding_reflects_at_right_and_bottom_as_often_as_it_takes(
    model: SwappingAutoencoder, size: tuple[int, int]
) -> None:
    image = images(1, *size)
    height, width = (max(12, -(-side // 4) * 4) for side in size)
    # "reflect" of numpy repeats its reflection, and repeats a side of 1.
    reflected = np.pad(
        image[0].numpy(), ((0, 0), (0, height - size[0]), (0, width - size[1])), mode="reflect"
    )
    ours, whole = model.encode(image), model.encode(torch.from_numpy(reflected)[None])
    assert torch.equal(ours.structure, whole.structure)
    assert torch.equal(ours.texture, whole.texture)
    assert torch.equal(model.decode(ours), model.decode(whole)[:, :, : size[0], : size[1]])


def test_a_whole_model_takes_a_size_that_needs_no_padding_as_it_is(model: SwappingAutoencoder) -> None:
    image = images(2, 16, 20)
    structure, texture = model.encoder(image)
    codes = model.encode(image)
    assert_same(codes.structure, structure)
    assert_same(codes.texture, texture)
    assert_same(model.decode(codes), model.generator(structure, texture))


def assert_same(found: Tensor, expected: Tensor) -> None:
    """The model runs its networks folded: the same numbers but for rounding."""
    expected = expected.detach()
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


# ── determinism and noise ────────────────────────────────────────────────────────────────────────


def test_the_same_image_gives_the_same_bytes(model: SwappingAutoencoder) -> None:
    first = reconstruction(model, images(2))
    torch.manual_seed(123)
    assert reconstruction(model, images(2)).numpy().tobytes() == first.numpy().tobytes()


def test_a_noise_seed_gives_the_same_bytes_and_another_seed_others(model: SwappingAutoencoder) -> None:
    codes = model.encode(images(1))
    state = torch.get_rng_state()
    first = model.decode(codes, noise=7)
    assert torch.equal(model.decode(codes, noise=7), first)
    assert not torch.equal(model.decode(codes, noise=8), first)
    assert not torch.equal(model.decode(codes), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_noise_seed_may_be_numpys_and_must_be_whole(model: SwappingAutoencoder) -> None:
    codes = model.encode(images(1))
    assert torch.equal(model.decode(codes, noise=np.int64(7)), model.decode(codes, noise=7))
    with pytest.raises(TypeError):
        model.decode(codes, noise=1.5)


def test_one_noise_serves_every_image_of_a_batch(model: SwappingAutoencoder) -> None:
    both = reconstruction(model, images(2), noise=3)
    alone = reconstruction(model, images(2)[1:], noise=3)
    torch.testing.assert_close(both[1:], alone)


def test_noise_maps_are_taken_in_layer_order(model: SwappingAutoencoder) -> None:
    codes = model.encode(images(2))
    shapes = model.generator.noise_shapes(4, 5)
    generator = torch.Generator().manual_seed(7)
    maps = [torch.randn(shape, generator=generator) for shape in shapes]
    assert torch.equal(model.decode(codes, noise=maps), model.decode(codes, noise=7))
    assert torch.equal(model.decode(codes, noise=[None] * len(shapes)), model.decode(codes))
    with pytest.raises(ValueError, match="2 noise maps were given; this generator takes 8"):
        model.decode(codes, noise=maps[:2])


def test_training_mode_changes_no_number_and_is_left_as_it_is(model: SwappingAutoencoder) -> None:
    model.eval()
    before = reconstruction(model, images(1))
    model.train()
    assert torch.equal(reconstruction(model, images(1)), before)
    assert model.training
    model.eval()


def test_no_graph_is_kept(model: SwappingAutoencoder) -> None:
    assert not model.decode(model.encode(images(1).requires_grad_())).requires_grad


# ── swap and mix ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("noise", [None, 5])
def test_swap_with_strength_zero_is_the_reconstruction_bit_by_bit(
    model: SwappingAutoencoder, noise: int | None
) -> None:
    a, b = images(2, seed=1), images(2, seed=2)
    assert torch.equal(model.swap(a, b, strength=0, noise=noise), reconstruction(model, a, noise))


@pytest.mark.parametrize("noise", [None, 5])
def test_swap_of_an_image_with_itself_is_its_reconstruction(
    model: SwappingAutoencoder, noise: int | None
) -> None:
    a = images(2)
    assert torch.equal(model.swap(a, a, noise=noise), reconstruction(model, a, noise))
    assert torch.equal(model.swap(a, a.clone(), noise=noise), reconstruction(model, a, noise))
    torch.testing.assert_close(model.swap(a, a, strength=0.3), reconstruction(model, a))


def test_swap_takes_structure_from_the_first_and_texture_from_the_second(model: SwappingAutoencoder) -> None:
    a, b = images(2, seed=1), images(2, 30, 14, seed=2)
    expected = model.generator(model.encode(a).structure, model.encode(b).texture)
    assert_same(model.swap(a, b), expected)
    assert model.swap(a, b).shape == a.shape
    assert model.swap(b, a).shape == b.shape
    assert not torch.equal(model.swap(a, b), reconstruction(model, a))


@pytest.mark.parametrize("strength", [0.25, 1.5, -0.5])
def test_strength_interpolates_and_extrapolates_the_texture(
    model: SwappingAutoencoder, strength: float
) -> None:
    a, b = images(1, seed=1), images(1, seed=2)
    own, other = model.encode(a), model.encode(b)
    texture = (1 - strength) * own.texture + strength * other.texture
    expected = model.decode(Codes(own.structure, texture, own.size))
    torch.testing.assert_close(model.swap(a, b, strength), expected)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("structures", "textures"), [(1, 3), (3, 1), (3, 3)])
def test_either_batch_may_be_one(
    model: SwappingAutoencoder, structures: int, textures: int, strength: float
) -> None:
    a, b = images(structures, seed=1), images(textures, seed=2)
    out = model.swap(a, b, strength)
    assert len(out) == 3
    alone = model.swap(a[-1:], b[-1:], strength)
    torch.testing.assert_close(out[2:], alone)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_batches_that_do_not_pair_are_refused_with_both_numbers(
    model: SwappingAutoencoder, strength: float
) -> None:
    with pytest.raises(ValueError, match="batches of 2 and 3 do not pair"):
        model.swap(images(2), images(3), strength)


def test_mix_adds_weighted_textures_of_several_images_of_any_size(model: SwappingAutoencoder) -> None:
    a, b, c = images(2, seed=1), images(2, 24, 13, seed=2), images(1, 40, 40, seed=3)
    own = model.encode(a)
    texture = 0.2 * own.texture + 0.5 * model.encode(b).texture + 0.3 * model.encode(c).texture
    expected = model.decode(Codes(own.structure, texture, own.size), noise=4)
    torch.testing.assert_close(model.mix(a, [a, b, c], [0.2, 0.5, 0.3], noise=4), expected)


def test_a_mix_of_one_is_a_swap(model: SwappingAutoencoder) -> None:
    a, b = images(1, seed=1), images(1, seed=2)
    assert torch.equal(model.mix(a, [b], [1.0]), model.swap(a, b))
    torch.testing.assert_close(model.mix(a, [b], [4.0]), model.swap(a, b))  # the generator normalises


@pytest.mark.parametrize(
    ("count", "weights", "message"),
    [
        (2, [1.0], "2 textures need as many weights, not 1"),
        (1, [1.0, 2.0], "1 textures need as many weights, not 2"),
        (2, [0.0, 0.0], "no texture has a weight other than 0"),
        (0, [], "no texture has a weight other than 0"),
        (2, [float("nan"), 1.0], "must be finite numbers, not nan, 1.0"),
    ],
)
def test_a_mix_without_matching_weights_is_refused(
    model: SwappingAutoencoder, count: int, weights: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model.mix(images(1), [images(1)] * count, weights)


# ── codes in, codes out ──────────────────────────────────────────────────────────────────────────


def test_a_texture_map_decodes_in_batches(model: SwappingAutoencoder) -> None:
    codes = model.encode(images(3))
    flat = Codes(codes.structure, codes.texture[:, :, None, None].expand(-1, -1, 4, 5), codes.size)
    torch.testing.assert_close(model.decode(flat), model.decode(codes))


def test_codes_of_another_model_are_refused_with_both_numbers(model: SwappingAutoencoder) -> None:
    with pytest.raises(ValueError, match="8 structure and 20 texture channels; this model has 4 and 16"):
        model.decode(Codes(torch.zeros(1, 8, 4, 4), torch.zeros(1, 20), (16, 16)))


def test_codes_that_do_not_cover_their_image_are_refused_with_both_sizes(model: SwappingAutoencoder) -> None:
    with pytest.raises(ValueError, match="16×17 image must not decode to 16×16"):
        model.decode(Codes(torch.zeros(1, 4, 4, 4), torch.zeros(1, 16), (16, 17)))


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(3, 16, 16), torch.zeros(1, 4, 16, 16), torch.zeros(1, 3, 16, 16, dtype=torch.uint8)],
    ids=["no batch", "four channels", "bytes"],
)
def test_what_is_no_batch_of_float_images_is_refused(model: SwappingAutoencoder, wrong: Tensor) -> None:
    with pytest.raises(ValueError, match=r"must be floats \[B, 3, H, W\] in \[-1, 1\], not torch"):
        model.encode(wrong)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_of_other_numbers_takes_the_same_images_codes_and_noise(dtype: torch.dtype) -> None:
    model = SwappingAutoencoder(SMALL).to(dtype)
    codes = model.encode(images(1))
    assert codes.structure.dtype == codes.texture.dtype == dtype
    single = Codes(codes.structure.float(), codes.texture.float(), codes.size)
    assert model.decode(single, noise=1).dtype == dtype
    assert (
        model.decode(single, noise=[torch.zeros(s) for s in model.generator.noise_shapes(4, 5)]).dtype
        == dtype
    )


def test_gradients_flow_through_the_networks_themselves(model: SwappingAutoencoder) -> None:
    image = images(1).requires_grad_()
    model.generator(*model.encoder(image)).sum().backward()
    assert image.grad is not None
    model.zero_grad()


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────


def test_pictures_and_their_paths_encode_to_the_same_codes(model: SwappingAutoencoder, photo: Photo) -> None:
    path = photo("a.png", (20, 16))
    by_path, by_text = model.encode_image(path), model.encode_image(str(path))
    by_picture = model.encode_image(open_image(path))
    assert by_path.size == (16, 20)
    for codes in (by_text, by_picture):
        assert torch.equal(codes.structure, by_path.structure)
        assert torch.equal(codes.texture, by_path.texture)


def test_swap_images_is_swap_between_open_and_save(model: SwappingAutoencoder, photo: Photo) -> None:
    a, b = photo("a.png", (20, 16), 1), photo("b.png", (33, 17), 2)
    batches = [torch.from_numpy(to_array(open_image(path)))[None] for path in (a, b)]
    for strength in (0.0, 0.4, 1.0):
        picture = model.swap_images(a, b, strength, noise=2)
        expected = to_pil(model.swap(*batches, strength, noise=2)[0].numpy())
        assert picture.mode == "RGB"
        assert picture.size == (20, 16)
        assert picture.tobytes() == expected.tobytes()


def test_decode_image_is_what_encode_image_reconstructs(model: SwappingAutoencoder, photo: Photo) -> None:
    path = photo("a.png")
    picture = model.decode_image(model.encode_image(path))
    assert picture.tobytes() == model.swap_images(path, path).tobytes()


def test_alpha_stays_on_the_structure_side(model: SwappingAutoencoder, photo: Photo) -> None:
    clear, solid = photo("a.png", (20, 16), 1, "RGBA"), photo("b.png", (14, 15), 2)
    hybrid = model.swap_images(clear, solid)
    assert hybrid.mode == "RGBA"
    assert hybrid.getchannel("A").tobytes() == open_image(clear).getchannel("A").tobytes()
    color, _ = split_alpha(open_image(clear))
    assert hybrid.convert("RGB").tobytes() == model.swap_images(color, solid).tobytes()
    assert model.swap_images(solid, clear).mode == "RGB"


@pytest.mark.parametrize("mode", ["L", "P", "LA", "1"])
def test_pictures_of_other_modes_are_taken(model: SwappingAutoencoder, mode: str) -> None:
    picture = Image.new(mode, (20, 16))
    assert model.swap_images(picture, Image.new("RGB", (12, 12))).size == (20, 16)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_deep_pictures_must_come_as_files_lest_their_bits_are_cut(
    model: SwappingAutoencoder, mode: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"mode {mode} must be opened by its path"):
        model.encode_image(Image.new(mode, (12, 12)))
    grey = Image.fromarray(np.full((12, 12), 32896, dtype=np.uint16))
    grey.save(tmp_path / "grey.png")
    expected = model.encode_image(Image.new("RGB", (12, 12), (128, 128, 128)))
    assert torch.equal(model.encode_image(tmp_path / "grey.png").texture, expected.texture)


def test_a_file_that_is_no_picture_is_one_clear_sentence(model: SwappingAutoencoder, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("no picture", encoding="utf-8")
    with pytest.raises(UserError, match=r"note\.txt"):
        model.swap_images(path, path)


def test_a_picture_is_decoded_from_codes_of_one_image(model: SwappingAutoencoder) -> None:
    codes = model.encode(images(2))
    with pytest.raises(ValueError, match="codes of 2 images, not of 1"):
        model.decode_image(codes)
    assert model.decode_image(codes[1]).size == (20, 16)


def test_the_examples_in_the_docstrings_run() -> None:
    found = doctest.testmod(swapae.model)
    assert found.attempted >= 3
    assert found.failed == 0
