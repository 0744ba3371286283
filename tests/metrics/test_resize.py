import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from swapae.metrics.resize import clean_resize


@pytest.mark.parametrize(("side", "target"), [(50, 20), (12, 30)])
def test_resizing_is_antialiased_bicubic_on_floats(side: int, target: int) -> None:
    levels = torch.randint(0, 256, (2, 3, side, side + 5)).float()
    wanted = F.interpolate(levels, (target, target), mode="bicubic", antialias=True).clamp(0, 255)
    found = clean_resize(levels / 127.5 - 1, target)
    torch.testing.assert_close(found, wanted, rtol=0, atol=0.02)
    assert not torch.equal(found, found.round())  # not rounded again


def test_values_are_first_those_of_a_saved_picture() -> None:
    images = torch.rand(1, 3, 6, 6) * 2.4 - 1.2
    levels = ((images[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    same = clean_resize(images, 6)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(same, np.asarray(Image.fromarray(levels)))
