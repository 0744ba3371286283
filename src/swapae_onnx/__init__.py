"""Swapping autoencoder without PyTorch: a folder that `swapae export --onnx` wrote, run by ONNX Runtime.

    from swapae_onnx import SwappingAutoencoder
    model = SwappingAutoencoder.from_pretrained("exported")
    model.swap_images("church.jpg", "sunset.jpg").save("hybrid.png")

It needs numpy, Pillow and onnxruntime. The public names are imported when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swapae_onnx.codes import Codes
    from swapae_onnx.errors import UserError
    from swapae_onnx.images import open_image, save_image
    from swapae_onnx.model import SwappingAutoencoder

__version__ = "0.1.0"

__all__ = ["Codes", "SwappingAutoencoder", "UserError", "open_image", "save_image"]

_HOMES = {
    "Codes": "swapae_onnx.codes",
    "SwappingAutoencoder": "swapae_onnx.model",
    "UserError": "swapae_onnx.errors",
    "open_image": "swapae_onnx.images",
    "save_image": "swapae_onnx.images",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'swapae_onnx' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
