"""Published checkpoints (a flat `.pth` dictionary, model-spec §8) to our folder format, and back again.

Nothing is guessed and nothing is padded: a file fits to the last tensor, or a report says what does not.
"""

import hashlib
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import torch
from torch import Tensor, nn

from swapae import box, sharing
from swapae import config as configs
from swapae.convert.official_file import read_official, write_official
from swapae.convert.official_names import STEPS, Architecture, Fir, names
from swapae.convert.official_shapes import infer
from swapae.errors import UserError
from swapae.locate import find_weights
from swapae.model import CONFIG_FILE, WEIGHTS_FILE, SwappingAutoencoder
from swapae.networks import (
    Discriminator,
    DiscriminatorConfig,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
)
from swapae.ops import make_kernel
from swapae.weights import listed, load_tensors, misfits, report, save_tensors

NOTICE = (
    "Checkpoints published with the Swapping Autoencoder are under the Adobe Research License: "
    "use them, and what is converted from them, for non-commercial research only."
)
DISCRIMINATORS_FILE = "discriminators.safetensors"
DISCRIMINATORS_FORMAT = "swapae.discriminators/1"
LICENSE = "Adobe Research License"
OUR_FILES = {CONFIG_FILE, WEIGHTS_FILE, DISCRIMINATORS_FILE, box.CARD, box.CARD_PAGE}
STRAY = ".noise.fixed_noise"  # left in a file that was saved again after noise had been fixed


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion found and wrote.

    Attributes:
        folder: where our format is.
        architecture: as told from the shapes.
        num_parameters: by network.
        notes: sentences about whatever was not plain.
    """

    folder: Path
    architecture: Architecture
    num_parameters: dict[str, int]
    notes: tuple[str, ...] = ()


# ---- published → ours


def convert_official(
    src: str | Path, dst: str | Path, *, use_noise: bool = True, force: bool = False
) -> ConversionReport:
    """Convert a published checkpoint to a folder of ours.

    It has `config.json`, `model.safetensors`, a model card with the licence notice, and
    `discriminators.safetensors` if the file has any.

    Args:
        src: the `.pth` file.
        dst: folder to make; it appears whole or not at all.
        use_noise: whether the model was trained with noise in its upsampling blocks; no shape tells.
        force: replace a model that is in `dst`.

    Raises:
        UserError: with all that does not fit.
    """
    src, dst = Path(src), Path(dst)
    _check_target(dst, force)
    weights, architecture, strays, num_steps = checked(read_official(src), src, use_noise=use_noise)
    ours = {our: weights[key].float() for key, our in names(architecture) if isinstance(our, str)}
    with _folder_beside(dst, force) as folder:
        _save(folder, architecture, ours, num_steps)
        sharing.put_card(folder, _card(src), name=dst.absolute().name)
    return ConversionReport(
        dst,
        architecture,
        _parameters_by_network(ours),
        tuple(_notes(weights, architecture, strays, num_steps)),
    )


def checked(
    tensors: Mapping[str, Tensor], path: Path, *, use_noise: bool = True
) -> tuple[dict[str, Tensor], Architecture, list[str], int]:
    """Hold the tensors of a published checkpoint to the layout that they tell.

    Args:
        tensors: by published keys.
        path: of what they were read from, for messages.
        use_noise: as for `convert_official`.

    Returns:
        the weights, their architecture, keys that were left out, and the counter of discriminator steps.

    Raises:
        UserError: with all that does not fit.
    """
    strays = [key for key in tensors if key.endswith(STRAY)]
    weights = {key: tensor for key, tensor in tensors.items() if key not in strays}
    num_steps = _num_steps(weights.pop(STEPS, None), path)
    try:
        architecture = infer(weights, use_noise=use_noise)
        wanted = published_layout(architecture)
    except UserError as error:
        raise UserError(f"{path} does not fit the published layout: {error}") from error
    except (RuntimeError, TypeError, ArithmeticError, MemoryError) as error:  # sizes that torch cannot count
        raise UserError(f"{path} does not fit the published layout: its shapes make no network.") from error
    _check(weights, wanted, path)
    return weights, architecture, strays, num_steps


def _num_steps(tensor: Tensor | None, path: Path) -> int:
    """Read the counter of discriminator steps; files without a discriminator may lack it."""
    if tensor is None:
        return 0
    if tensor.numel() != 1 or tensor.is_floating_point() or tensor.is_complex():
        raise UserError(
            f"{STEPS} in {path} must be one whole number, not {tensor.dtype} {list(tensor.shape)}."
        )
    return int(tensor.item())


def _check(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    """Hold names, shapes, filters and numbers to those of the layout."""
    lines = misfits(wanted, weights)
    if not lines:
        filters = [key for key, tensor in wanted.items() if not tensor.is_meta]
        wrong = [key for key in filters if not torch.allclose(weights[key].float(), wanted[key], atol=1e-6)]
        endless = [key for key, tensor in weights.items() if not torch.isfinite(tensor).all()]
        lines += [f"wrong filter, {len(wrong)} of {len(filters)}: {listed(wrong)}"] if wrong else []
        lines += (
            [f"infinite or no number, {len(endless)} of {len(weights)}: {listed(endless)}"] if endless else []
        )
    if lines:
        raise UserError(report(f"{path} does not fit the published layout", lines))


def published_layout(architecture: Architecture) -> dict[str, Tensor]:
    """Give every published key but the counter, in file order: filters as they are, weights on "meta"."""
    shapes = _our_layout(architecture)
    return {
        key: make_kernel(our.taps) * our.gain if isinstance(our, Fir) else shapes[our]
        for key, our in names(architecture)
    }


def _our_layout(architecture: Architecture) -> dict[str, Tensor]:
    """Give our keys, with tensors that have a shape and no values."""
    with torch.device("meta"):
        networks = nn.ModuleDict(_discriminators(architecture))
        return {**SwappingAutoencoder(architecture.model).state_dict(), **networks.state_dict()}


def _discriminators(architecture: Architecture) -> dict[str, nn.Module]:
    networks: dict[str, nn.Module] = {}
    if architecture.discriminator is not None:
        networks["discriminator"] = Discriminator(architecture.discriminator)
    if architecture.patch_discriminator is not None:
        networks["patch_discriminator"] = PatchDiscriminator(architecture.patch_discriminator)
    return networks


def _save(folder: Path, architecture: Architecture, ours: Mapping[str, Tensor], num_steps: int) -> None:
    """Write the model as itself, and the discriminators with their configs into a file of their own."""
    with torch.device("meta"):
        model = SwappingAutoencoder(architecture.model)
    model.load_state_dict({name: ours[name] for name in model.state_dict()}, assign=True)
    model.save_pretrained(folder, card=False)

    judges = {
        "discriminator": architecture.discriminator,
        "patch_discriminator": architecture.patch_discriminator,
    }
    present = {
        name: json.dumps(configs.to_dict(config)) for name, config in judges.items() if config is not None
    }
    if present:
        save_tensors(
            folder / DISCRIMINATORS_FILE,
            {name: tensor for name, tensor in ours.items() if name.split(".")[0] in present},
            {"format": DISCRIMINATORS_FORMAT, STEPS: str(num_steps), **present},
        )


def _card(src: Path) -> dict[str, object]:
    """What there is to know of what was converted; the notice goes on into every card made of this one."""
    with open(src, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    origin = {"converted": {"file": src.name, "sha256": digest}}
    return {"license": LICENSE, "notice": NOTICE, "origin": origin}


def _parameters_by_network(ours: Mapping[str, Tensor]) -> dict[str, int]:
    networks = dict.fromkeys(name.split(".")[0] for name in ours)
    return {
        network: sum(tensor.numel() for name, tensor in ours.items() if name.split(".")[0] == network)
        for network in networks
    }


def _notes(
    weights: Mapping[str, Tensor], architecture: Architecture, strays: list[str], num_steps: int
) -> Iterator[str]:
    absent = [
        name
        for name, config in (
            ("image discriminator", architecture.discriminator),
            ("patch discriminator", architecture.patch_discriminator),
        )
        if config is None
    ]
    if absent:
        yield f"the file has no {' and no '.join(absent)}"
    if strays:
        yield f"left out {len(strays)} stored noise maps, which are no weights: {listed(strays)}"
    kinds = {str(tensor.dtype).removeprefix("torch.") for tensor in weights.values()} - {"float32"}
    if kinds:
        yield f"converted from {' and '.join(sorted(kinds))} to float32"
    if num_steps:
        yield f"the discriminators had made {num_steps} steps"
    if not architecture.model.use_noise:
        yield "noise is off in the upsampling blocks, as asked"


# ---- ours → published


def export_official(model: str | Path, path: str | Path, *, force: bool = False) -> Architecture:
    """Write a model as a published checkpoint: the same keys in the same order, filters computed again.

    Args:
        model: a folder of ours, a run directory, a name in the box or a hub id; discriminators are
            taken along where `discriminators.safetensors` lies beside the weights.
        path: the `.pth` file to write; it appears whole or not at all.
        force: replace an existing file.

    Raises:
        UserError: the model cannot be read, or the file exists.
    """
    path = Path(path)
    if path.exists() and not force:
        raise UserError(f"{path} exists already; give another name, or --force to overwrite it.")
    autoencoder = SwappingAutoencoder.from_pretrained(model, device="cpu")
    if autoencoder.config.structure_blocks:
        raise UserError(
            f"{model} has structure_blocks={autoencoder.config.structure_blocks}, which the published layout "
            "has no place for: only models with 0 can be exported to it."
        )
    ours = dict(autoencoder.state_dict())
    judges = find_weights(model, WEIGHTS_FILE).parent / DISCRIMINATORS_FILE
    architecture, num_steps = Architecture(autoencoder.config), 0
    if judges.is_file():
        tensors, metadata = load_tensors(judges)
        architecture, num_steps = _with_discriminators(architecture, metadata, judges)
        ours.update(tensors)
    lines = misfits(_our_layout(architecture), ours)
    if lines:
        raise UserError(report(f"{judges} is damaged", lines))

    published = OrderedDict({STEPS: torch.tensor([num_steps])})
    for key, our in names(architecture):
        published[key] = make_kernel(our.taps) * our.gain if isinstance(our, Fir) else ours[our]
    write_official(published, path)
    return architecture


def _with_discriminators(
    architecture: Architecture, metadata: Mapping[str, str], path: Path
) -> tuple[Architecture, int]:
    """Read the discriminators' configs, and their number of steps, off a file's metadata."""
    if metadata.get("format") != DISCRIMINATORS_FORMAT:
        raise UserError(f"{path} holds no discriminators of this program ({DISCRIMINATORS_FORMAT}).")
    try:
        data = {name: json.loads(text) for name, text in metadata.items() if name not in ("format", STEPS)}
        num_steps = int(torch.tensor(int(metadata[STEPS])))  # as it is written: 64 bits
    except (KeyError, ValueError, OverflowError, RuntimeError) as error:  # RecursionError is a RuntimeError
        raise UserError(f"{path} is damaged: its metadata cannot be read.") from error
    image, patch = data.get("discriminator"), data.get("patch_discriminator")
    return (
        Architecture(
            architecture.model,
            None if image is None else configs.from_dict(DiscriminatorConfig, image),
            None if patch is None else configs.from_dict(PatchDiscriminatorConfig, patch),
        ),
        num_steps,
    )


# ---- a folder that appears whole


def _check_target(folder: Path, force: bool) -> None:
    """Refuse a target that is taken; `force` replaces a model, and nothing but a model."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"{folder} is a file; give the name of a folder.")
    inside = {entry.name for entry in folder.iterdir()}
    if inside and not force:
        raise UserError(f"{folder} exists already; give another name, or --force to replace the model in it.")
    if not inside <= OUR_FILES:
        others = listed(sorted(inside - OUR_FILES))
        raise UserError(f"{folder} holds other files than a model's ({others}); give another name.")


@contextmanager
def _folder_beside(folder: Path, force: bool) -> Iterator[Path]:
    """Make a folder next to the target, and put it in the target's place once it is complete."""
    folder = folder.absolute()
    beside = folder.with_name(f".swapae-{uuid4().hex}.tmp")
    try:
        beside.mkdir(parents=True)
        yield beside
        _check_target(folder, force)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(beside, folder)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
