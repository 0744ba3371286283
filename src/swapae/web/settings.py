"""What a studio is started with."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from swapae.web.decoder import DecodingLimits


@dataclass(frozen=True)
class StudioSettings:
    """All that a server knows before its model is loaded; the command's options."""

    host: str = "127.0.0.1"  # address to listen at
    token: str | None = None  # that requests must carry; None asks for none
    names: tuple[str, ...] = ()  # host names, beside its own, by which browsers may call it
    max_queue: int = 16  # requests that may wait
    deadline: float = 30.0  # seconds a request may take, waiting included
    max_upload: int = 32 * 2**20  # bytes of a picture's file
    max_json: int = 2**18  # bytes of a JSON body
    max_uploads: int = 8  # bodies that may be on their way at once
    max_kept: int = 192 * 2**20  # bytes by which uploads are brought back when the model's process has died
    runs: Path | None = None  # folder of runs to show
    decoding: DecodingLimits = field(default_factory=DecodingLimits)


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, whose address somebody else may choose
        return False
