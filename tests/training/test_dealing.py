"""A batch is dealt in pairs, and each share reconstructs its part of the first half."""

import pytest
import torch

from swapae.errors import UserError
from swapae.training.dealing import deal

DEALS = [(4, 1, 1), (8, 2, 1), (16, 2, 2), (24, 1, 6), (64, 8, 2), (12, 3, 1)]


@pytest.mark.parametrize("numbers", [*DEALS, (4, 2, 1), (12, 2, 1), (20, 1, 2), (2, 1, 1)])
def test_every_image_and_every_reconstruction_is_dealt_once_and_no_pair_is_parted(
    numbers: tuple[int, int, int],
) -> None:
    batch_size, processes, accumulate = numbers
    shares = deal(batch_size, processes, accumulate)
    assert len(shares) == processes * accumulate
    assert sorted(p for share in shares for p in share.positions) == list(range(batch_size))
    for share in shares:
        pairs = list(zip(share.positions[::2], share.positions[1::2], strict=True))
        assert all(one % 2 == 0 and other == one + 1 for one, other in pairs)
    drawn = torch.arange(3 * batch_size // 2)
    taken = torch.cat([share.of_decoded(drawn) for share in shares])
    assert torch.equal(taken.sort().values, drawn)


@pytest.mark.parametrize("numbers", DEALS)
def test_what_a_share_reconstructs_is_its_part_of_the_first_half_of_the_batch(
    numbers: tuple[int, int, int],
) -> None:
    shares = deal(*numbers)
    drawn = torch.arange(3 * numbers[0] // 2)
    for share in shares:
        half = len(share.positions) // 2
        span = share.reconstructions
        assert share.positions[:half] == list(range(span.start, span.stop))
        assert share.of_images(drawn[: numbers[0]]).tolist() == share.positions
        images = [numbers[0] // 2 + position for position in share.positions]
        assert share.of_decoded(drawn).tolist() == share.positions[:half] + images


def test_a_share_of_six_keeps_its_pairs_and_reconstructs_its_own_first_half() -> None:
    first, second = deal(12, 2, 1)
    assert (first.positions, second.positions) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11])
    noise = torch.arange(18)
    assert second.of_decoded(noise).tolist() == [3, 4, 5, 12, 13, 14, 15, 16, 17]


def test_the_only_share_takes_what_was_drawn_as_it_is() -> None:
    (share,) = deal(6, 1, 1)
    drawn = torch.rand(9, 2)
    assert share.of_decoded(drawn) is drawn
    assert share.of_images(drawn) is drawn


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((6, 2, 1), r"batch of 6 images .* to 2 processes: batch_size must be a multiple of 4, say 8"),
        ((16, 3, 1), r"batch of 16 images .* to 3 processes: .* multiple of 6, say 18"),
        ((4, 1, 3), r"batch of 4 images .* to 3 micro-batches: .* multiple of 6, say 6"),
        ((16, 4, 4), r"to 4 micro-batches of 4 processes: .* multiple of 32, say 32"),
    ],
)
def test_what_cannot_be_dealt_is_refused_with_numbers(numbers: tuple[int, int, int], words: str) -> None:
    with pytest.raises(UserError, match=words):
        deal(*numbers)
