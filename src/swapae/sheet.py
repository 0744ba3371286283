"""Pictures in rows and columns; `swapae_onnx.sheet` is its home."""

from swapae_onnx.sheet import *  # noqa: F403
