"""Pure functions on tensors, each with the reference body that defines it."""

from swapae.ops.bias_act import fused_leaky_relu, fused_leaky_relu_reference
from swapae.ops.modulated_conv import modulated_conv2d, modulated_conv2d_reference
from swapae.ops.normalize import normalize, normalize_reference
from swapae.ops.upfirdn2d import make_kernel, upfirdn2d, upfirdn2d_reference

__all__ = [
    "fused_leaky_relu",
    "fused_leaky_relu_reference",
    "make_kernel",
    "modulated_conv2d",
    "modulated_conv2d_reference",
    "normalize",
    "normalize_reference",
    "upfirdn2d",
    "upfirdn2d_reference",
]
