import pytest
import torch

from swapae.networks import Discriminator, DiscriminatorConfig


def channels(config: DiscriminatorConfig) -> list[int]:
    size, found = config.top_size, []
    while size >= 4:
        found.append(config.channels_at(size))
        size //= 2
    return found


def test_channels_are_the_published_ones() -> None:
    assert channels(DiscriminatorConfig(1024)) == [32, 64, 128, 256, 512, 512, 512, 512, 512]
    assert channels(DiscriminatorConfig(256)) == [128, 256, 512, 512, 512, 512, 512]
    assert channels(DiscriminatorConfig(64, capacity=1 / 16)) == [32, 64, 64, 512, 512]
    assert channels(DiscriminatorConfig(32, capacity=0.25, max_channels=100)) == [100, 100, 100, 100]


def test_a_768_crop_makes_the_1024_layout_with_a_final_map_of_three() -> None:
    with torch.device("meta"):
        discriminator = Discriminator(DiscriminatorConfig(768))
    assert discriminator.config.top_size == 1024
    assert len(discriminator.blocks) == 8
    assert discriminator.final_linear[0].weight.shape == (512, 4608)


@pytest.mark.parametrize("side", [8, 12, 16, 24, 25, 32, 45, 48, 90])
def test_a_square_of_any_side_gets_a_logit(side: int) -> None:
    discriminator = Discriminator(DiscriminatorConfig(side, max_channels=4))
    assert discriminator(torch.randn(2, 3, side, side)).shape == (2, 1)


def test_it_judges_images_one_by_one_without_statistics_of_the_batch() -> None:
    discriminator = Discriminator(DiscriminatorConfig(16, max_channels=4)).double()
    images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    one_by_one = torch.cat([discriminator(image[None]) for image in images])
    torch.testing.assert_close(discriminator(images), one_by_one)


def test_another_size_is_refused_with_both_numbers() -> None:
    discriminator = Discriminator(DiscriminatorConfig(16, max_channels=4))
    with pytest.raises(ValueError, match="16×16, not 16×20"):
        discriminator(torch.zeros(1, 3, 16, 20))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 4}, "image_size=4 is too small"),
        ({"image_size": 16, "widths": (4, 4)}, "2 numbers; image_size=16 needs 3"),
        ({"image_size": 16, "widths": (4, 0, 4)}, "at least 1"),
    ],
)
def test_an_impossible_shape_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DiscriminatorConfig(**changes)


def test_given_widths_are_taken_from_the_image_down() -> None:
    discriminator = Discriminator(DiscriminatorConfig(16, widths=(3, 5, 7)))
    assert [block.skip.conv.weight.shape[:2] for block in discriminator.blocks] == [(5, 3), (7, 5)]
    assert discriminator(torch.zeros(1, 3, 16, 16)).shape == (1, 1)
