"""The published runs, row by row (model-spec §7, §10.3); every preset builds, and takes its steps small."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import pytest
import torch

from swapae.config import differences, from_dict, to_dict
from swapae.networks import Discriminator, Encoder, Generator, PatchDiscriminator
from swapae.presets import PRESETS, PUBLISHED_GPUS
from swapae.training.config import TrainConfig, check
from swapae.training.engine import Engine
from swapae.training.health import is_reading
from swapae.training.setup import make_learner
from swapae.training.step import Steps

SMALL = {"tiny32", "synthetic64", "photos64", "photos64_fast", "photos128"}
GROWING = {"grow128", "grow512", "grow1024", "ffhq1024_at512"}

# What all published runs share, setting by setting (model-spec §5, §6, §9, §10.3, §10.4).
COMMON: Mapping[str, object] = {
    "model.structure_channels": 8,
    "model.texture_channels": 2048,
    "model.structure_downsamplings": 4,
    "model.texture_downsamplings": 2,
    "model.use_antialias": True,
    "model.encoder_capacity": 1.0,
    "model.encoder_steepness": 2.0,
    "model.encoder_widths": None,
    "model.generator_capacity": 1.0,
    "model.generator_widths": None,
    "model.head_blocks": 2,
    "model.head_widths": None,
    "model.structure_blocks": 0,
    "model.use_noise": True,
    "discriminator.image_size": 256,
    "discriminator.capacity": 1.0,
    "discriminator.max_channels": 512,
    "discriminator.use_antialias": True,
    "discriminator.widths": None,
    "patch_discriminator.patch_size": 128,
    "patch_discriminator.capacity": 4.0,
    "patch_discriminator.max_channels": 384,
    "patch_discriminator.head_widths": (2048, 2048, 1024),
    "patch_discriminator.use_antialias": True,
    "patch_discriminator.widths": None,
    "data.preprocess": "scale_shortside",
    "data.load_size": 256,
    "data.zoom": 1.0,
    "data.crop": "random",
    "data.crop_size": 256,
    "data.flip": True,
    "data.decode": "exact",
    "loss.l1": 1.0,
    "loss.gan": 1.0,
    "loss.gan_reconstruction": 0.5,
    "loss.gan_hybrid": 0.5,
    "loss.gan_hybrid_generator": 1.0,
    "loss.patch": 1.0,
    "loss.r1": 10.0,
    "loss.patch_r1": 1.0,
    "loss.r1_interval": 16,
    "loss.num_patches": 8,
    "loss.patch_min_scale": 1 / 8,
    "loss.patch_max_scale": 1 / 4,
    "loss.use_aggregation": True,
    "optimizer.learning_rate": 0.002,
    "optimizer.discriminator_learning_rate": 0.002,
    "optimizer.beta1": 0.0,
    "optimizer.beta2": 0.99,
    "init.structure_gain": 0.0,
    "init.texture_gain": 1.0,
    "total_images": 25_000_000,
    "log_images": 480,  # print_freq
    "snapshot_images": 50_000,  # evaluation_freq; display_freq, 1,600, is of a window
    "checkpoint_images": 50_000,  # save_freq
}

RESIZED_512 = {
    "batch_size": 16,
    "discriminator.image_size": 512,
    "data.preprocess": "resize",
    "data.load_size": 512,
    "data.crop": "none",
}
CROPPED_768 = {
    "batch_size": 16,
    "discriminator.image_size": 768,
    "data.preprocess": "resize",
    "data.load_size": 1024,
    "data.crop_size": 768,
    "patch_discriminator.patch_size": 256,
    "model.generator_capacity": 0.8,
}
FFHQ1024 = {
    **CROPPED_768,
    "model.structure_downsamplings": 5,
    "model.encoder_capacity": 0.4,
    "model.texture_channels": 1536,
}
MOUNTAIN = {
    "discriminator.image_size": 512,
    "data.load_size": 512,
    "data.crop_size": 512,
    "loss.patch_r1": 10.0,
}
PUBLISHED: Mapping[str, Mapping[str, object]] = {
    "church_default": {"batch_size": 16, "loss.use_aggregation": False},
    "church_pretrained": {"batch_size": 32},
    "bedroom_default": {"batch_size": 32, "loss.use_aggregation": False},
    "bedroom_pretrained": {"batch_size": 56},
    "afhq_pretrained": {"batch_size": 32, "data.preprocess": "resize", "data.crop": "none"},
    "ffhq512_default": RESIZED_512,
    "ffhq512_pretrained": RESIZED_512,
    "ffhq1024_default": FFHQ1024,
    "ffhq1024_pretrained": FFHQ1024,
    "ffhq1024_small_structure": {
        **CROPPED_768,
        "model.structure_downsamplings": 6,
        "model.encoder_steepness": 1.8,
        "model.texture_channels": 1024,
        "model.structure_channels": 64,
    },
    "mountain_default": {"batch_size": 16, **MOUNTAIN},
    "mountain_pretrained": {"batch_size": 14, **MOUNTAIN},
}

# Parameters of encoder, generator, discriminator, patch discriminator (model-spec §7).
SIZE_256 = (30_584_872, 25_064_743, 28_859_521, 24_522_145)
SIZE_512 = (30_584_872, 25_064_743, 28_978_241, 24_522_145)
PARAMETERS = {
    "church": SIZE_256,
    "bedroom": SIZE_256,
    "afhq": SIZE_256,
    "ffhq512": SIZE_512,
    "mountain": SIZE_512,
    "ffhq1024_small": (21_842_675, 21_840_136, 27_172_897, 24_529_169),
    "ffhq1024": (18_501_329, 19_913_160, 27_172_897, 24_529_169),
}


def settings_of(config: object) -> dict[str, object]:
    """The tree as dotted names."""
    flat: dict[str, object] = {}
    for name in vars(config):
        value = getattr(config, name)
        if hasattr(value, "__dataclass_fields__"):
            flat |= {f"{name}.{key}": inner for key, inner in settings_of(value).items()}
        else:
            flat[name] = value
    return flat


def sizes(config: TrainConfig) -> tuple[int, ...]:
    """Parameters of the four networks, which are built without numbers in them."""
    with torch.device("meta"):
        networks = (
            Encoder(config.model.encoder()),
            Generator(config.model.generator()),
            Discriminator(config.discriminator),
            PatchDiscriminator(config.patch_discriminator),
        )
    return tuple(sum(parameter.numel() for parameter in network.parameters()) for network in networks)


# ── settings ─────────────────────────────────────────────────────────────────────────────────────


def test_the_published_runs_and_the_small_ones_are_there_under_their_names() -> None:
    assert set(PRESETS) == set(PUBLISHED) | SMALL | GROWING
    assert all(name == preset.__name__ for name, preset in PRESETS.items())


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_run_has_exactly_its_settings(name: str) -> None:
    settings = settings_of(PRESETS[name]())
    expected = {**COMMON, **PUBLISHED[name]}
    # With `crop` none, crop_size is not used.
    unused = {"data.crop_size"} if expected["data.crop"] == "none" else set()
    assert {key: settings[key] for key in expected if key not in unused} == {
        key: value for key, value in expected.items() if key not in unused
    }
    ours = {"seed", "data.workers", "data.cache", "ema_half_life_kimg"}
    ours |= {"keep_checkpoints", "checkpoint_activations", "accumulate", "precision", "compile"}
    ours |= {"keep_best", "best_metric", "keep_every_images", "on_disk_full"}
    ours |= {"on_diverged", "skips_in_a_row", "max_rollbacks", "tensorboard"}
    off = {"augment.kind": "none", "loss.structure_consistency": 0.0, "loss.texture_consistency": 0.0}
    off |= {"loss.stop_structure_gradient": False, "loss.schedule.end": 0}
    off |= {"loss.l1_gradient": 0.0, "loss.patch_match": 0.0, "views.recolor": 0.0, "views.move": 0.0}
    off |= {"views.pattern": 0.0, "optimizer.decay_begin": 0, "optimizer.decay_end": 0}
    off |= {"eval.data": None, "views.whole": False}
    assert {key: settings[key] for key in off} == off
    ours |= {key for key in settings if key.startswith(("augment.", "loss.schedule.", "eval."))} | set(off)
    ours |= {"optimizer.decay_to"}
    assert set(settings) == set(expected) | ours


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_trained_and_survives_its_own_file(name: str) -> None:
    config = PRESETS[name]()
    check(config)
    assert differences(from_dict(TrainConfig, to_dict(config)), config) == []
    assert PRESETS[name].__doc__


def test_batches_are_dealt_in_pairs_to_the_published_numbers_of_devices() -> None:
    """Devices and batch, row by row (model-spec §10.3): 2, 4 or 8 images on each."""
    rows = {name: (PUBLISHED_GPUS[name], PRESETS[name]().batch_size) for name in PUBLISHED}
    assert set(PUBLISHED_GPUS) == set(PUBLISHED)
    others = {"church_default": (4, 16), "bedroom_pretrained": (7, 56), "mountain_pretrained": (7, 14)}
    small = {name: (8, 16) for name in PUBLISHED if name.startswith(("ffhq", "mountain"))}
    assert rows == {**dict.fromkeys(PUBLISHED, (8, 32)), **small, **others}
    assert {batch / devices for devices, batch in rows.values()} == {2, 4, 8}


@pytest.mark.parametrize(
    ("name", "base", "changes"),
    [
        ("grow128", "photos64", {"batch_size": 8, "size": 128}),
        ("grow512", "church_pretrained", {"batch_size": 16, "size": 512}),
        ("grow1024", "church_pretrained", {"batch_size": 16, "size": 1024}),
    ],
)
def test_a_growing_run_is_its_base_on_larger_images(name: str, base: str, changes: dict[str, int]) -> None:
    size = changes["size"]
    sizes = ("discriminator.image_size", "data.load_size", "data.crop_size")
    expected = (
        settings_of(PRESETS[base]()) | dict.fromkeys(sizes, size) | {"batch_size": changes["batch_size"]}
    )
    assert settings_of(PRESETS[name]()) == expected


def test_the_way_to_ffhq1024_is_the_same_at_half_the_size() -> None:
    expected = settings_of(PRESETS["ffhq1024_default"]())
    expected |= {"discriminator.image_size": 384, "data.load_size": 512, "data.crop_size": 384}
    assert settings_of(PRESETS["ffhq1024_at512"]()) == expected


# ── full width ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_run_builds_at_full_width(name: str) -> None:
    expected = next(size for prefix, size in PARAMETERS.items() if name.startswith(prefix))
    assert sizes(PRESETS[name]()) == expected


def test_photos64_has_the_sizes_it_was_asked_to_have() -> None:
    millions = [f"{size / 1e6:.2f}" for size in sizes(PRESETS["photos64"]())]
    assert millions == ["1.91", "1.15", "12.01", "7.65"]


# ── reduced width ────────────────────────────────────────────────────────────────────────────────


def reduced(config: TrainConfig) -> TrainConfig:
    """The same depths, strides and rules in few channels, on the smallest image that the model takes.

    An image of 768 px stays three times a power of two, which decides the shape of the discriminator's end.
    """
    model = config.model
    factor = 3 if config.discriminator.image_size % 3 == 0 else 1
    size = factor * next(2**n for n in range(12) if factor * 2**n >= max(model.min_side, 16))
    patch_size = max(16, min(config.patch_discriminator.patch_size // 4, size))
    return replace(
        config,
        model=replace(
            model,
            structure_channels=4,
            texture_channels=8,
            encoder_capacity=model.encoder_capacity / 16,
            generator_capacity=model.generator_capacity / 64,
        ),
        discriminator=replace(config.discriminator, image_size=size, capacity=1 / 256, max_channels=4),
        patch_discriminator=replace(
            config.patch_discriminator,
            patch_size=patch_size,
            capacity=1 / 16,
            max_channels=4,
            head_widths=(8, 8),
        ),
        data=replace(config.data, load_size=size, crop_size=size),
        loss=replace(config.loss, num_patches=2),
        batch_size=2,
    )


@lru_cache
def losses(config: TrainConfig) -> dict[str, float]:
    """Terms of one step of each kind, on noise."""
    learner = make_learner(config, Engine(torch.device("cpu")))
    steps = Steps(learner.networks, learner.optimizers, config)
    random = torch.Generator().manual_seed(0)
    size = config.discriminator.image_size
    real = torch.rand(config.batch_size, 3, size, size, generator=random) * 2 - 1
    terms = steps.discriminator_step(real, random) | steps.r1_step(real, random)
    return {name: float(term) for name, term in (terms | steps.generator_step(real, random)).items()}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_takes_one_step_of_each_kind_at_reduced_width(name: str) -> None:
    config = reduced(PRESETS[name]())
    check(config)
    same = replace(config, batch_size=2, total_images=1, log_images=1, snapshot_images=1, checkpoint_images=1)
    found = losses(same)
    readings = set(filter(is_reading, found))
    own = {"G_l1_gradient", "G_patch_match"} if config.loss.patch_match else set()
    own |= {"G_structure", "G_texture"} if config.loss.structure_consistency else set()
    own |= {"G_l1_rest", "G_l1_gradient_rest"} if config.views.whole else set()
    assert own <= set(found)
    assert len(found) == 11 + len(own) + len(readings)
    assert len(readings) == 7
    assert all(abs(found[name]) < float("inf") for name in readings)
    assert all(0 < found[name] < float("inf") for name in found.keys() - readings)
