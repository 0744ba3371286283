"""The folder that `swapae export --onnx` writes: graphs, and a config that says what they are.

    config.json           format, version, shape of the model, and of each graph its file and SHA-256
    encoder.onnx          images [B, 3, H, W] → structure [B, Cs, h, w], texture [B, Ct]
    generator.onnx        structure [B, Cs, h, w], texture [B, Ct, h', w'] → images [B, 3, H, W]
    generator_noise.onnx  the same with noise maps as further inputs; its weights lie in generator.onnx
    README.md             what it is and how to use it; MODEL.md: the model's own card, where it has one

`swapae_onnx` reads it; `docs/onnx.md` describes it for whoever does so in another language.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from swapae import config as configs
from swapae.export.onnx_card import Source, onnx_card, without_pictures
from swapae.export.onnx_graphs import encoder_graph, generator_graph
from swapae.export.precision import Precision, PrecisionName
from swapae.export.shared_weights import share_weights
from swapae.files import write_bytes, write_text
from swapae.networks import Encoder, Generator, ModelConfig
from swapae_onnx.folder import CONFIG, FORMAT

ENCODER, GENERATOR, NOISY = "encoder.onnx", "generator.onnx", "generator_noise.onnx"
CARD, OWN_CARD = "README.md", "MODEL.md"
WHOLE = Precision()
OUR_FILES = frozenset({CONFIG, ENCODER, GENERATOR, NOISY, CARD, OWN_CARD})


def write_folder(
    folder: Path,
    encoder: Encoder,
    generator: Generator,
    config: ModelConfig,
    source: Source,
    precision: Precision = WHOLE,
) -> dict[str, Any]:
    """Write graphs, config and cards into an empty folder, and return what the config says.

    Raises:
        UserError: onnx is not installed, or the folder cannot be written.
    """
    silent = precision.of("generator", generator_graph(generator)).SerializeToString()
    noisy = precision.of("noisy_generator", generator_graph(generator, noise=True))
    share_weights(noisy, silent, GENERATOR)
    images = precision.of("encoder", encoder_graph(encoder)).SerializeToString()
    described = describe(config, generator, source, precision.name) | {
        "encoder": _written(folder / ENCODER, images),
        "generator": _written(folder / GENERATOR, silent),
        "noisy_generator": _written(folder / NOISY, noisy.SerializeToString()),
    }
    write_text(folder / CONFIG, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / CARD, onnx_card(source))
    if source.card:
        write_text(folder / OWN_CARD, without_pictures(source.card))
    return described


def describe(
    config: ModelConfig, generator: Generator, source: Source, precision: PrecisionName = "float32"
) -> dict[str, Any]:
    """Say in plain data what a reader of the graphs must know."""
    return {
        "format": FORMAT,
        "swapae": source.version,
        "model": configs.to_dict(config),
        "image_size": source.image_size,
        "stride": config.stride,
        "min_side": config.min_side,
        "precision": precision,
        "noise": [shape[2] for shape in generator.noise_shapes(1, 1)],
    }


def _written(path: Path, data: bytes) -> dict[str, str]:
    write_bytes(path, data)
    return {"file": path.name, "sha256": sha256(data).hexdigest()}
