from collections import Counter
from pathlib import Path

import pytest

from swapae import UserError
from swapae.metrics.pairs import PairList, images_of


def test_a_list_is_a_function_of_the_seed_and_a_longer_one_begins_as_a_shorter() -> None:
    pairs = PairList.draw("photos", 10, 50, seed=3).pairs
    assert pairs[:3] == ((8, 4), (6, 8), (6, 3))
    assert PairList.draw("photos", 10, 20, seed=3).pairs == pairs[:20]
    assert PairList.draw("photos", 10, 50, seed=4).pairs != pairs


def test_pairs_are_of_two_different_images_each_as_likely() -> None:
    pairs = PairList.draw("photos", 5, 4000).pairs
    assert all(a != b for a, b in pairs)
    counts = Counter(pairs)
    assert len(counts) == 20
    assert all(140 < count < 260 for count in counts.values())
    assert images_of(pairs[:1]) == sorted(pairs[0])


def test_a_saved_list_is_read_again(tmp_path: Path) -> None:
    drawn = PairList.draw("phötos", 7, 5, seed=1)
    drawn.save(tmp_path / "pairs.json")
    assert PairList.load(tmp_path / "pairs.json") == drawn
    with pytest.raises(UserError, match="exists already"):
        drawn.save(tmp_path / "pairs.json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "x"}',
        '{"format": "swapae.pairs/1", "data": "a", "num_images": 2, "seed": 0, "pairs": [[0, -1]]}',
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.json").write_text(text)
    with pytest.raises(UserError, match=r"pairs\.json is no list of pairs"):
        PairList.load(tmp_path / "pairs.json")


def test_a_list_that_names_a_missing_image_is_refused(tmp_path: Path) -> None:
    PairList("a", 2, None, ((0, 5),)).save(tmp_path / "pairs.json")
    with pytest.raises(UserError, match=r"names image 5 of only 2"):
        PairList.load(tmp_path / "pairs.json")
    with pytest.raises(UserError, match="there is no list of pairs"):
        PairList.load(tmp_path / "none.json")


def test_one_image_makes_no_pair() -> None:
    with pytest.raises(UserError, match="two or more"):
        PairList.draw("a", 1, 3)
    with pytest.raises(UserError, match="--pairs must be 1 or more, not 0"):
        PairList.draw("a", 3, 0)
