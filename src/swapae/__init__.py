"""Swapping autoencoder: an image is a structure code and a texture code, and both can be exchanged.

    from swapae import SwappingAutoencoder
    model = SwappingAutoencoder.from_pretrained("runs/photos")
    model.swap_images("church.jpg", "sunset.jpg").save("hybrid.png")

The public names are imported when they are first asked for, so `import swapae` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swapae.codes import Codes
    from swapae.errors import UserError
    from swapae.galleries import gallery
    from swapae.images import open_image, save_image
    from swapae.model import SwappingAutoencoder
    from swapae.networks import ModelConfig
    from swapae.presets import PRESETS
    from swapae.training.config import TrainConfig
    from swapae.training.loop import train

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "Codes",
    "ModelConfig",
    "SwappingAutoencoder",
    "TrainConfig",
    "UserError",
    "gallery",
    "open_image",
    "save_image",
    "train",
]

_HOMES = {
    "PRESETS": "swapae.presets",
    "Codes": "swapae.codes",
    "ModelConfig": "swapae.networks",
    "SwappingAutoencoder": "swapae.model",
    "TrainConfig": "swapae.training.config",
    "UserError": "swapae.errors",
    "gallery": "swapae.galleries",
    "open_image": "swapae.images",
    "save_image": "swapae.images",
    "train": "swapae.training.loop",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'swapae' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
