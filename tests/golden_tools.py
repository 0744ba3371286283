"""The golden values of `tests/golden/` beside ours: every figure with its error and its tolerance.

The rules by which weights and noise are made, and the tolerances, are those of `tests/golden/README.md`.
"""

import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from swapae.codes import Codes
from swapae.convert.official_names import STEPS, Architecture, names
from swapae.convert.official_shapes import infer
from swapae.networks import Discriminator, Encoder, Generator, PatchDiscriminator
from swapae.training.making import reconstruct_and_mix, swapped
from swapae.training.objective import (
    LossConfig,
    Networks,
    discriminator_terms,
    generator_terms,
    r1_terms,
    total,
)

GOLDEN = Path(__file__).parent / "golden"
SHARED = Path(__file__).parents[2] / "shared" / "golden"  # beside the checkout, for what is too large for it
MODELS = ("model_tiny128", "model_tiny64_no_antialias", "model_sp3_96x64")
FULL_WIDTH = "model_church256"

IMAGES = ("rec", "mix", "rec_no_noise", "mix_no_noise", "half_texture")
CROPS = ("d_ref", "d_target", "d_fake", "r1_ref", "r1_target", "g_ref", "g_fake")
OUR_TERMS = {
    "D_real": ["D_real"],
    "D_rec": ["D_reconstruction"],
    "D_mix": ["D_hybrid"],
    "PatchD_real": ["patch_D_real"],
    "PatchD_mix": ["patch_D_hybrid"],
    "D_R1": ["D_r1", "patch_D_r1"],  # both penalties in one figure
    "G_L1": ["G_l1"],
    "G_GAN_rec": ["G_reconstruction"],
    "G_GAN_mix": ["G_hybrid"],
    "G_mix": ["patch_G_hybrid"],
}


class Figure(NamedTuple):
    """One golden value beside ours."""

    kind: str
    name: str
    error: float
    tolerance: float


# ---- made by rule


def published_checkpoint(name: str, has_judges: bool = True) -> "OrderedDict[str, Tensor]":
    """Make the checkpoint that a golden file was computed with, perhaps without discriminators."""
    layout = _description(name)["state_dict"]
    return OrderedDict(
        (key, _made(key, **entry))
        for key, entry in layout.items()
        if has_judges or not key.startswith(("D.", "Dpatch."))
    )


def _made(key: str, shape: list[int], dtype: str, kind: str) -> Tensor:
    if kind == "buffer":
        return torch.zeros(shape, dtype=torch.int64) if dtype == "int64" else _fir(key, len_taps=shape[0])
    n = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape).astype("float32")
    if key.endswith("noise.weight"):
        n = 0.1 * n
    elif len(shape) <= 1:
        n = 0.1 * n + (1 if key.endswith("modulation.bias") else 0)
    return torch.from_numpy(n.astype("float32"))


def _fir(key: str, len_taps: int) -> Tensor:
    taps = torch.tensor({1: [1.0], 3: [1.0, 2.0, 1.0], 4: [1.0, 3.0, 3.0, 1.0]}[len_taps])
    gain = 4 if key.startswith("G.") else 1
    return torch.outer(taps, taps) / taps.sum() ** 2 * gain


def _noise(key: str, shape: list[int]) -> Tensor:
    seed = zlib.crc32(("noise:" + key).encode())
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype("float32"))


# ---- models


@dataclass
class Golden:
    """A golden file, and our networks with its weights."""

    networks: Networks
    config: LossConfig
    our_names: dict[str, str]  # published key → `network.parameter`
    tensors: dict[str, Tensor]
    noise: list[Tensor]
    dtype: torch.dtype


def folder_of(name: str) -> Path:
    """Tell where a golden file lies."""
    return SHARED if name == FULL_WIDTH else GOLDEN


def golden(name: str, dtype: torch.dtype) -> Golden:
    """Load a golden file; weights, images, patches and noise are cast to `dtype`."""
    description = _description(name)
    tensors = load_file(folder_of(name) / f"{name}.safetensors")
    weights = published_checkpoint(name, has_judges="D_real" in tensors)
    del weights[STEPS]
    architecture = infer(weights)
    our_names = {key: our for key, our in names(architecture) if isinstance(our, str)}
    networks = _networks(architecture, {our: weights[key].to(dtype) for key, our in our_names.items()})
    noise = [_noise(key, shape).to(dtype) for key, shape in description["noise"].items()]
    return Golden(networks, _loss_config(description["options"]), our_names, tensors, noise, dtype)


def _description(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder_of(name) / f"{name}.json").read_text())
    return data


def _networks(architecture: Architecture, weights: dict[str, Tensor]) -> Networks:
    modules = {
        "encoder": Encoder(architecture.model.encoder()),
        "generator": Generator(architecture.model.generator()),
    }
    if architecture.discriminator is not None:
        modules["discriminator"] = Discriminator(architecture.discriminator)
        modules["patch_discriminator"] = PatchDiscriminator(architecture.patch_discriminator)
    everything = nn.ModuleDict(modules)
    everything.to(next(iter(weights.values())).dtype).load_state_dict(weights)
    return Networks(**{"discriminator": None, "patch_discriminator": None, **modules})


def _loss_config(options: dict[str, Any]) -> LossConfig:
    return LossConfig(
        l1=options["lambda_L1"],
        gan=options["lambda_GAN"],
        patch=options["lambda_PatchGAN"],
        r1=options["lambda_R1"],
        patch_r1=options["lambda_patch_R1"],
        num_patches=options["patch_num_crops"],
        use_aggregation=options["patch_use_aggregation"],
    )


