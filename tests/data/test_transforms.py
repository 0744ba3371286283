"""The way of a picture to training size, rule by rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps

from swapae import config as trees
from swapae.data.transforms import DataConfig, prepare, rule_size, stride_size
from swapae.errors import UserError
from swapae.images import resize


def photo(width, height):
    """Every pixel says where it is: red its column, green its row."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x % 256, y % 256, 0 * x], -1).astype(np.uint8))


def same(a, b):
    return a.size == b.size and ImageChops.difference(a, b).getbbox() is None


def rng(seed=0):
    return np.random.default_rng(seed)


UNTOUCHED = DataConfig(preprocess="none", crop="none", flip=False)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("none", (200, 100)),
        ("fixsize", (64, 64)),
        ("resize", (64, 64)),
        ("scale_width", (64, 32)),
        ("scale_shortside", (128, 64)),
        ("scale_longside", (64, 32)),
    ],
)
def test_each_rule_sets_its_side(rule, expected):
    config = DataConfig(preprocess=rule, load_size=64, crop="none", flip=False)
    assert rule_size((200, 100), config) == expected
    assert same(prepare(photo(200, 100), config, 1, rng()), resize(photo(200, 100), expected))


def test_the_rules_know_upright_pictures_too_and_round():
    sizes = {
        rule: rule_size((100, 151), DataConfig(preprocess=rule, load_size=64, crop="none"))
        for rule in ("scale_width", "scale_shortside", "scale_longside")
    }
    assert sizes == {"scale_width": (64, 97), "scale_shortside": (64, 97), "scale_longside": (42, 64)}
    config = DataConfig(preprocess="scale_shortside", load_size=64, crop="none")
    assert rule_size((151, 100), config) == (97, 64)


def test_the_thinnest_picture_keeps_one_pixel():
    config = DataConfig(preprocess="scale_longside", load_size=64, crop="none")
    assert rule_size((1000, 1), config) == (64, 1)
    assert rule_size((1, 1000), config) == (1, 64)


@pytest.mark.parametrize(
    ("size", "stride", "expected"),
    [
        ((64, 48), 16, (64, 48)),
        ((71, 73), 16, (64, 80)),
        ((73, 71), 16, (80, 64)),
        ((3, 7), 16, (16, 16)),
        ((71, 73), 32, (64, 64)),
        ((5, 9), 1, (5, 9)),
    ],
)
def test_sides_are_rounded_to_the_stride_of_the_model_and_never_to_nothing(size, stride, expected):
    assert stride_size(size, stride) == expected
    assert prepare(photo(*size), UNTOUCHED, stride, None).size == expected


def test_a_picture_of_the_right_size_is_left_alone():
    assert same(prepare(photo(64, 48), UNTOUCHED, 16, rng()), photo(64, 48))


def test_evaluation_cuts_from_the_middle_and_never_by_chance():
    config = DataConfig(preprocess="none", zoom=0.5, crop="random", crop_size=32, flip=True)
    image = prepare(photo(100, 61), config, 8, None)
    assert same(image, photo(100, 61).crop((34, 14, 66, 46)))


def test_a_centre_crop_is_in_the_middle_in_training_too():
    config = DataConfig(preprocess="none", crop="center", crop_size=32, flip=False)
    assert {prepare(photo(100, 61), config, 8, rng(i)).getpixel((0, 0)) for i in range(9)} == {(34, 14, 0)}


def test_a_square_crop_is_the_largest_one():
    config = DataConfig(preprocess="none", crop="square", flip=False)
    assert same(prepare(photo(100, 64), config, 8, rng()), photo(100, 64).crop((18, 0, 82, 64)))


def test_random_crops_reach_every_place_and_no_further():
    config = DataConfig(preprocess="none", crop="random", crop_size=8, flip=False)
    generator = rng()
    corners = {prepare(photo(10, 11), config, 8, generator).getpixel((0, 0)) for _ in range(400)}
    assert corners == {(x, y, 0) for x in range(3) for y in range(4)}


def test_half_of_the_training_pictures_are_mirrored():
    config = DataConfig(preprocess="none", crop="none", flip=True)
    generator, image = rng(), photo(16, 16)
    results = [prepare(image, config, 8, generator) for _ in range(400)]
    num_mirrored = sum(same(result, ImageOps.mirror(image)) for result in results)
    assert 160 < num_mirrored < 240
    assert sum(same(result, image) for result in results) == 400 - num_mirrored


def test_the_flip_does_not_depend_on_the_other_settings():
    plain = DataConfig(preprocess="none", crop="none", flip=True)
    other = DataConfig(preprocess="none", zoom=0.9, crop="random", crop_size=8, flip=True)

    def is_mirrored(config, seed):
        pixels = np.asarray(prepare(photo(32, 32), config, 8, rng(seed)))
        return pixels[0, 0, 0] > pixels[0, -1, 0]

    assert [is_mirrored(plain, i) for i in range(20)] == [is_mirrored(other, i) for i in range(20)]


def test_zoom_shrinks_each_side_by_its_own_factor_but_not_below_the_crop():
    config = DataConfig(preprocess="none", zoom=0.5, crop="none", flip=False)
    sizes = {prepare(photo(100, 100), config, 1, rng(i)).size for i in range(200)}
    sides = [side for size in sizes for side in size]
    assert (min(sides), max(sides)) == pytest.approx((50, 100), abs=2)
    assert len({width - height for width, height in sizes}) > 20
    tight = DataConfig(preprocess="none", zoom=0.5, crop="random", crop_size=100, flip=False)
    assert all(same(prepare(photo(100, 100), tight, 1, rng(i)), photo(100, 100)) for i in range(20))


def test_a_picture_too_small_for_the_crop_is_enlarged_with_its_aspect():
    config = DataConfig(preprocess="none", crop="center", crop_size=64, flip=False)
    expected = resize(photo(20, 40), (64, 128)).crop((0, 32, 64, 96))
    assert same(prepare(photo(20, 40), config, 8, None), expected)


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    rule=st.sampled_from(["none", "fixsize", "resize", "scale_width", "scale_shortside", "scale_longside"]),
    crop=st.sampled_from(["random", "center"]),
    zoom=st.sampled_from([1.0, 0.7]),
    seed=st.none() | st.integers(0, 99),
)
def test_with_a_crop_every_picture_comes_out_at_the_size_of_the_crop(size, rule, crop, zoom, seed):
    config = DataConfig(preprocess=rule, load_size=24, zoom=zoom, crop=crop, crop_size=16)
    chance = None if seed is None else rng(seed)
    assert prepare(photo(*size), config, 8, chance).size == (16, 16)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"load_size": "0"}, "data.load_size"),
        ({"crop_size": "-3"}, "data.crop_size"),
        ({"workers": "-1"}, "data.workers"),
        ({"zoom": "0"}, "data.zoom"),
        ({"zoom": "1.5"}, "data.zoom"),
        ({"load_size": "128"}, "data.crop_size=256 is larger than data.load_size=128"),
        ({"preprocess": "scale_shortsid"}, "scale_shortside"),
        ({"crop": "middle"}, "center"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(changes, words):
    with pytest.raises(UserError, match=words):
        trees.with_overrides(DataConfig(), changes)


def test_sizes_may_change_together_and_every_setting_is_explained():
    config = trees.with_overrides(DataConfig(), {"crop-size": "64", "load-size": "64"})
    assert (config.load_size, config.crop_size) == (64, 64)
    assert all(setting.doc for setting in trees.describe(DataConfig))
