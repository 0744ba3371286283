import pytest
import torch
import torch.nn.functional as F

from swapae.layers import Blur
from swapae.layers.resample import pad_of_downsampling, pad_of_upsampling
from swapae.ops import make_kernel, upfirdn2d_reference

# Table of model-spec §2.3: (taps, side of the convolution's kernel) → the blur's (before, after).
PADS = {
    ((1, 3, 3, 1), 3): (2, 2),
    ((1, 3, 3, 1), 1): (1, 1),
    ((1, 2, 1), 3): (2, 1),
    ((1, 2, 1), 1): (1, 0),
    ((1,), 3): (1, 0),
    ((1,), 1): (0, -1),
}


@pytest.mark.parametrize(("taps", "kernel_size"), PADS)
def test_the_pads_of_downsampling_are_the_table(taps: tuple[int, ...], kernel_size: int) -> None:
    assert pad_of_downsampling(taps, kernel_size) == PADS[taps, kernel_size]


@pytest.mark.parametrize(("pad", "pads"), [(0, (0, 0)), (1, (1, 0)), (4, (2, 2)), (5, (3, 2))])
def test_a_given_pad_is_shared_out_the_larger_half_before(pad: int, pads: tuple[int, int]) -> None:
    assert pad_of_downsampling((1, 3, 3, 1), 3, pad) == pads


@pytest.mark.parametrize(("taps", "pads"), [((1, 3, 3, 1), (1, 1)), ((1,), (0, -1)), ((1, 2, 1), (1, 0))])
def test_the_pads_of_upsampling_make_twice_the_size(taps: tuple[int, ...], pads: tuple[int, int]) -> None:
    assert pad_of_upsampling(taps, 3) == pads
    assert Blur(taps, pads)(torch.ones(1, 1, 2 * 5 + 1, 2 * 4 + 1)).shape == (1, 1, 10, 8)


@pytest.mark.parametrize("pad", [(2, 1), (0, 3), (1, -1), (-1, -2), (0, 0)])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_zero_padding_and_the_factor_follow_the_definition(pad: tuple[int, int], factor: int) -> None:
    x = torch.randn(2, 3, 7, 6)
    expected = upfirdn2d_reference(x, factor**2 * make_kernel([1, 2, 1]), pad=pad)
    torch.testing.assert_close(Blur([1, 2, 1], pad, factor)(x), expected)
    torch.testing.assert_close(Blur([1, 2, 1], pad, factor)(x, down=2), expected[:, :, ::2, ::2])


@pytest.mark.parametrize("pad", [(2, 1), (1, 0), (2, 2)])
def test_reflection_mirrors_at_the_border(pad: tuple[int, int]) -> None:
    x = torch.randn(1, 2, 5, 4)
    mirrored = F.pad(x, (*pad, *pad), mode="reflect")
    expected = upfirdn2d_reference(mirrored, make_kernel([1, 2, 1]))
    torch.testing.assert_close(Blur([1, 2, 1], pad, reflection_pad=True)(x), expected)


def test_reflection_leaves_a_flat_image_flat_and_zeros_do_not() -> None:
    flat = torch.ones(1, 1, 6, 6)
    torch.testing.assert_close(Blur([1, 3, 3, 1], (2, 1), reflection_pad=True)(flat), flat)
    assert Blur([1, 3, 3, 1], (2, 1))(flat)[0, 0, 0, 0].item() == pytest.approx(0.25)


def test_a_crop_with_reflection_is_a_crop() -> None:
    x = torch.randn(1, 1, 4, 4)
    assert torch.equal(Blur([1], (0, -1), reflection_pad=True)(x), x[:, :, :3, :3])


def test_the_kernel_sums_to_the_square_of_the_factor_and_is_not_saved() -> None:
    blur = Blur([1, 3, 3, 1], upsample_factor=2)
    assert blur.kernel.sum().item() == 4
    assert not blur.state_dict()
    assert not list(blur.parameters())


def test_a_blur_built_on_meta_gets_its_kernel_where_it_is_brought() -> None:
    with torch.device("meta"):
        blur = Blur([1, 2, 1], upsample_factor=2)
    assert blur.kernel.is_meta
    blur.to_empty(device="cpu").reset_parameters()
    assert torch.equal(blur.kernel, 4 * make_kernel([1, 2, 1]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_the_kernel_follows_the_layer_to_other_numbers(dtype: torch.dtype) -> None:
    blur = Blur([1, 3, 3, 1], (2, 1)).to(dtype)
    assert blur.kernel.dtype == dtype
    assert blur(torch.ones(1, 1, 4, 4, dtype=dtype)).dtype == dtype
    blur.reset_parameters()
    assert blur.kernel.dtype == dtype
