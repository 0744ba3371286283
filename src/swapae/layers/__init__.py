"""The layers, under the names and argument names by which this system is known."""

from swapae.layers.blocks import ConvLayer, ResBlock, SameSizeBlock
from swapae.layers.equalized import EqualConv2d, EqualLinear, FusedLeakyReLU, ScaledLeakyReLU
from swapae.layers.modulated import ModulatedConv2d, NoiseInjection, SpatialCodeModulation, StyledConv, ToRGB
from swapae.layers.resample import Blur, make_kernel
from swapae.ops import upfirdn2d

__all__ = [
    "Blur",
    "ConvLayer",
    "EqualConv2d",
    "EqualLinear",
    "FusedLeakyReLU",
    "ModulatedConv2d",
    "NoiseInjection",
    "ResBlock",
    "SameSizeBlock",
    "ScaledLeakyReLU",
    "SpatialCodeModulation",
    "StyledConv",
    "ToRGB",
    "make_kernel",
    "upfirdn2d",
]
