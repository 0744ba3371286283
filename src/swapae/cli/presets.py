"""`swapae presets`: the named configurations."""

from functools import cache
from typing import TYPE_CHECKING

from swapae.cli.common import CommonOptions, Report

if TYPE_CHECKING:
    from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig
    from swapae.training.config import TrainConfig

HEADINGS = ("preset", "images", "codes", "model", "all", "batch", "GPUs", "for")


def presets(*, common: CommonOptions) -> Report:
    """List the presets of train.

    By column: the size of the images; structure and texture code; millions of parameters of the model
    (encoder and generator) and of all that is trained; images a step; GPUs of the published run.
    """
    from swapae.presets import PRESETS, PUBLISHED_GPUS

    lines = {name: (preset.__doc__ or "").strip().split("\n")[0] for name, preset in PRESETS.items()}
    details = {name: details_of(preset()) for name, preset in PRESETS.items()}
    for name, gpus in PUBLISHED_GPUS.items():
        details[name]["gpus"] = gpus
    for line in table([HEADINGS, *(row(name, details[name], lines[name]) for name in PRESETS)]):
        common.show(line)
    return {"presets": lines, "details": details}


def details_of(config: "TrainConfig") -> Report:
    """Sizes of a run: images, codes, parameters, batch."""
    size, model = config.discriminator.image_size, config.model
    return {
        "image_size": size,
        "load_size": config.data.load_size,
        "structure": [model.structure_channels, size // model.stride, size // model.stride],
        "texture": model.texture_channels,
        "parameters": parameters_of(model, config.discriminator, config.patch_discriminator),
        "batch_size": config.batch_size,
        "gpus": None,
    }


@cache
def parameters_of(
    model: "ModelConfig", discriminator: "DiscriminatorConfig", patches: "PatchDiscriminatorConfig"
) -> dict[str, int]:
    """Count the parameters of the four networks, which are made without numbers in them."""
    from swapae.networks import Discriminator, Encoder, Generator, PatchDiscriminator
    from swapae.weights import NothingDrawn

    with NothingDrawn():
        networks = {
            "encoder": Encoder(model.encoder()),
            "generator": Generator(model.generator()),
            "discriminator": Discriminator(discriminator),
            "patch_discriminator": PatchDiscriminator(patches),
        }
    return {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}


def row(name: str, details: Report, line: str) -> tuple[str, ...]:
    """The words of a preset's line."""
    size, load, parameters = details["image_size"], details["load_size"], details["parameters"]
    structure = details["structure"]
    assert isinstance(parameters, dict)
    assert isinstance(structure, list)
    model = parameters["encoder"] + parameters["generator"]
    return (
        name,
        f"{size}²" if size == load else f"{size}² of {load}²",
        f"{'×'.join(map(str, structure))}, {details['texture']}",
        f"{model / 1e6:.1f}",
        f"{sum(parameters.values()) / 1e6:.1f}",
        str(details["batch_size"]),
        str(details["gpus"] or ""),
        line,
    )


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows with their columns below each other; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = range(HEADINGS.index("model"), HEADINGS.index("for"))
    lines = (
        "  ".join(
            word.rjust(width) if i in numbers else word.ljust(width)
            for i, (word, width) in enumerate(zip(words, widths, strict=True))
        )
        for words in rows
    )
    return [line.rstrip() for line in lines]
