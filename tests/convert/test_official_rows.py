"""Every published model, by the published tables of keys and shapes (tests/golden/published_*.txt)."""

import re
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.convert.checkpoints import random_checkpoint, small_model

from swapae.convert import convert_official, export_official
from swapae.convert.official import published_layout
from swapae.convert.official_names import STEPS, Architecture
from swapae.convert.official_shapes import infer
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig
from swapae.presets import PRESETS

TABLES = Path(__file__).parents[1] / "golden"
Shapes = OrderedDict[str, tuple[int, ...]]

OLDER = (13, 26, 51, 102, 205, 410, 819, 1638)  # before the texture code's width was also the widest layer's
# Rows of the published program, with what else may be told of a file: whether it has discriminators.
ROWS = [
    "church_default",
    "church_pretrained",
    "bedroom_default",
    "bedroom_pretrained",
    "afhq_pretrained",
    "ffhq512_default",
    "ffhq512_pretrained",
    "ffhq1024_default",
    "ffhq1024_pretrained",
    "ffhq1024_small_structure",
    "mountain_default",
    "mountain_pretrained",
]

# Rows whose networks differ, and how many there are of the same.
KINDS = {
    "church_pretrained": 5,
    "ffhq512_pretrained": 4,
    "ffhq1024_pretrained": 2,
    "ffhq1024_small_structure": 1,
}


def table(name: str) -> Shapes:
    """Read a table: a module, then the rest of each key with its shape, in the order of the file."""
    found: Shapes = OrderedDict()
    for line in (TABLES / f"published_{name}.txt").read_text(encoding="utf-8").splitlines():
        module, _, rest = line.partition(": ")
        for key, shape in re.findall(r"([\w.]+)\[([\d,]+)\]", rest):
            prefix = "" if module.startswith("(") else f"{module}."
            found[prefix + key] = tuple(map(int, shape.split(",")))
    return found


def architecture_of(row: str) -> Architecture:
    config = PRESETS[row]()
    return Architecture(config.model, config.discriminator, config.patch_discriminator)


def shapes_of(architecture: Architecture) -> Shapes:
    return OrderedDict((key, tuple(one.shape)) for key, one in published_layout(architecture).items())


def published(row: str) -> Shapes:
    """What the tables say of a row's file; of those of 1024² they say no filters, and of one only widths."""
    if "1024" not in row:
        size = 512 if row.startswith(("ffhq512", "mountain")) else 256
        networks = [item for item in table("256").items() if item[0].startswith(("E.", "G."))]
        return OrderedDict([*networks, *judges(size, 128).items()])
    name = "small_structure" if "small" in row else "ffhq1024"
    return OrderedDict([*table(name).items(), *judges(768, 256).items()])


def judges(size: int, patch: int) -> Shapes:
    """The discriminators: those of 256² images and 128² patches, and what larger ones have above that."""
    above = {"D.stylegan2_D": {256: [], 512: [512], 768: [1024, 512]}[size]}
    above["Dpatch"] = [256] if patch == 256 else []
    found: Shapes = OrderedDict()
    for key, shape in table("256").items():
        network = key.partition(".convs.")[0]
        if key == "D.stylegan2_D.final_linear.0.weight" and size == 768:
            found[key] = (512, 512 * 3 * 3)
        elif key.startswith(("D.", "Dpatch.")) and ".convs.0." not in key:
            found[key] = shape
        elif key.startswith(("D.", "Dpatch.")):
            width = shape[0] >> len(above[network])
            found[key] = (width, *shape[1:])
            for side in above[network] if key.endswith("bias") else []:
                found |= res_block(f"{network}.convs.{side}x{side}", width, 2 * width)
                width *= 2
    return found


def res_block(name: str, into: int, out: int) -> Shapes:
    return OrderedDict(
        {
            f"{name}.conv1.Conv.weight": (into, into, 3, 3),
            f"{name}.conv1.Act.bias": (into,),
            f"{name}.conv2.Blur.kernel": (4, 4),
            f"{name}.conv2.Conv.weight": (out, into, 3, 3),
            f"{name}.conv2.Act.bias": (out,),
            f"{name}.skip.Blur.kernel": (4, 4),
            f"{name}.skip.Conv.weight": (out, into, 1, 1),
        }
    )


