"""A published checkpoint's architecture is told from its shapes, for every layout (model-spec §7, §8)."""

from dataclasses import dataclass, replace

import pytest
import torch

from swapae.convert.official import published_layout
from swapae.convert.official_names import Architecture
from swapae.convert.official_shapes import infer
from swapae.errors import UserError
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig

FFHQ_1024 = ModelConfig(
    structure_downsamplings=5, texture_channels=1536, encoder_capacity=0.4, generator_capacity=0.8
)
SMALL_STRUCTURE = ModelConfig(
    structure_downsamplings=6,
    structure_channels=64,
    texture_channels=1024,
    encoder_steepness=1.8,
    generator_capacity=0.8,
)
PATCHES_256 = PatchDiscriminatorConfig(patch_size=256)


@dataclass(frozen=True)
class Published:
    """A row of model-spec §7: parameters of E, G, D and Dpatch, and the number of keys."""

    architecture: Architecture
    parameters: tuple[int, int, int, int]
    num_keys: int


DEFAULT = ModelConfig()
PATCHES = PatchDiscriminatorConfig()
LAYOUTS = {
    "256": Published(
        Architecture(DEFAULT, DiscriminatorConfig(256), PATCHES),
        (30_584_872, 25_064_743, 28_859_521, 24_522_145),
        224,
    ),
    "512": Published(
        Architecture(DEFAULT, DiscriminatorConfig(512), PATCHES),
        (30_584_872, 25_064_743, 28_978_241, 24_522_145),
        231,
    ),
    "1024, default widths": Published(
        Architecture(DEFAULT, DiscriminatorConfig(1024), PATCHES),
        (30_584_872, 25_064_743, 29_007_905, 24_522_145),
        238,
    ),
    "ffhq1024": Published(
        Architecture(FFHQ_1024, DiscriminatorConfig(768), PATCHES_256),
        (18_501_329, 19_913_160, 27_172_897, 24_529_169),
        263,
    ),
    "ffhq1024, small structure code": Published(
        Architecture(SMALL_STRUCTURE, DiscriminatorConfig(768), PATCHES_256),
        (21_842_675, 21_840_136, 27_172_897, 24_529_169),
        281,
    ),
}
layouts = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())


@layouts
def test_a_layout_has_the_published_number_of_keys_and_parameters(layout: Published) -> None:
    tensors = published_layout(layout.architecture)
    assert len(tensors) + 1 == layout.num_keys  # and the counter
    prefixes = ("E.", "G.", "D.", "Dpatch.")
    for prefix, number in zip(prefixes, layout.parameters, strict=True):
        weights = [t for key, t in tensors.items() if key.startswith(prefix) and not key.endswith(".kernel")]
        assert sum(tensor.numel() for tensor in weights) == number


@layouts
def test_the_architecture_is_told_from_shapes(layout: Published) -> None:
    assert infer(published_layout(layout.architecture)) == layout.architecture


def test_the_older_ffhq1024_layout_has_1638_channels_and_keeps_them() -> None:
    widths = (13, 26, 51, 102, 205, 410, 819, 1638)
    model = replace(FFHQ_1024, encoder_capacity=1.0, encoder_widths=widths)
    tensors = published_layout(Architecture(model))
    assert tensors["E.DownToGlobalCode.ConvLayerDownBy64.Conv.weight"].shape == (1638, 819, 3, 3)
    assert tensors["E.ToGlobalCode.0.weight"].shape == (1536, 1638)
    assert infer(tensors) == Architecture(model)
    assert model.encoder().widths == widths


def test_widths_that_no_capacity_gives_are_kept_as_they_are() -> None:
    architecture = Architecture(
        ModelConfig(
            structure_downsamplings=2,
            texture_channels=20,
            encoder_widths=(7, 9, 8, 30, 31),
            generator_widths=(50, 17),
            head_blocks=3,
            head_widths=(8, 19, 50),
        ),
        DiscriminatorConfig(32, widths=(5, 9, 8, 11)),
        PatchDiscriminatorConfig(64, head_widths=(30, 20), widths=(3, 9, 4, 10, 6)),
    )
    assert infer(published_layout(architecture)) == architecture


@pytest.mark.parametrize("capacity", [0.25, 0.5, 1 / 16])
def test_plain_capacities_are_found_again(capacity: float) -> None:
    architecture = Architecture(
        ModelConfig(texture_channels=512, encoder_capacity=capacity, generator_capacity=capacity),
        DiscriminatorConfig(64, capacity=capacity),
        PatchDiscriminatorConfig(32, capacity=capacity, max_channels=64),
    )
    found = infer(published_layout(architecture))
    assert found.model == architecture.model
    assert found.discriminator == architecture.discriminator
    assert published_layout(found).keys() == published_layout(architecture).keys()


def test_antialiasing_is_told_from_the_filters() -> None:
    architecture = Architecture(
        ModelConfig(use_antialias=False),
        DiscriminatorConfig(use_antialias=False),
        PatchDiscriminatorConfig(use_antialias=False),
    )
    assert infer(published_layout(architecture)) == architecture


def test_discriminators_may_be_missing() -> None:
    architecture = Architecture(DEFAULT, None, PATCHES)
    assert infer(published_layout(architecture)) == architecture
    architecture = Architecture(DEFAULT, DiscriminatorConfig(), None)
    assert infer(published_layout(architecture)) == architecture
    assert infer(published_layout(Architecture(DEFAULT))) == Architecture(DEFAULT)


def test_noise_is_what_the_caller_says() -> None:
    tensors = published_layout(Architecture(DEFAULT))
    assert not infer(tensors, use_noise=False).model.use_noise


@pytest.mark.parametrize("size", [182, 192, 224, 256, 320, 384, 512, 720, 768, 1024])
def test_the_discriminator_takes_the_size_it_was_built_for_or_one_that_ends_in_the_same_map(
    size: int,
) -> None:
    config = DiscriminatorConfig(size, max_channels=8)
    found = infer(published_layout(Architecture(DEFAULT, config))).discriminator
    assert found is not None
    assert found.top_size == config.top_size
    assert 4 * found.image_size // found.top_size == 4 * size // config.top_size
    assert found.image_size <= size


@pytest.mark.parametrize(
    ("key", "shape", "sentence"),
    [
        ("E.FromRGB.Conv.weight", None, r"lacks E\.FromRGB\.Conv\.weight"),
        ("E.ToGlobalCode.0.weight", (), r"lacks E\.ToGlobalCode\.0\.weight"),
        ("D.stylegan2_D.final_linear.0.weight", (512, 8191), "has 8191 columns"),
        ("D.stylegan2_D.final_linear.0.weight", (512,), "has 0 columns"),
    ],
)
def test_a_shape_that_tells_nothing_is_named(key: str, shape: tuple[int, ...] | None, sentence: str) -> None:
    tensors = published_layout(LAYOUTS["256"].architecture)
    if shape is None:
        del tensors[key]
    else:
        tensors[key] = torch.empty(shape, device="meta")
    with pytest.raises(UserError, match=sentence):
        infer(tensors)


def test_encoder_and_generator_must_be_of_one_depth() -> None:
    tensors = published_layout(Architecture(DEFAULT))
    kept = {key: tensor for key, tensor in tensors.items() if "ResBlock128" not in key}
    with pytest.raises(UserError, match=r"4 downsampling blocks .* and 3 upsampling blocks"):
        infer(kept)
    with pytest.raises(UserError, match="0 downsampling blocks"):
        infer({"weight": torch.zeros(1)})
