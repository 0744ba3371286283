"""Pure functions on tensors, each with the reference body that defines it."""

from swapae.ops.bias_act import fused_leaky_relu, fused_leaky_relu_reference
from swapae.ops.conv2d import conv2d, conv2d_reference, no_weight_gradients
from swapae.ops.modulated_conv import modulated_conv2d, modulated_conv2d_reference
from swapae.ops.normalize import normalize, normalize_reference
from swapae.ops.resample import resample, resample_reference
from swapae.ops.upfirdn2d import make_kernel, reflected_fir, upfirdn2d, upfirdn2d_reference, upsample2

__all__ = [
    "conv2d",
    "conv2d_reference",
    "fused_leaky_relu",
    "fused_leaky_relu_reference",
    "make_kernel",
    "modulated_conv2d",
    "modulated_conv2d_reference",
    "no_weight_gradients",
    "normalize",
    "normalize_reference",
    "reflected_fir",
    "resample",
    "resample_reference",
    "upfirdn2d",
    "upfirdn2d_reference",
    "upsample2",
]
