"""What fewer bits do to pictures: examples by which ranges are found, and others by which it is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from swapae.codes import Codes
from swapae.export.check import Reference
from swapae.export.folder import CARD
from swapae.export.precision import Feed
from swapae.files import write_text
from swapae.networks import Generator, random_noise
from swapae_onnx.codes import Codes as Arrays
from swapae_onnx.folder import CONFIG
from swapae_onnx.model import SwappingAutoencoder as Runtime

Perceptual = Callable[[Tensor, Tensor], Tensor]  # distances of pairs of images `[B, 3, H, W]` in [-1, 1]
FEWEST = 4  # pictures: half of them find the ranges, by the others the error is measured
NEIGHBOURS = (1, 3)  # whose textures a picture takes, counted in the list: an own one says little
LINES = {"max": "{:.3f}", "mean": "{:.4f}", "psnr": "{:.1f} dB", "lpips": "{:.4f}"}


def feeds_of(pictures: Sequence[Tensor], model: Reference, generator: Generator) -> dict[str, list[Feed]]:
    """Give inputs of each graph, of pictures `[1, 3, H, W]` that need no padding and of hybrids of them."""
    codes = [model.encode(picture) for picture in pictures]
    hybrids: list[Feed] = [
        {"structure": one.structure.numpy(), "texture": other.texture.numpy()[:, :, None, None]}
        for one, other in _pairs(codes)
    ]
    noisy: list[Feed] = [
        {**feed, **_noise(generator, feed["structure"].shape, seed)} for seed, feed in enumerate(hybrids)
    ]
    images: list[Feed] = [{"images": picture.numpy()} for picture in pictures]
    return {"encoder": images, "generator": hybrids, "noisy_generator": noisy}


def measured(
    folder: Path, model: Reference, pictures: Sequence[Tensor], perceptual: Perceptual | None
) -> dict[str, Any]:
    """Compare hybrids of pictures by a folder with those by PyTorch in float32.

    Returns:
        hybrids: how many; of pixels in [-1, 1] the greatest (max) and the mean absolute difference (mean);
        psnr in dB, of all their mean squares; lpips, None where it is not to be had.
    """
    runtime = Runtime.from_pretrained(folder, threads=torch.get_num_threads())
    ours = [runtime.encode(picture.numpy()) for picture in pictures]
    theirs = [model.encode(picture) for picture in pictures]
    found, expected = [], []
    for (one, other), (true, source) in zip(_pairs(ours), _pairs(theirs), strict=True):
        image = runtime.decode(Arrays(one.structure, other.texture, one.size))
        found.append(torch.from_numpy(image).clamp(-1, 1))
        expected.append(model.decode(Codes(true.structure, source.texture, true.size), None).clamp(-1, 1))
    apart = [(image - true).abs().double() for image, true in zip(found, expected, strict=True)]
    square = sum(float((one**2).mean()) for one in apart) / len(apart)
    return {
        "hybrids": len(apart),
        "max": max(float(one.max()) for one in apart),
        "mean": sum(float(one.mean()) for one in apart) / len(apart),
        "psnr": float(10 * np.log10(4 / max(square, 1e-12))),
        "lpips": None if perceptual is None else _mean(perceptual, found, expected),
    }


def write_error(folder: Path, config: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, Any]:
    """Write a measured error into config and card of a folder; gives the config."""
    told = {**config, "error": dict(error)}
    write_text(folder / CONFIG, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    card = (folder / CARD).read_text(encoding="utf-8")
    write_text(folder / CARD, f"{card}\n{in_words(config['precision'], error)}")
    return told


def in_words(precision: str, error: Mapping[str, Any]) -> str:
    """Tell of a precision and its error, as Markdown."""
    what = {
        "float16-weights": "Weights are stored as float16 and computed with as float32.",
        "int8": "Most convolutions are computed with 8-bit numbers, other weights stored as float16.",
    }[precision]
    rows = "\n".join(f"| {name} | {spelled(name, error)} |" for name in LINES)
    return (
        f"## Precision: {precision}\n\n{what} Beside float32, over {error['hybrids']} hybrids of "
        f"{error['of']}, pixels in [-1, 1]:\n\n| difference | |\n|---|---|\n{rows}\n"
    )


def spelled(name: str, error: Mapping[str, Any]) -> str:
    """Spell a figure of an error."""
    return "not measured" if error[name] is None else LINES[name].format(error[name])


def _pairs(codes: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pair each with others of the list, by place."""
    places = range(len(codes))
    return [(codes[i], codes[(i + by) % len(codes)]) for by in NEIGHBOURS for i in places]


def _noise(generator: Generator, shape: Sequence[int], seed: int) -> Feed:
    draw = torch.Generator().manual_seed(seed)
    maps = random_noise(generator.noise_shapes(shape[2], shape[3]), draw)
    return {f"noise_{i}": one.numpy() for i, one in enumerate(maps)}


def _mean(perceptual: Perceptual, found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    with torch.no_grad():
        return float(np.mean([float(perceptual(a, b).mean()) for a, b in zip(found, expected, strict=True)]))
