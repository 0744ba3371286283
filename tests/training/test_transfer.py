"""What goes from one run's networks to another's: part by part, by place, whole or not at all."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from tests.training.tools import micro

from swapae.errors import UserError
from swapae.presets import PRESETS
from swapae.training.checkpoint import Learner, all_weights
from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.objective import Networks
from swapae.training.origin import Origin
from swapae.training.setup import make_learner, make_networks
from swapae.training.transfer import Fit, Transfer, check_fit, fit, start_from

CPU = Engine(torch.device("cpu"))


def origin_of(config: TrainConfig) -> Origin:
    """Weights and averages of a run of this config: the averages differ from the weights by 1."""
    _, networks = make_networks(config)
    weights = {name: dict(module.state_dict()) for name, module in networks.named().items()}
    averages = {
        network: {name: tensor + 1 for name, tensor in weights[network].items()}
        for network in ("encoder", "generator")
    }
    return Origin("other", Path("other"), weights, averages, 8)


def started(config: TrainConfig, other: TrainConfig) -> tuple[Learner, Transfer, Origin]:
    learner, origin = make_learner(config, CPU), origin_of(other)
    return learner, start_from(origin, learner, config), origin


def larger(config: TrainConfig) -> TrainConfig:
    size = 2 * config.discriminator.image_size
    return replace(
        config,
        discriminator=replace(config.discriminator, image_size=size),
        data=replace(config.data, load_size=size, crop_size=size),
        seed=1,
    )


def test_a_run_of_the_same_shape_takes_every_weight_and_every_average() -> None:
    learner, transfer, origin = started(micro(seed=1), micro())
    assert transfer.is_whole
    assert all(one.is_whole and one.num_taken == one.num_parameters for one in transfer.fits.values())
    for network, module in learner.networks.named().items():
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, origin.weights[network][name]), name
    for network in ("encoder", "generator"):
        for name, tensor in getattr(learner.ema.model, network).state_dict().items():
            assert torch.equal(tensor, origin.averages[network][name]), name


def test_larger_images_take_all_but_the_first_level_of_the_image_discriminator() -> None:
    learner, transfer, origin = started(larger(micro()), micro())
    assert transfer.is_whole
    assert transfer.fits["patch_discriminator"].is_whole
    one = transfer.fits["discriminator"]
    assert list(one.new) == ["from_rgb at 32²", "block at 32²"]
    assert list(one.taken) == ["block at 16²", "block at 8²", "final_conv", "final_linear"]
    assert one.left == ["from_rgb at 16²"]
    mine, theirs = learner.networks.discriminator.state_dict(), origin.weights["discriminator"]
    fresh = make_networks(larger(micro()))[1].discriminator.state_dict()
    moved = {name: re_numbered(name) for name in mine}
    for name, tensor in mine.items():
        is_new = name.startswith(("from_rgb", "blocks.0"))
        assert torch.equal(tensor, fresh[name] if is_new else theirs[moved[name]]), name


def re_numbered(name: str) -> str:
    """The name of a tensor where there is a level less."""
    head, number, rest = (*name.split(".", 2), "", "")[:3]
    return f"blocks.{int(number) - 1}.{rest}" if head == "blocks" else name


def test_what_a_grown_discriminator_says_does_not_depend_on_what_was_above_the_taken_levels() -> None:
    """The levels lie where they lay: behind the new one, maps of 16² meet the weights that saw 16²."""
    learner, _, origin = started(larger(micro()), micro())
    config = micro()
    other = make_learner(config, CPU).networks.discriminator
    other.load_state_dict(origin.weights["discriminator"])
    features = torch.randn(2, other.config.channels_at(16), 16, 16)
    grown = learner.networks.discriminator
    assert torch.equal(grown.blocks[1:](features), other.blocks(features))


def test_optimizers_start_anew_and_know_the_weights_they_train() -> None:
    learner, _, _ = started(micro(seed=1), micro())
    assert not learner.optimizers.generator.state
    known = {id(p) for group in learner.optimizers.generator.param_groups for p in group["params"]}
    assert known == {
        id(p) for n in (learner.networks.encoder, learner.networks.generator) for p in n.parameters()
    }


def test_a_part_of_another_shape_stays_new_whole_and_the_report_has_both_shapes() -> None:
    config = micro(seed=1)
    wider = replace(config, model=replace(config.model, generator_widths=(6,)))
    learner, transfer, origin = started(wider, micro())
    fresh = dict(make_networks(wider)[1].generator.state_dict())
    one = transfer.fits["generator"]
    assert set(one.new) == {"up from ×1", "to_rgb from ×2"}
    assert one.new["to_rgb from ×2"].startswith("other shape (conv.weight is [1, 3, 4, 1, 1] there, ")
    mine = learner.networks.generator.state_dict()
    for name in mine:
        is_new = name.startswith(("up.", "to_rgb."))
        assert torch.equal(mine[name], fresh[name] if is_new else origin.weights["generator"][name]), name
    # The average of what is new is what it is.
    assert torch.equal(learner.ema.model.generator.state_dict()["to_rgb.bias"], mine["to_rgb.bias"])
    assert not transfer.is_whole


def test_nothing_is_cut_or_padded_where_shapes_differ() -> None:
    config = micro(seed=1)
    wider = replace(config, model=replace(config.model, texture_channels=12))
    learner, transfer, _ = started(wider, micro())
    fresh = make_networks(wider)[1].named()
    for network, one in transfer.fits.items():
        taken = {name for pairs in one.taken.values() for name, _ in pairs}
        for name, tensor in learner.networks.named()[network].state_dict().items():
            assert name in taken or torch.equal(tensor, fresh[network].state_dict()[name]), name
    assert "to_texture at 1/4" in transfer.fits["encoder"].new


def test_a_deeper_model_keeps_what_has_the_same_place() -> None:
    config = micro(seed=1)
    deeper = replace(config, model=replace(config.model, structure_downsamplings=2, texture_downsamplings=1))
    fits = started(deeper, micro())[1].fits
    assert "down_to_structure at 1/1" in fits["encoder"].taken
    assert fits["encoder"].new["to_structure at 1/4"] == "the other has no such part"
    assert "to_structure at 1/2" in fits["encoder"].left
    assert "to_rgb from ×2" in fits["generator"].left


def test_structure_blocks_are_put_into_a_trained_encoder_and_leave_all_else_to_it() -> None:
    config = micro(seed=1)
    further = replace(config, model=replace(config.model, structure_blocks=2))
    fits = started(further, micro())[1].fits
    assert list(fits["encoder"].new) == ["structure block 1 of 2", "structure block 2 of 2"]
    assert not fits["encoder"].left
    assert all(fit.is_whole for name, fit in fits.items() if name != "encoder")


def test_where_nothing_of_the_model_fits_it_is_refused_and_nothing_is_changed() -> None:
    config = micro(seed=1)
    model = replace(config.model, encoder_capacity=0.25, generator_capacity=0.0625, texture_channels=12)
    other = replace(config, model=replace(model, structure_channels=8, structure_downsamplings=2))
    learner = make_learner(other, CPU)
    before = {name: tensor.clone() for name, tensor in all_weights(learner.networks).items()}
    with pytest.raises(
        UserError, match=r"(?s)nothing of encoder and generator in other fits.*from_rgb: other"
    ):
        start_from(origin_of(micro()), learner, other)
    after = all_weights(learner.networks)
    assert all(torch.equal(before[name], after[name]) for name in before)
    with pytest.raises(UserError, match="nothing of encoder and generator"):
        check_fit(origin_of(micro()), other)


def test_settings_that_no_shape_shows_are_told_of() -> None:
    origin = replace(origin_of(micro()), settings={"model.use_antialias": True, "model.use_noise": True})
    config = micro(seed=1)
    config = replace(config, model=replace(config.model, use_noise=False))
    transfer = start_from(origin, make_learner(config, CPU), config)
    assert [note.partition(":")[0] for note in transfer.notes] == [
        "model.use_noise was true there and is false here"
    ]


# ── the published sizes, without numbers in them ─────────────────────────────────────────────────


FIRST_LEVEL = {
    "grow128": ["from_rgb at 128²", "block at 128²"],
    "grow512": ["from_rgb at 512²", "block at 512²"],
    "grow1024": ["from_rgb at 1024²", "block at 1024²"],
    "ffhq1024_default": ["from_rgb at 1024²", "block at 1024²"],
}


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("photos64", "grow128"),
        ("church_pretrained", "grow512"),
        ("afhq_pretrained", "ffhq512_default"),
        ("grow512", "grow1024"),
        ("mountain_pretrained", "grow1024"),
        ("ffhq1024_at512", "ffhq1024_default"),
    ],
)
def test_presets_that_grow_take_all_but_the_first_level_of_the_image_discriminator(
    there: str, here: str
) -> None:
    fits = fits_between(there, here)
    new = FIRST_LEVEL[here.replace("ffhq512_default", "grow512")]
    assert {network: list(one.new) for network, one in fits.items()} == {
        "encoder": [],
        "generator": [],
        "discriminator": new,
        "patch_discriminator": [],
    }
    one = fits["discriminator"]
    level = {"grow128": 7, "grow1024": 10, "ffhq1024_default": 10}.get(here, 9)
    assert list(one.taken) == [f"block at {2**i}²" for i in range(level - 1, 2, -1)] + [
        "final_conv",
        "final_linear",
    ]


def test_two_sizes_at_once_leave_two_levels_new() -> None:
    assert list(fits_between("church_pretrained", "grow1024")["discriminator"].new) == [
        "from_rgb at 1024²",
        "block at 1024²",
        "block at 512²",
    ]


def test_the_published_1024_networks_say_what_of_a_512_model_does_not_fit_them() -> None:
    """Other widths and a halving more: nothing of encoder and generator fits, and nothing is bent to fit."""
    fits = fits_between("ffhq512_default", "ffhq1024_default")
    assert fits["encoder"].taken == fits["generator"].taken == {}
    assert fits["encoder"].new["from_rgb"] == "other shape (conv.weight is [32, 3, 1, 1] there, " + (
        "[13, 3, 1, 1] here and 1 more)"
    )
    assert list(fits["patch_discriminator"].new) == ["from_rgb at 256²", "block at 256²"]
    # 768² crops end in maps of 3×3, where 512² images end in 4×4.
    assert (
        fits["discriminator"].new["final_linear"].startswith("other shape (0.weight is [512, 8192] there, ")
    )
    with pytest.raises(UserError, match="nothing of encoder and generator"):
        check_fit(on_meta("ffhq512_default"), PRESETS["ffhq1024_default"]())


def test_the_small_structure_networks_share_no_width_with_the_other_1024_ones() -> None:
    fits = fits_between("ffhq1024_default", "ffhq1024_small_structure")
    assert fits["encoder"].taken == {}
    assert fits["discriminator"].is_whole


@lru_cache
def networks_of(preset: str) -> Networks:
    with torch.device("meta"):
        return make_networks(PRESETS[preset]())[1]


def on_meta(preset: str) -> Origin:
    named = networks_of(preset).named()
    return Origin(preset, Path(preset), {name: dict(m.state_dict()) for name, m in named.items()}, {})


def fits_between(there: str, here: str) -> dict[str, Fit]:
    mine, theirs = networks_of(here).named(), on_meta(there).weights
    return {network: fit(network, module, theirs[network]) for network, module in mine.items()}
