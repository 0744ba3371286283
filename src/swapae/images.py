"""The one border between picture files (8-bit, sRGB) and arrays in [-1, 1].

Its home is `swapae_onnx.images`, for the runtime without PyTorch has the same border; see docs/adr/0008.
"""

from swapae_onnx.images import *  # noqa: F403
