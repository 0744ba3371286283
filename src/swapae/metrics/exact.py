"""Float64 for sums and statistics, on devices that have it and on those that have not."""

from torch import Tensor


def exact(numbers: Tensor) -> Tensor:
    """Give numbers in float64: where they are, or on the CPU if their device, Apple's MPS, knows none."""
    return numbers.cpu().double() if numbers.device.type == "mps" else numbers.double()
