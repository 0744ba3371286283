"""Named runs: each a function that returns a whole `TrainConfig`.

| preset | images | for |
|---|---|---|
| `tiny32` | 32² | tests: 200 images in seconds |
| `synthetic64` | 64² | the generated forms and materials, on a CPU |
| `photos64`, `photos128` | 64², 128² | a folder of photos, on a CPU, by the published settings |
| `photos64_fast` | 64² | the same, by settings that learn faster there |
| `church_default` … | 256²–1024² | the published settings (model-spec §10.3), for GPUs |
| `grow128`, `grow512`, `grow1024` | 128²–1024² | going on larger, with `--init-from` a run of half the size |
| `ffhq1024_at512` | 512² | the first half of the way to `ffhq1024_default`, which then starts from it |

Averaged weights are ours (the published system has none), and so is keeping three checkpoints, not all.
"""

from collections.abc import Callable
from dataclasses import replace

from swapae.data.transforms import DataConfig
from swapae.losses import ViewsConfig
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig
from swapae.training.config import InitConfig, OptimizerConfig, TrainConfig
from swapae.training.objective import LossConfig


def tiny32() -> TrainConfig:
    """32² images and narrow networks: for tests, not for pictures."""
    return TrainConfig(
        model=ModelConfig(
            structure_channels=4,
            texture_channels=32,
            structure_downsamplings=2,
            texture_downsamplings=1,
            encoder_capacity=0.25,
            generator_capacity=0.125,
        ),
        discriminator=DiscriminatorConfig(image_size=32, capacity=1 / 32, max_channels=32),
        patch_discriminator=PatchDiscriminatorConfig(
            patch_size=16, capacity=0.25, max_channels=16, head_widths=(32, 32, 16)
        ),
        data=DataConfig(load_size=32, crop_size=32),
        batch_size=4,
        total_images=200,
        loss=LossConfig(num_patches=4),
        ema_half_life_kimg=0.1,
        log_images=40,
        snapshot_images=100,
        checkpoint_images=100,
    )


def photos64() -> TrainConfig:
    """The published system at 64², in widths that two cores can train."""
    return TrainConfig(
        model=ModelConfig(
            texture_channels=512, structure_downsamplings=3, encoder_capacity=0.5, generator_capacity=0.25
        ),
        discriminator=DiscriminatorConfig(image_size=64, capacity=1 / 16),
        patch_discriminator=PatchDiscriminatorConfig(patch_size=32, capacity=0.5, max_channels=64),
        data=DataConfig(load_size=64, crop_size=64),
        batch_size=16,
        total_images=100_000,
        log_images=320,
        snapshot_images=2_000,
        checkpoint_images=4_000,
    )


def photos64_fast() -> TrainConfig:
    """A folder of photos at 64² by what learns fastest on a CPU, not by the published settings (LOG.md).

    - A structure code of 16², not 8²: layout is there within minutes.
    - Views: colour has to come through the texture code from the first step on.
    - Losses that nobody has to learn: edges of reconstructions, small patches of hybrids.
    - Four times the steps per image by a quarter of the batch; narrow networks, most of all the judges;
      gradient penalties for 64² images, not 256² ones.
    - Rates that fall at the end.
    """
    return replace(
        photos64(),
        model=ModelConfig(
            texture_channels=256,
            structure_downsamplings=2,
            texture_downsamplings=3,
            encoder_capacity=0.375,
            generator_capacity=0.1875,
        ),
        discriminator=DiscriminatorConfig(image_size=64, capacity=3 / 64, max_channels=96),
        patch_discriminator=PatchDiscriminatorConfig(
            patch_size=16, capacity=0.375, max_channels=64, head_widths=(256, 256, 128)
        ),
        data=DataConfig(load_size=70, crop_size=64),
        loss=LossConfig(l1=5.0, l1_gradient=5.0, patch_match=4.0, r1=1.0, patch_r1=0.1, num_patches=4),
        views=ViewsConfig(recolor=0.8, pattern=0.6, move=0.8),
        optimizer=OptimizerConfig(decay_begin=45_000, decay_end=80_000),
        ema_half_life_kimg=4.0,
        batch_size=4,
        total_images=80_000,
    )


def photos128() -> TrainConfig:
    """As `photos64`, one halving deeper, for 128² photos."""
    base = photos64()
    return replace(
        base,
        model=replace(base.model, structure_downsamplings=4, encoder_capacity=0.25),
        discriminator=replace(base.discriminator, image_size=128),
        data=replace(base.data, load_size=128, crop_size=128),
        batch_size=8,
    )


def synthetic64() -> TrainConfig:
    """The generated domain at 64², as `photos64_fast`: nothing to crop or to mirror, patterns that matter.

    The pictures are of one solid each, plain or patterned: a deeper head and structure blocks see far enough
    to tell inside from outside (ADR 7). Patterns over views would hide that, and are weak. Both halves of a
    batch are reconstructed from views, which brought more than anything else (LOG.md, 2026-11-25).
    """
    base = photos64_fast()
    return replace(
        base,
        model=replace(base.model, head_blocks=4, structure_blocks=4),
        data=replace(base.data, load_size=64, crop="none", flip=False),
        loss=replace(base.loss, l1=4.0, l1_gradient=4.0),
        views=ViewsConfig(recolor=0.8, pattern=0.3, move=0.5, whole=True),
        init=InitConfig(texture_gain=4.0),
        optimizer=OptimizerConfig(decay_begin=150_000, decay_end=200_000),
        total_images=200_000,
    )


