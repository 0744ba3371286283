"""Names in a pack: the image's own as far as they go, unique, and fit for every system."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from swapae.data.packing.names import MAX_BYTES, RESERVED, UNFIT, fit, output_names
from swapae.data.packs.pack import is_image_name, is_name_outside


def named(*names):
    return [name for name, _ in output_names(names, lambda _: ".png")]


def test_a_name_is_kept_but_for_its_suffix_and_the_order_is_that_of_readers():
    assert output_names(["b/z.JPG", "a.webp", "b/a.b.png"], lambda _: ".png") == [
        ("a.png", 1),
        ("b/a.b.png", 2),
        ("b/z.png", 0),
    ]


def test_names_that_would_be_one_are_told_apart():
    assert named("a.jpg", "a.png", "A.gif", "a-2.jpg") == ["A-3.png", "a-2-2.png", "a-2.png", "a.png"]


def test_what_some_system_forbids_is_replaced():
    assert fit("a:b?.jpg") == "a_b_"
    assert fit("con.jpg") == "con_"
    assert fit("nul/x.png") == "nul_/x"
    assert fit("a\\b.png") == "a_b"
    assert fit("a\nb\udcff.png") == "a_b_"
    assert fit(".hidden.png") == "_hidden"
    assert fit("dots./x..png") == "dots/x"
    assert fit("") == "_"
    assert fit("../../etc/x.png") == "etc/x"
    assert fit("/rooted.png") == "rooted"
    assert fit("a.png/b.png") == "a.png_/b"  # else a.jpg would become a file where a folder is
    assert fit("row 7") == "row 7"
    assert fit("0a1bc") == "0a1bc"


def test_long_names_are_cut_and_stay_apart():
    one, other = fit("é" * 300 + "1.png"), fit("é" * 300 + "2.png")
    assert one != other
    assert len(one.encode()) <= MAX_BYTES
    assert one.startswith("é" * 80)


@settings(max_examples=40)
@given(st.lists(st.text(max_size=60) | st.text("aA./\\:\0é", max_size=12), max_size=12))
def test_every_name_can_be_read_again_and_none_is_there_twice(names):
    found = output_names(names, lambda _: ".png")
    assert sorted(index for _, index in found) == list(range(len(names)))
    outputs = [name for name, _ in found]
    assert outputs == sorted(outputs)
    assert [name.encode() for name in outputs] == sorted(name.encode() for name in outputs)
    assert len({name.lower() for name in outputs}) == len(outputs)
    folders = {
        "/".join(parts[:i]) for name in outputs for parts in [name.split("/")] for i in range(1, len(parts))
    }
    assert not folders & set(outputs)
    for name in outputs:
        assert is_image_name(name)
        assert not is_name_outside(name)
        assert len(name.encode()) <= MAX_BYTES + 10
        assert not set(name) & UNFIT
        assert all(unicodedata.category(c)[0] != "C" for c in name)
        assert not {part.split(".")[0].lower() for part in name.split("/")} & RESERVED
