"""The folder that `swapae export --onnx` writes: two graphs, and a config that says what they are.

    config.json       format, version, shape of the model, and of each graph its file and SHA-256
    encoder.onnx      images [B, 3, H, W] → structure [B, Cs, h, w], texture [B, Ct]
    generator.onnx    structure [B, Cs, h, w], texture [B, Ct, h', w'] → images [B, 3, H, W]
    README.md         the card

`docs/onnx.md` describes each, for whoever reads it in another language.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swapae import config as configs
from swapae.export.onnx_graphs import encoder_graph, generator_graph
from swapae.files import write_bytes, write_text
from swapae.networks import Encoder, Generator, ModelConfig

if TYPE_CHECKING:
    from onnx import ModelProto

FORMAT = "swapae.onnx/1"
CONFIG, ENCODER, GENERATOR, CARD = "config.json", "encoder.onnx", "generator.onnx", "README.md"
OUR_FILES = frozenset({CONFIG, ENCODER, GENERATOR, CARD})


@dataclass(frozen=True)
class Source:
    """What is known of a model beside its weights."""

    name: str  # as the user gave it
    version: str  # of the program that exports
    image_size: int | None = None  # side of the images it was trained on


def write_folder(
    folder: Path, encoder: Encoder, generator: Generator, config: ModelConfig, source: Source
) -> dict[str, Any]:
    """Write graphs, config and card into an empty folder, and return what the config says.

    Raises:
        UserError: onnx is not installed, or the folder cannot be written.
    """
    graphs = {
        "encoder": _written(folder / ENCODER, encoder_graph(encoder)),
        "generator": _written(folder / GENERATOR, generator_graph(generator)),
    }
    described = describe(config, generator, source) | graphs
    write_text(folder / CONFIG, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / CARD, card(source))
    return described


def describe(config: ModelConfig, generator: Generator, source: Source) -> dict[str, Any]:
    """Say in plain data what a reader of the graphs must know."""
    return {
        "format": FORMAT,
        "swapae": source.version,
        "model": configs.to_dict(config),
        "image_size": source.image_size,
        "stride": config.stride,
        "min_side": config.min_side,
        "precision": "float32",
        "noise": [shape[2] for shape in generator.noise_shapes(1, 1)],
    }


def card(source: Source) -> str:
    """Write the card."""
    return f"# {source.name}, for ONNX Runtime\n\nWritten by `swapae export` of swapae {source.version}.\n"


def _written(path: Path, model: ModelProto) -> dict[str, str]:
    data = model.SerializeToString()
    write_bytes(path, data)
    return {"file": path.name, "sha256": sha256(data).hexdigest()}
