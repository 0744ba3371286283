"""What docs/system says in numbers is what the code computes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import swapae.layers
import swapae.networks
import swapae.ops
from swapae.layers.resample import pad_of_downsampling
from swapae.model import NothingDrawn
from swapae.networks import (
    Discriminator,
    Encoder,
    Generator,
    PatchDiscriminator,
    encoder_widths,
    generator_widths,
)
from swapae.presets import PRESETS
from swapae.training.config import OptimizerConfig, TrainConfig
from swapae.training.objective import LossConfig
from swapae.training.schedule import ScheduleConfig

PAGES = Path(__file__).parents[2] / "docs" / "system"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def count(network: nn.Module) -> str:
    return f"{sum(parameter.numel() for parameter in network.parameters()):,}"


@pytest.fixture(scope="module")
def networks() -> dict[str, nn.Module]:
    with NothingDrawn():
        return {
            "encoder": Encoder(),
            "generator": Generator(),
            "discriminator": Discriminator(),
            "patch_discriminator": PatchDiscriminator(),
        }


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """Rows of tables that begin with a name in code: name, and all cells."""
    for line in text.splitlines():
        if found := re.match(r"\| `([\w.]+)` \|", line):
            yield found[1], [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_parameters_of_the_networks_are_as_written(networks: dict[str, nn.Module]) -> None:
    text = page("index")
    for network in networks.values():
        assert f"| {count(network)} |" in text
    assert count(nn.ModuleList(networks.values())) in text
    assert count(nn.ModuleList([networks["encoder"], networks["generator"]])) in text


@pytest.mark.parametrize(
    ("name", "title", "part"),
    [
        ("networks", "## Encoder", "encoder"),
        ("networks", "## Generator", "generator"),
        ("discriminators", "## Image", "discriminator"),
        ("discriminators", "## Patch", "patch_discriminator"),
    ],
)
def test_parameters_of_every_part_are_as_written(
    networks: dict[str, nn.Module], name: str, title: str, part: str
) -> None:
    section = page(name).split(title)[1].split("\n## ")[0]
    written = {row[0]: row[1][-1] for row in rows(section)}
    assert written == {row: count(networks[part].get_submodule(row)) for row in written}
    total = sum(int(number.replace(",", "")) for number in written.values())
    assert f"{total:,}" == count(networks[part])


def test_shapes_are_as_written(networks: dict[str, nn.Module]) -> None:
    """Every map and vector of a table is met on the way of a 256² image, without computing a number."""
    met: set[str] = set()

    def note(module: nn.Module, given: object, out: object) -> None:
        if isinstance(out, torch.Tensor) and out.ndim in (2, 4):
            met.add(f"{out.shape[1]} × {out.shape[2]}²" if out.ndim == 4 else f"{out.shape[1]}")

    hooks = [m.register_forward_hook(note) for net in networks.values() for m in net.modules()]
    meta = {name: network.to("meta") for name, network in networks.items()}
    structure, texture = meta["encoder"](torch.empty(1, 3, 256, 256, device="meta"))
    meta["generator"](structure, texture)
    meta["discriminator"](torch.empty(1, 3, 256, 256, device="meta"))
    patches = torch.empty(1, 8, 3, 128, 128, device="meta")
    meta["patch_discriminator"](patches, patches)
    for hook in hooks:
        hook.remove()
    written = {
        cell
        for name in ("networks", "discriminators")
        for _, row in rows(page(name))
        for cell in re.split(", | … ", row[2])
    }
    assert len(written) > 15
    assert written <= met


def test_schedules_of_widths_are_as_written() -> None:
    text = page("networks")
    assert ", ".join(map(str, encoder_widths(1, 2, 6, 2048))) in text
    assert ", ".join(map(str, generator_widths(1, 4))) in text


def test_paddings_of_the_blur_are_as_written() -> None:
    text = page("layers")
    for taps in ([1, 3, 3, 1], [1, 2, 1], [1]):
        pads = [", ".join(map(str, pad_of_downsampling(taps, k))).replace("-", "−") for k in (3, 1)]
        assert f"| `{taps}` | {pads[0]} | {pads[1]} |" in text


@pytest.mark.parametrize(
    ("preset", "structure"),
    [
        ("church_default", 16),
        ("ffhq512_default", 32),
        ("ffhq1024_default", 32),
        ("ffhq1024_small_structure", 16),
    ],
)
def test_sizes_of_the_published_models_are_as_written(preset: str, structure: int) -> None:
    config = PRESETS[preset]()
    model, size = config.model, config.data.load_size
    with NothingDrawn():
        counts = count(Encoder(model.encoder())), count(Generator(model.generator()))
        judge = count(Discriminator(config.discriminator))
    assert size // model.stride == structure
    code = f"{model.structure_channels} × {structure}²"
    assert f"| {size}² | {code} | {model.texture_channels} | {counts[0]} | {counts[1]} |" in page("networks")
    assert judge in page("discriminators")


def test_settings_of_the_training_are_as_written() -> None:
    text, config = page("objective"), TrainConfig()
    loss, adam = config.loss, config.optimizer
    c = loss.r1_interval / (loss.r1_interval + 1)
    assert f"| {adam.learning_rate} | {adam.beta1:g} | {adam.beta2} |" in text
    rate = f"{adam.learning_rate} · c = {adam.learning_rate * c:.8f}"
    assert f"| {rate} | 0 | {adam.beta2}^c = {adam.beta2**c:.6f} |" in text
    assert (loss.l1, loss.gan, loss.patch, loss.gan_reconstruction, loss.gan_hybrid) == (1, 1, 1, 0.5, 0.5)
    assert (loss.gan_hybrid_generator, loss.r1, loss.patch_r1, loss.r1_interval) == (1, 10, 1, 16)
    assert (loss.patch_min_scale, loss.patch_max_scale, loss.num_patches) == (1 / 8, 1 / 4, 8)
    assert f"{config.total_images:,} images" in text
    assert f"{1000 * config.ema_half_life_kimg:,.0f} unless" in text


def test_schedules_are_the_line_that_is_written() -> None:
    schedule = ScheduleConfig(begin=100, end=300, l1=5.0)
    loss, adam = LossConfig(l1=1.0, schedule=schedule), OptimizerConfig(decay_begin=100, decay_end=300)
    for seen, share in ((0, 0.0), (100, 0.0), (150, 0.25), (300, 1.0), (900, 1.0)):
        assert loss.at(seen).l1 == pytest.approx((1 - share) * 1 + share * 5)
        assert adam.scale_at(seen) == pytest.approx((1 - share) * 1 + share * adam.decay_to)


def test_names_of_losses_in_the_log_are_those_of_the_objective() -> None:
    source = (PAGES.parents[1] / "src" / "swapae" / "training" / "objective.py").read_text(encoding="utf-8")
    named = re.findall(r"\| `((?:patch_)?G_\w+)` \|", page("objective"))
    assert len(named) == 4
    assert all(f'"{name}"' in source for name in named)


def test_every_name_leads_to_what_it_names() -> None:
    found = re.findall(
        r"`swapae\.(layers|ops|networks)\.(\w+)`[^|]*\| \[[\w.]+\]\(\.\./\.\./([^)]+)\)", page("names")
    )
    assert len(found) >= 19
    for module, name, path in found:
        thing = getattr(getattr(swapae, module), name)
        source = (PAGES.parents[1] / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:class|def) {name}\b", source, re.MULTILINE), name
        assert thing.__name__ == name
    for name in [
        "EqualConv2d",
        "upfirdn2d",
        "Blur",
        "ConvLayer",
        "FusedLeakyReLU",
        "ScaledLeakyReLU",
        "ResBlock",
        "EqualLinear",
    ]:
        assert name in {one for _, one, _ in found}
    assert swapae.networks.StyleGAN2ResnetEncoder is Encoder


def test_fields_that_pages_name_are_fields() -> None:
    from swapae.config import field_names

    known = field_names(TrainConfig())
    for name in ("index", "networks", "discriminators", "objective"):
        for field in re.findall(r"`((?:loss|views|augment|optimizer|model)\.[\w.]+)`", page(name)):
            assert field in known, field
