"""A model without PyTorch: the package `swapae_onnx`, under a name of this one.

    from swapae.onnx import SwappingAutoencoder
    model = SwappingAutoencoder.from_pretrained("exported")  # by `swapae export MODEL --onnx exported`

Importing it imports no torch; what it needs besides is numpy, Pillow and onnxruntime.
"""

from swapae_onnx.codes import Codes as Codes
from swapae_onnx.errors import UserError as UserError
from swapae_onnx.images import open_image as open_image
from swapae_onnx.images import save_image as save_image
from swapae_onnx.model import SwappingAutoencoder as SwappingAutoencoder

__all__ = ["Codes", "SwappingAutoencoder", "UserError", "open_image", "save_image"]
