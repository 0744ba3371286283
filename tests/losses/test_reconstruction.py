import torch

from swapae.losses import l1_loss


def test_l1_is_the_mean_absolute_difference_of_each_image() -> None:
    image = torch.zeros(2, 3, 4, 5)
    other = image.clone()
    other[1, 0] = -2.0
    torch.testing.assert_close(l1_loss(other, image), torch.tensor([0.0, 2 / 3]))
