"""How much memory there is for a training, on a device or in this process."""

import re
from pathlib import Path

import torch

UNLIMITED = 2**62
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def room(device: torch.device) -> int | None:
    """Give the bytes that a training in this process may take on a device, what it holds already included.

    None where the system does not tell.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device)
    available, held = status("MemAvailable", "/proc/meminfo"), resident()
    if device.type != "cpu" or available is None or held is None:
        return None
    return min(available + held, limit_of_address_space() + held, limit_of_group())


def resident() -> int | None:
    """Give the bytes that this process holds in memory; None where the system does not tell."""
    return status("VmRSS")


def status(name: str, file: str = "/proc/self/status") -> int | None:
    """Read a number of bytes off one of the system's tables."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(file).read_text(), re.MULTILINE)
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


def limit_of_address_space() -> int:
    """Give what `ulimit -v` leaves to this process."""
    try:
        import resource
    except ImportError:  # Windows
        return UNLIMITED
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return UNLIMITED if soft == resource.RLIM_INFINITY else max(0, soft - (status("VmSize") or 0))


def limit_of_group() -> int:
    """Give what a container may take."""
    for path in CGROUPS:
        try:
            return int(Path(path).read_text())
        except (OSError, ValueError):  # not there, or "max"
            continue
    return UNLIMITED
