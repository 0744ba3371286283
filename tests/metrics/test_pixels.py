"""L1, PSNR and MS-SSIM against torchmetrics."""

import pytest
import torch

from swapae.metrics.pixels import SCALE_WEIGHTS, l1, ms_ssim, ms_ssim_name, num_scales, psnr


def pair(side: int, noise: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    a = torch.nn.functional.interpolate(torch.rand(2, 3, 6, 6), (side, side + 3), mode="bicubic") * 2 - 1
    a = a.clamp(-1, 1)
    return a, (a + noise * torch.randn_like(a)).clamp(-1, 1)


def test_l1_is_a_mean_over_each_image() -> None:
    a, b = pair(8)
    torch.testing.assert_close(l1(a, b), torch.stack([(a[i] - b[i]).abs().mean() for i in range(2)]))
    assert l1(a * 9, b * 9).max() <= 2  # as saved pictures


def test_psnr_is_that_of_torchmetrics() -> None:
    from torchmetrics.functional.image import peak_signal_noise_ratio

    a, b = pair(16)
    for i in range(2):
        wanted = peak_signal_noise_ratio((a[i] + 1) / 2, (b[i] + 1) / 2, data_range=1.0)
        torch.testing.assert_close(psnr(a, b)[i], wanted)


def test_psnr_of_equal_images_is_a_number() -> None:
    a, _ = pair(8)
    assert psnr(a, a).tolist() == [100, 100]


def by_torchmetrics(a: torch.Tensor, b: torch.Tensor, scales: int) -> torch.Tensor:
    """Wang's product, of torchmetrics' SSIM of windows inside; its own product takes those beyond too."""
    from torchmetrics.functional.image import structural_similarity_index_measure as ssim

    weights = torch.tensor(SCALE_WEIGHTS[:scales])
    product = torch.ones(len(a))
    for number, weight in enumerate(weights / weights.sum()):
        _, contrast = ssim(a, b, data_range=1.0, reduction="none", return_contrast_sensitivity=True)
        _, full = ssim(a, b, data_range=1.0, reduction="none", return_full_image=True)
        inner = full[..., 5:-5, 5:-5].mean((1, 2, 3))
        product = product * (inner if number == scales - 1 else contrast).relu() ** weight
        a, b = (torch.nn.functional.avg_pool2d(side, 2) for side in (a, b))
    return product


@pytest.mark.parametrize(("side", "scales"), [(11, 1), (40, 2), (64, 3), (175, 4), (176, 5)])
def test_ms_ssim_is_the_product_of_torchmetrics_ssim_over_the_scales_that_fit(side: int, scales: int) -> None:
    a, b = pair(side)
    assert num_scales(*a.shape[2:]) == scales
    wanted = by_torchmetrics((a + 1) / 2, (b + 1) / 2, scales)
    torch.testing.assert_close(ms_ssim(a, b), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ms_ssim(a, a), torch.ones(2))


def test_fewer_scales_are_another_figure() -> None:
    assert ms_ssim_name(200, 176) == "MS-SSIM"
    assert ms_ssim_name(200, 64) == "MS-SSIM-3"
    with pytest.raises(ValueError, match="11 pixels or more, not 10×64"):
        ms_ssim_name(10, 64)
