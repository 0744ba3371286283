"""The `.pth` file of a published checkpoint: read without running it, written whole or not at all."""

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from swapae.errors import UserError
from swapae.files import written_whole
from swapae.weights import listed, refuse_programs

OTHERS = " Those of rosinality's implementation cannot be converted: its networks compute something else."
SOUND = (2, 10)  # CVE-2025-32434 was mended in 2.6, CVE-2026-24747 in 2.10


def read_official(path: str | Path) -> dict[str, Tensor]:
    """Read a flat dictionary of tensors, and refuse anything that could run code (`weights_only`).

    Raises:
        UserError: the file is missing, damaged, or holds something else than tensors.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {what}; name a published checkpoint, a .pth file.")
    _check_reader(path)
    refuse_programs(path, "A published checkpoint holds tensors only.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about kinds of tensors that are refused below
            data = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        found = re.search(r"(?:GLOBAL |class |module )([\w.]+)", str(error))
        if found is None:
            raise UserError(f"{path} is damaged or no PyTorch checkpoint.") from error
        raise UserError(
            f"{path} asks for {found[1]} besides tensors and was not read: such a file can run code. "
            "A published checkpoint holds tensors only."
            + (OTHERS if found[1] == "argparse.Namespace" else "")
        ) from error
    except Exception as error:  # the readers of zip and pickle fail in many ways on a damaged file
        raise UserError(f"{path} is damaged or no PyTorch checkpoint ({type(error).__name__}).") from error
    return _flat(data, path)


def _check_reader(path: Path) -> None:
    """Refuse a torch whose reader of weights alone can be fooled."""
    version = torch.__version__.partition("+")[0]
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < SOUND:
        least = ".".join(map(str, SOUND))
        raise UserError(
            f"{path} was not read: that needs PyTorch {least} or newer, not {version}, whose reader of "
            "checkpoints can be made to run code (CVE-2026-24747)."
        )


def _flat(data: object, path: Path) -> dict[str, Tensor]:
    """Check that this is a dictionary from names to plain tensors."""
    if not isinstance(data, Mapping) or not data:
        raise UserError(
            f"{path} holds no dictionary of tensors ({type(data).__name__}); no published checkpoint."
        )
    others = [f"{key} ({type(value).__name__})" for key, value in data.items() if not _is_plain(key, value)]
    if others:
        raise UserError(
            f"{path} holds more than plain tensors: {listed(others)}. A published checkpoint is one flat "
            "dictionary from names to tensors." + (OTHERS if {"e", "g", "cooccur"} <= data.keys() else "")
        )
    if all(key.startswith("module.") for key in data):
        raise UserError(
            f"all names in {path} begin with 'module.', as those of a wrapped model do; published "
            "checkpoints have none. Take the prefix off and save it again."
        )
    return {key: tensor.detach() for key, tensor in data.items()}


def _is_plain(key: object, value: object) -> bool:
    """Whether this is a name and numbers; a tensor of the kinds "meta" or quantized has none to copy."""
    if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
        return False
    return not value.is_meta and not value.is_quantized


def write_official(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a dictionary of tensors as `torch.save` does; the file appears whole or not at all."""
    with written_whole(path) as beside, open(beside, "wb") as file:
        torch.save(tensors, file)
