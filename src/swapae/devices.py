"""Which device to compute on."""

import torch

from swapae.errors import UserError


def choose_device(name: str = "auto") -> torch.device:
    """Take the device asked for, or the best there is: CUDA, then Apple's MPS, then the CPU.

    Raises:
        UserError: when the device asked for is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"there is no device called '{name}'; use auto, cpu, cuda or mps.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError("no CUDA device was found; use --device auto or cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("no MPS device was found; use --device auto or cpu.")
    return device