# ---- figures


@cache
def figures(name: str, dtype: torch.dtype, num_decoded: int | None = None) -> tuple[Figure, ...]:
    """Compute all that a golden file holds; `num_decoded` decodes only so many of its images."""
    case = golden(name, dtype)
    with torch.no_grad():
        found = [*_code_figures(case), *_image_figures(case, num_decoded)]
        if "D_real" in case.tensors:
            found += _judge_figures(case)
    if "loss.D_real" in case.tensors:
        found += _loss_figures(case)
    return tuple(found)


def _code_figures(case: Golden) -> Iterator[Figure]:
    structure, texture = case.networks.encoder(case.tensors["x"].to(case.dtype))
    for key, ours in (("structure", structure), ("texture", texture)):
        yield Figure("codes", key, _distance(ours, case.tensors[key]), 3e-6)


def _image_figures(case: Golden, num: int | None) -> Iterator[Figure]:
    def decode(structure: Tensor, texture: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        return case.networks.generator(structure[:num], texture[:num], noise)

    structure, texture = (case.tensors[key].to(case.dtype) for key in ("structure", "texture"))
    ours = {
        "rec": decode(structure, texture, case.noise),
        "mix": decode(swapped(structure), texture, case.noise),
        "rec_no_noise": decode(structure, texture),
        "mix_no_noise": decode(swapped(structure), texture),
        "half_texture": decode(structure, 0.5 * texture + 0.5 * swapped(texture), case.noise),
    }
    for key in ours:
        theirs = case.tensors[key][:num]
        yield Figure("images", key, _distance(ours[key], theirs) / theirs.abs().max().item(), 5e-6)


def _judge_figures(case: Golden) -> Iterator[Figure]:
    """Logits of real images and features of the first patches, absolute as model-spec §16 asks."""
    patches = case.tensors["crops.d_ref"].to(case.dtype)
    features = case.networks.patch_discriminator.features(patches).flatten(0, 1)[:4]
    logits = case.networks.discriminator(case.tensors["x"].to(case.dtype))
    for key, ours in (("D_real", logits), ("patch_features", features)):
        yield Figure("logits, features", key, _distance(ours, case.tensors[key]), 5e-6)


def _loss_figures(case: Golden) -> Iterator[Figure]:
    networks, tensors = case.networks, case.tensors
    real = tensors["x"].to(case.dtype)
    patches = {key: tensors[f"crops.{key}"].to(case.dtype) for key in CROPS}
    structure, texture = networks.encoder(real)
    reconstruction, hybrid = reconstruct_and_mix(
        networks.generator, Codes(structure, texture, (real.shape[2], real.shape[3])), case.noise
    )
    generator = generator_terms(
        networks, case.config, real, reconstruction, hybrid, patches["g_ref"], patches["g_fake"]
    )
    discriminator = discriminator_terms(
        networks,
        case.config,
        real,
        reconstruction.detach(),
        hybrid.detach(),
        patches["d_ref"],
        patches["d_target"],
        patches["d_fake"],
    )
    penalty = r1_terms(networks, case.config, real, patches["r1_ref"], patches["r1_target"])

    terms = {**generator, **discriminator, **penalty}
    for key, parts in OUR_TERMS.items():
        ours = torch.stack([terms[part] for part in parts]).sum(0)
        theirs = tensors[f"loss.{key}"]
        yield _relative("losses", key, ours.mean() if theirs.numel() == 1 else ours, theirs, case.dtype)
    l1 = (reconstruction - real[: len(reconstruction)]).abs().mean()
    yield _relative("losses", "L1_dist", l1, tensors["metric.L1_dist"], case.dtype)

    for prefix, loss in (("ggradnorm.", generator), ("dgradnorm.", discriminator), ("r1gradnorm.", penalty)):
        yield from _gradient_figures(case, prefix, total(loss))


def _gradient_figures(case: Golden, prefix: str, loss: Tensor) -> Iterator[Figure]:
    """Compare the norm of every parameter's gradient."""
    parameters = {
        f"{network}.{name}": parameter
        for network, module in case.networks.named().items()
        for name, parameter in module.named_parameters()
    }
    norms = {key.removeprefix(prefix): norm for key, norm in case.tensors.items() if key.startswith(prefix)}
    ours = [parameters[case.our_names[key]] for key in norms]
    gradients = torch.autograd.grad(loss, ours, retain_graph=True, allow_unused=True)
    for (key, norm), gradient in zip(norms.items(), gradients, strict=True):
        found = torch.zeros(1) if gradient is None else gradient.norm()[None]
        yield _relative("gradient norms", prefix + key, found, norm, case.dtype)


def _relative(kind: str, key: str, ours: Tensor, theirs: Tensor, dtype: torch.dtype) -> Figure:
    """Measure relative to the golden value, absolutely where that is 0."""
    if dtype == torch.float64:
        tolerance = 1e-9
    else:
        tolerance = 1e-5 if kind == "losses" else 1e-3
    scale = theirs.double().abs()
    error = (ours.double().reshape(theirs.shape) - theirs.double()).abs()
    if scale.max() == 0:
        return Figure(kind + " of 0", key, error.max().item(), 1e-6)
    return Figure(kind, key, (error / scale).max().item(), tolerance)


def _distance(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return (ours.double() - theirs.double()).abs().max().item()