# ── what every row's file is made of ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_the_published_keys_and_shapes_in_the_published_order(row: str) -> None:
    ours, theirs = shapes_of(architecture_of(row)), published(row)
    if "1024" in row:  # of which the table leaves out what can be computed
        judged = {key for key in ours if key.startswith("D")}
        ours = OrderedDict(item for item in ours.items() if item[0] in theirs or item[0] in judged)
    assert list(ours.items()) == list(theirs.items())


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_recognised_by_its_shapes(row: str) -> None:
    whole = architecture_of(row)
    layout = published_layout(whole)
    assert infer(layout) == whole
    only = {key: tensor for key, tensor in layout.items() if key.startswith(("E.", "G."))}
    assert infer(only) == Architecture(whole.model)


def test_the_older_ffhq1024_file_differs_from_the_table_where_it_must() -> None:
    row = architecture_of("ffhq1024_pretrained")
    older = replace(row.model, encoder_capacity=1.0, encoder_widths=OLDER)
    ours, theirs = shapes_of(Architecture(older)), table("ffhq1024")
    changed = {key: ours[key] for key, shape in theirs.items() if ours[key] != shape}
    assert changed == {
        "E.DownToGlobalCode.ConvLayerDownBy64.Conv.weight": (1638, 819, 3, 3),
        "E.DownToGlobalCode.ConvLayerDownBy64.Act.bias": (1638,),
        "E.ToGlobalCode.0.weight": (1536, 1638),
    }
    found = infer(published_layout(Architecture(older, row.discriminator, row.patch_discriminator)))
    assert found == Architecture(older, row.discriminator, row.patch_discriminator)


# ── there and back, with fewer channels ──────────────────────────────────────────────────────────


def narrow(row: str) -> Architecture:
    """A row's architecture with few channels: as many blocks, the same places of skips and filters."""
    whole = architecture_of(row)
    assert whole.discriminator is not None
    assert whole.patch_discriminator is not None
    ups = tuple(width // 50 for width in generator_widths_of(whole.model))
    model = small_model(
        whole.model.structure_downsamplings,
        whole.model.structure_channels,
        encoder_steepness=whole.model.encoder_steepness,
        generator_widths=ups,
        head_widths=(3, ups[0]),
    )
    judge = DiscriminatorConfig(whole.discriminator.image_size, capacity=0.1, max_channels=6)
    patch = PatchDiscriminatorConfig(
        whole.patch_discriminator.patch_size, capacity=0.3, max_channels=6, head_widths=(8, 6, 5)
    )
    return Architecture(model, judge, patch)


def generator_widths_of(model: ModelConfig) -> tuple[int, ...]:
    layout = shapes_of(Architecture(model))
    keys = [
        f"G.UpsamplingResBlock{2 ** (4 + i)}.conv2.activate.bias"
        for i in range(model.structure_downsamplings)
    ]
    return tuple(layout[key][0] for key in keys)


def test_rows_differ_in_their_networks_as_the_published_ones_do() -> None:
    alike = {row: [one for one in ROWS if architecture_of(one) == architecture_of(row)] for row in KINDS}
    assert {row: len(rows) for row, rows in alike.items()} == KINDS
    assert sum(KINDS.values()) == len(ROWS)


@pytest.mark.parametrize("row", [*KINDS, "afhq_pretrained"])
def test_a_row_goes_there_and_back_byte_by_byte(row: str, tmp_path: Path) -> None:
    architecture = narrow(row)
    if row == "afhq_pretrained":  # whose archive is too small for more than these
        architecture = Architecture(architecture.model)
    before = random_checkpoint(architecture)
    before[STEPS] = torch.tensor([391])
    torch.save(before, tmp_path / f"{row}.pth")
    convert_official(tmp_path / f"{row}.pth", tmp_path / "ours")
    export_official(tmp_path / "ours", tmp_path / "back.pth")
    after = torch.load(tmp_path / "back.pth", weights_only=True)
    if row == "afhq_pretrained":  # there is no discriminator whose steps could be kept
        before[STEPS] = torch.tensor([0])
    assert list(after) == list(before)
    for key, tensor in before.items():
        assert after[key].numpy().tobytes() == tensor.numpy().tobytes(), key
    wide = [key for key in shapes_of(architecture_of(row)) if key.startswith(("E.", "G."))]
    assert [key for key in after if key.startswith(("E.", "G."))] == wide