def _published(**changes: object) -> TrainConfig:
    """What all published 256² settings share, with the changes of one."""
    # Grids as often as the published evaluation wrote them; what its window showed every 1,600 was not kept,
    # and would be 50 GB of files here.
    common = TrainConfig(log_images=480, snapshot_images=50_000, checkpoint_images=50_000)
    return replace(common, **changes)  # type: ignore[arg-type]


NO_AGGREGATION = LossConfig(use_aggregation=False)
STRONG_PATCH_R1 = LossConfig(patch_r1=10.0)


def church_default() -> TrainConfig:
    """LSUN churches, 256², 4 GPUs."""
    return _published(batch_size=16, loss=NO_AGGREGATION)


def church_pretrained() -> TrainConfig:
    """LSUN churches, 256², 8 GPUs: the released model's settings."""
    return _published(batch_size=32)


def bedroom_default() -> TrainConfig:
    """LSUN bedrooms, 256², 8 GPUs."""
    return _published(batch_size=32, loss=NO_AGGREGATION)


def bedroom_pretrained() -> TrainConfig:
    """LSUN bedrooms, 256², 7 GPUs: the released model's settings."""
    return _published(batch_size=56)


def afhq_pretrained() -> TrainConfig:
    """Animal faces, resized to 256², 8 GPUs."""
    return _published(batch_size=32, data=DataConfig(preprocess="resize", crop="none"))


def ffhq512_default() -> TrainConfig:
    """Faces, resized to 512², 8 GPUs."""
    return _published(
        discriminator=DiscriminatorConfig(image_size=512),
        data=DataConfig(preprocess="resize", load_size=512, crop="none", crop_size=512),
    )


def ffhq512_pretrained() -> TrainConfig:
    """Faces, 512²: the released model's settings, the same as the default's."""
    return ffhq512_default()


def ffhq1024_default() -> TrainConfig:
    """Faces, 768² crops of 1024², 8 GPUs: smaller networks, one halving more, larger patches."""
    return _published(
        model=ModelConfig(
            texture_channels=1536, structure_downsamplings=5, encoder_capacity=0.4, generator_capacity=0.8
        ),
        discriminator=DiscriminatorConfig(image_size=768),
        patch_discriminator=PatchDiscriminatorConfig(patch_size=256),
        data=DataConfig(preprocess="resize", load_size=1024, crop_size=768),
    )


def ffhq1024_pretrained() -> TrainConfig:
    """Faces, 1024²: the released model's settings, the same as the default's."""
    return ffhq1024_default()


def ffhq1024_small_structure() -> TrainConfig:
    """Faces, 1024², with a structure code of half the side and 64 channels (the published "patchDv7")."""
    return replace(
        ffhq1024_default(),
        model=ModelConfig(
            structure_channels=64,
            texture_channels=1024,
            structure_downsamplings=6,
            encoder_steepness=1.8,
            generator_capacity=0.8,
        ),
    )


def mountain_default() -> TrainConfig:
    """Flickr mountains, 512² crops, 8 GPUs: a stronger penalty on the patch discriminator."""
    return _published(
        discriminator=DiscriminatorConfig(image_size=512),
        data=DataConfig(load_size=512, crop_size=512),
        loss=STRONG_PATCH_R1,
    )


def mountain_pretrained() -> TrainConfig:
    """Flickr mountains, 512², 7 GPUs: the released model's settings."""
    return replace(mountain_default(), batch_size=14)


# ── growing: the same model on larger images, by --init-from ────────────────────────────────────────


def _at(config: TrainConfig, size: int) -> TrainConfig:
    """The same networks on images of another size: only the image discriminator knows it."""
    return replace(
        config,
        discriminator=replace(config.discriminator, image_size=size),
        data=replace(config.data, load_size=size, crop_size=size),
    )


def grow128() -> TrainConfig:
    """128² photos, starting from a run of photos64."""
    return replace(_at(photos64(), 128), batch_size=8)


def grow512() -> TrainConfig:
    """512² crops, starting from a 256² model of the published shape: church, bedroom, afhq."""
    return _at(_published(batch_size=16), 512)


def grow1024() -> TrainConfig:
    """1024² crops, starting from a 512² model: grow512, ffhq512, mountain."""
    return _at(grow512(), 1024)


def ffhq1024_at512() -> TrainConfig:
    """Faces, 384² crops of 512², with the networks of ffhq1024, which can start from it."""
    faces = ffhq1024_default()
    return replace(
        faces,
        discriminator=replace(faces.discriminator, image_size=384),
        data=replace(faces.data, load_size=512, crop_size=384),
    )


PRESETS: dict[str, Callable[[], TrainConfig]] = {
    preset.__name__: preset
    for preset in (
        tiny32,
        synthetic64,
        photos64,
        photos64_fast,
        photos128,
        church_default,
        church_pretrained,
        bedroom_default,
        bedroom_pretrained,
        afhq_pretrained,
        ffhq512_default,
        ffhq512_pretrained,
        ffhq1024_default,
        ffhq1024_pretrained,
        ffhq1024_small_structure,
        mountain_default,
        mountain_pretrained,
        grow128,
        grow512,
        grow1024,
        ffhq1024_at512,
    )
}

# On how many GPUs the published runs were made (model-spec §10.3); a batch is dealt evenly, in pairs.
PUBLISHED_GPUS: dict[str, int] = {
    "church_default": 4,
    "church_pretrained": 8,
    "bedroom_default": 8,
    "bedroom_pretrained": 7,
    "afhq_pretrained": 8,
    "ffhq512_default": 8,
    "ffhq512_pretrained": 8,
    "ffhq1024_default": 8,
    "ffhq1024_pretrained": 8,
    "ffhq1024_small_structure": 8,
    "mountain_default": 8,
    "mountain_pretrained": 7,
}
