"""Exceptions whose text is written for the person at the keyboard; `swapae_onnx.errors` is their home."""

from swapae_onnx.errors import UserError as UserError
from swapae_onnx.errors import WriteError as WriteError
