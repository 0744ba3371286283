"""Pictures to files: by the format of the suffix, whole or not at all; `swapae_onnx.saving` is its home."""

from swapae_onnx.saving import *  # noqa: F403
