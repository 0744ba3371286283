"""What is remembered so that it can come again: by id, within its bytes."""

import numpy as np
from tests.web.servers import awaited

from swapae.web.journal import OVERHEAD, Journal, Pixels


def test_pixels_come_back_as_they_were() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    kept = awaited(Pixels.of(pixels))
    np.testing.assert_array_equal(kept.array(), pixels)
    flat = awaited(Pixels.of(np.zeros((100, 100), np.uint8)))
    assert len(flat.data) < 200


def test_a_call_is_found_by_all_it_made_and_counted_once() -> None:
    journal = Journal(10_000)
    journal.note(["a", "b", "mine"], "open_recipe", b"x" * 1000)
    assert journal.bytes == 1000 + OVERHEAD
    for one in ("a", "b"):
        found = journal.recall(one)
        assert found is not None
        assert (found.method, found.given()) == ("open_recipe", b"x" * 1000)
    journal.forget("a")
    assert journal.recall("a") is None
    assert journal.bytes == 1000 + OVERHEAD
    journal.forget("b")
    journal.forget("mine")
    journal.forget("mine")
    assert journal.bytes == 0


def test_past_its_bytes_the_longest_unused_is_forgotten() -> None:
    journal = Journal(3 * (1000 + OVERHEAD))
    for one in "abc":
        journal.note([one], "add_mask", b"x" * 1000)
    assert journal.recall("a") is not None
    journal.note(["d"], "add_mask", b"x" * 1000)
    assert journal.recall("b") is None
    assert [one for one in "abcd" if journal.recall(one)] == ["a", "c", "d"]
    assert journal.bytes <= journal.max_bytes
    journal.note(["e"], "add_mask", b"x" * 10_000)  # never fits, and drives nothing out
    assert [one for one in "acde" if journal.recall(one)] == ["a", "c", "d"]


def test_an_upload_is_brought_back_from_its_own_file_and_not_from_a_picture_that_names_it() -> None:
    journal = Journal(10_000)
    journal.note(["a"], "add_image", b"mine")
    journal.note(["a", "b"], "open_recipe", b"theirs", anew=False)
    made = [journal.recall(one) for one in "ab"]
    assert [call and call.argument for call in made] == [b"mine", b"theirs"]


def test_the_same_id_again_takes_its_place_once() -> None:
    journal = Journal(10_000)
    for size in (100, 200):
        journal.note(["a"], "make_direction", b"x" * size)
    assert journal.bytes == 200 + OVERHEAD
    assert journal.made_by("make_direction") == ["a"]
