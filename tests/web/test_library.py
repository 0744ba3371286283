import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from swapae.codes import Codes
from swapae.errors import UserError
from swapae.web.errors import UnknownId
from swapae.web.library import ENTRY, Held, Library, Mask, Recent, id_of

CODES = ENTRY + 4 * (8 * 4 + 16)  # bytes of codes as below
PHOTO = 100 * 3
MASK = ENTRY + 100


def held(number: int, with_photo: bool = True, **more: object) -> Held:
    codes = Codes(torch.full((1, 8, 2, 2), float(number)), torch.ones(1, 16), (8, 8))
    photo = np.zeros((10, 10, 3), np.uint8) if with_photo else None
    return Held(codes, b"", photo, **more)  # type: ignore[arg-type]


def mask(number: int, side: int = 10) -> Mask:
    return Mask(np.full((side, side), number, np.uint8))


def test_the_same_codes_have_the_same_id_and_others_another() -> None:
    assert id_of(held(1)) == id_of(held(1, with_photo=False))
    wider = Codes(held(1).codes.structure, held(1).codes.texture, (8, 7))
    assert len({id_of(held(1)), id_of(held(2)), id_of(Held(wider, b"")), id_of(mask(1))}) == 4
    assert id_of(mask(1)) == id_of(mask(1)) != id_of(mask(2))
    assert id_of(Mask(np.zeros((4, 6), np.uint8))) != id_of(Mask(np.zeros((6, 4), np.uint8)))


def test_photos_go_first_then_what_was_not_used_for_longest() -> None:
    library = Library(3 * CODES + 2 * PHOTO)
    first, second = library.add(held(1), held(2))
    library.image(first)  # used
    (third,) = library.add(held(3))
    assert [library.image(key).photo is None for key in (second, first, third)] == [True, False, False]
    library = Library(3 * CODES + 1)
    ids = [library.add(held(number, with_photo=False))[0] for number in range(3)]
    library.image(ids[0])
    library.add(held(3, with_photo=False))
    assert [key in library for key in ids] == [True, False, True]
    assert library.num_bytes <= library.max_bytes
    with pytest.raises(UnknownId, match="add it again") as caught:
        library.image(ids[1])
    assert caught.value.id == ids[1]


def test_the_gallery_stays_and_does_not_count() -> None:
    library = Library(CODES)
    (kept,) = library.add(held(1, stays=True))
    assert library.num_bytes == 0
    library.add(held(2, with_photo=False))
    library.add(held(3, with_photo=False))
    assert library.image(kept).photo is not None
    with pytest.raises(UserError, match="stay"):
        library.forget(kept)


def test_what_comes_together_stays_together_or_is_refused() -> None:
    library = Library(2 * CODES + 2 * MASK + 60)
    old = library.add(held(0, with_photo=False))
    new = library.add(held(1, with_photo=False), mask(1), held(2, with_photo=False), mask(2))
    assert all(key in library for key in new)
    assert old[0] not in library
    with pytest.raises(UserError, match="there is room for"):
        library.add(*(held(number) for number in range(4, 9)))
    assert all(key in library for key in new)


def test_an_image_that_comes_again_gains_its_photo() -> None:
    library = Library(10_000)
    (key,) = library.add(held(1, with_photo=False, title="cup", stays=True))
    assert library.add(held(1)) == [key]
    again = library.image(key)
    assert (again.title, again.stays, again.photo is None) == ("cup", True, False)
    library.add(held(1, with_photo=False))
    assert library.image(key).photo is not None


def test_what_a_picture_brings_along_fills_gaps_and_replaces_nothing() -> None:
    library = Library(100_000)
    (key,) = library.add(held(1))
    mine = library.image(key).photo
    other = np.full((10, 10, 3), 9, np.uint8)
    stranger = replace(
        held(1, is_carried=True), photo=other, thumbnail=b"theirs", resized={(4, 4): torch.ones(1)}
    )
    library.add(stranger)
    kept = library.image(key)
    assert (kept.photo is mine, kept.thumbnail, kept.resized) == (True, b"", {})
    library = Library(100_000)
    library.add(held(1, with_photo=False))
    library.add(stranger)
    kept = library.image(key)
    assert (kept.photo is other, kept.thumbnail, list(kept.resized)) == (True, b"", [(4, 4)])
    library.add(held(1))  # an upload, whose pixels were seen here, takes the place of what was only said
    kept = library.image(key)
    assert kept.photo is not None
    assert (kept.photo.max(), kept.resized, kept.is_carried) == (0, {}, False)


def test_things_of_a_few_bytes_are_not_free() -> None:
    library, recent = Library(20 * ENTRY), Recent[str](20 * ENTRY)
    for number in range(200):
        library.add(Mask(np.full((1, 1), number, np.uint8)))
        recent.keep(number, "", 0)
    assert len(list(library)) < 20
    assert sum(recent.get(number) is not None for number in range(200)) == 20


def test_an_id_of_the_wrong_kind_is_unknown() -> None:
    library = Library(10_000)
    image, region = library.add(held(1), mask(1))
    with pytest.raises(UnknownId):
        library.mask(image)
    with pytest.raises(UnknownId):
        library.image(region)
    library.forget(region)
    with pytest.raises(UnknownId):
        library.forget(region)


def test_recent_things_are_bounded_in_bytes() -> None:
    recent: Recent[str] = Recent(10 + 2 * ENTRY)
    for name in ("a", "b", "c"):
        recent.keep(name, name, 4)
    assert [recent.get(name) for name in ("a", "b", "c")] == [None, "b", "c"]
    recent.get("b")
    recent.keep("d", "d", 4)
    assert [recent.get(name) for name in ("b", "c", "d")] == ["b", None, "d"]
    assert recent.keep("large", "large", 11 + ENTRY) == "large"
    assert recent.get("large") is None
    recent.clear()
    assert recent.get("b") is None


def test_an_unknown_id_can_be_sent_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(UnknownId("abc", "it is gone.")))
    assert (error.id, str(error)) == ("abc", "it is gone.")
