import torch

from swapae.losses import l1_gradient_loss, l1_loss


def test_l1_is_the_mean_absolute_difference_of_each_image() -> None:
    image = torch.zeros(2, 3, 4, 5)
    other = image.clone()
    other[1, 0] = -2.0
    torch.testing.assert_close(l1_loss(other, image), torch.tensor([0.0, 2 / 3]))


def test_l1_of_edges_sees_steps_and_no_level() -> None:
    image = torch.zeros(2, 3, 4, 5)
    other = image.clone()
    other[0] += 0.7  # a level
    other[1, :, :, 2:] = 0.5  # a step across, in one of 4 places
    torch.testing.assert_close(l1_gradient_loss(other, image), torch.tensor([0.0, 0.5 / 4]))
    torch.testing.assert_close(l1_gradient_loss(other.mT, image.mT), torch.tensor([0.0, 0.5 / 4]))
