"""Which device to compute on."""

import torch

from swapae.errors import UserError


def choose_device(name: str | torch.device = "auto") -> torch.device:
    """Take the device asked for, or the best there is: CUDA, then Apple's MPS, then the CPU.

    Args:
        name: "auto", "cpu", "cuda", "mps", or whatever else torch calls a device, "cuda:1" say.

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
    try:
        torch.zeros(1, device=device).item()  # a device may have a name and not be there
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"the device '{name}' was not found here; use --device auto or cpu.") from error
    return device
