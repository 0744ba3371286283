"""The names by which everyone who reads about this system knows its parts."""

import inspect

import pytest

from swapae import layers, networks, ops

SIGNATURES = {
    "EqualConv2d": "in_channel out_channel kernel_size stride padding bias lr_mul",
    "EqualLinear": "in_dim out_dim bias bias_init lr_mul activation",
    "Blur": "kernel pad upsample_factor reflection_pad",
    "make_kernel": "k",
    "ConvLayer": "in_channel out_channel kernel_size downsample blur_kernel bias activate pad reflection_pad",
    "FusedLeakyReLU": "channel negative_slope scale",
    "ScaledLeakyReLU": "negative_slope",
    "ResBlock": "in_channel out_channel blur_kernel reflection_pad downsample",
    "upfirdn2d": "input kernel up down pad",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_layer_has_its_published_name_and_arguments_in_order(name: str) -> None:
    assert list(inspect.signature(getattr(layers, name)).parameters) == SIGNATURES[name].split()


def test_upfirdn2d_and_make_kernel_come_from_the_ops_too() -> None:
    assert ops.upfirdn2d is layers.upfirdn2d
    assert ops.make_kernel is layers.make_kernel


def test_the_encoder_has_its_published_name_too() -> None:
    assert networks.StyleGAN2ResnetEncoder is networks.Encoder


@pytest.mark.parametrize("shelf", [ops, layers, networks])
def test_what_a_shelf_offers_is_there_sorted_and_explained(shelf: object) -> None:
    names = shelf.__all__
    assert names == sorted(names)
    for name in names:
        assert inspect.getdoc(getattr(shelf, name))
