"""The synthetic domain: a pure function of (seed, index), whose two halves can be exchanged exactly."""

import hashlib
import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest

from swapae.data.source import Source
from swapae.data.synthetic import (
    FORMS,
    HELD_OUT_FORMS,
    HELD_OUT_MATERIALS,
    MATERIALS,
    VERSION,
    SyntheticSource,
    blend,
    render,
    sample_scenes,
    silhouette,
    structure_of,
    texture_of,
)
from swapae.data.synthetic.forms import FORM_TABLE
from swapae.data.synthetic.noise import cells, fractal, noise, sine
from swapae.data.synthetic.palette import to_linear
from swapae.data.synthetic.renderer import _encode
from swapae.errors import UserError

SIDE = 32


def picture(scene, size=SIDE):
    return render(structure_of(scene), texture_of(scene), size)


def kinds(split):
    scene = sample_scenes(5, range(150), split)
    return {FORMS[k] for k in scene.structure.form}, {MATERIALS[k] for k in scene.texture.material}


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


# ── a pure function of (seed, index) ──────────────────────────────────────────────────────────────────────


def test_the_same_seed_and_index_give_the_same_bytes_and_others_do_not():
    first = picture(sample_scenes(3, [7, 8]))
    np.testing.assert_array_equal(first, picture(sample_scenes(3, [7, 8])))
    assert (first != picture(sample_scenes(4, [7, 8]))).mean() > 0.5
    assert (first[0] != first[1]).mean() > 0.5


def test_a_picture_has_the_same_bytes_alone_and_in_any_batch():
    indices = [11, 2, 40, 2, 2**40, 0]
    together = picture(sample_scenes(1, indices, "all"))
    for i, index in enumerate(indices):
        np.testing.assert_array_equal(together[i], picture(sample_scenes(1, [index], "all"))[0])


def test_the_pictures_of_this_version_never_change():
    # A benchmark and trained models rest on these bytes: where they must change, so must VERSION.
    scene = sample_scenes(0, range(90), "all")
    assert hashlib.sha256(picture(scene, 16).tobytes()).hexdigest()[:16] == "13e2286f93c41c4b"
    assert VERSION == 1


def test_training_never_sees_a_held_out_kind_and_the_held_out_split_nothing_else():
    forms, materials = kinds("seen")
    assert forms == set(FORMS) - set(HELD_OUT_FORMS)
    assert materials == set(MATERIALS) - set(HELD_OUT_MATERIALS)
    assert kinds("held_out") == (set(HELD_OUT_FORMS), set(HELD_OUT_MATERIALS))
    assert kinds("all") == (set(FORMS), set(MATERIALS))


def test_kinds_can_be_chosen_by_name_and_choosing_one_half_leaves_the_other_alone():
    free, chosen = sample_scenes(2, range(6)), sample_scenes(2, range(6), materials=["brick"])
    assert {MATERIALS[k] for k in chosen.texture.material} == {"brick"}
    assert same(free.structure, chosen.structure)
    assert same(free.texture, sample_scenes(2, range(6), forms=["gear"]).texture)
    with pytest.raises(ValueError, match="there is no 'velvet' among"):
        sample_scenes(0, [0], materials=["velvet"])


# ── two halves ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_swap_of_a_scene_with_itself_is_its_picture_and_one_texture_serves_many_structures():
    scene = sample_scenes(6, range(3))
    swapped = render(scene.structure, scene.texture[1:2], SIDE)
    np.testing.assert_array_equal(swapped[1], picture(scene)[1])
    for i in range(3):
        np.testing.assert_array_equal(swapped[i], render(scene.structure[[i]], scene.texture[[1]], SIDE)[0])
    with pytest.raises(ValueError, match="3 structures, 2 textures"):
        render(scene.structure, scene.texture[:2], SIDE)


def test_a_change_of_texture_paints_inside_the_silhouette_and_a_change_of_backdrop_around_it():
    scene = sample_scenes(8, range(8), "all")
    mask, before = silhouette(scene.structure, SIDE), picture(scene)
    dark = replace(scene.texture, palette=scene.texture.palette * np.float32(0.4))
    is_changed = (render(scene.structure, dark, SIDE) != before).any(axis=-1)
    assert not is_changed[mask == 0.0].any()
    assert is_changed[mask == 1.0].mean() > 0.99
    night = replace(scene.texture, backdrop=scene.texture.backdrop * np.float32(0.4))
    assert (render(scene.structure, night, SIDE) != before).any(axis=-1)[mask == 0.0].all()


def test_a_texture_keeps_its_colours_on_every_form():
    structure, texture = sample_scenes(9, range(8)).structure, sample_scenes(10, range(8)).texture
    inside = silhouette(structure, SIDE)[..., None]
    pictures = np.stack([render(structure, texture[[j]], SIDE) for j in range(8)])
    colours = (pictures * inside).sum(axis=(2, 3))
    colours /= colours.sum(axis=-1, keepdims=True)  # of light and shade only the layout belongs to the form
    within = colours.std(axis=1).mean()
    between = colours.mean(axis=1).std(axis=0).mean()
    assert within < 0.35 * between


def test_a_structure_has_its_light_and_shade_in_the_same_places_whatever_it_wears():
    structure = sample_scenes(12, [0], forms=["cross"]).structure
    texture = sample_scenes(13, range(4)).texture
    wood = np.full(4, MATERIALS.index("wood"))
    plain = replace(texture, material=wood, palette=texture.palette[:, [0, 0, 0]], gloss=texture.gloss * 0)
    mask = silhouette(structure, SIDE)[0] == 1.0
    shading = [image[mask].mean(axis=-1) for image in render(structure, plain, SIDE)]
    for a, b in itertools.combinations(shading, 2):
        assert np.corrcoef(a, b)[0, 1] > 0.95


def test_between_two_textures_of_a_kind_lies_a_smooth_way():
    scene = sample_scenes(14, [0, 1], materials=["marble"])
    a, b = scene.texture[:1], scene.texture[1:]
    structure = scene.structure[:1]
    np.testing.assert_array_equal(render(structure, blend(a, b, 0.0), SIDE), render(structure, a, SIDE))
    np.testing.assert_allclose(blend(a, b, 1.0).palette, b.palette, atol=1e-6)
    near, nearer = (
        np.abs(render(structure, blend(a, b, s), SIDE) - render(structure, a, SIDE).astype(float)).mean()
        for s in (0.01, 0.0005)
    )
    assert nearer < 0.25 * near
    with pytest.raises(ValueError, match="same materials"):
        blend(a, sample_scenes(14, [0], materials=["wood"]).texture, 0.5)


# ── what is seen ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_solid_is_large_and_within_the_frame():
    masks = silhouette(sample_scenes(15, range(200), "all").structure, 40, supersample=1) > 0.3
    assert not masks[:, [0, -1]].any()
    assert not masks[:, :, [0, -1]].any()
    width, height = masks.any(axis=1).sum(axis=1) / 40, masks.any(axis=2).sum(axis=1) / 40
    largest = np.maximum(width, height)
    assert largest.min() > 0.55
    assert largest.max() < 0.95
    assert masks.mean(axis=(1, 2)).min() > 0.08


def test_every_two_materials_look_different_on_the_same_form_in_the_same_colours():
    structure = sample_scenes(16, [0], forms=["sphere"]).structure
    texture = sample_scenes(16, [3]).texture[[0] * len(MATERIALS)]
    pictures = render(structure, replace(texture, material=np.arange(len(MATERIALS))), 48) / 255.0
    inside = silhouette(structure, 48)[0] > 0.5
    for i, j in itertools.combinations(range(len(MATERIALS)), 2):
        assert np.abs(pictures[i] - pictures[j])[inside].mean() > 0.02, (MATERIALS[i], MATERIALS[j])


def test_every_two_forms_have_different_silhouettes():
    masks = {form: silhouette(sample_scenes(17, [0], forms=[form]).structure, 48)[0] for form in FORMS}
    for a, b in itertools.combinations(FORMS, 2):
        assert np.abs(masks[a] - masks[b]).mean() > 0.01, (a, b)


def test_the_solid_rests_on_the_floor():
    scene = sample_scenes(18, range(30), "all")
    for i, kind in enumerate(scene.structure.form):
        form, numbers = FORM_TABLE[FORMS[kind]], scene.structure.shape[i].tolist()
        up = scene.structure.rotation[i, 2][:, None].astype(np.float64)
        flat = np.random.default_rng(i).uniform(-1.2, 1.2, (3, 40_000))
        flat -= up * (up * flat).sum(axis=0)
        depth = scene.structure.floor[i]
        # A little below the floor there is nothing of the solid, a little above there is something.
        assert form.distance((flat - up * (depth + 0.04)).astype(np.float32), numbers).min() > 0
        assert form.distance((flat - up * (depth - 0.06)).astype(np.float32), numbers).min() < 0


@pytest.mark.parametrize("size", [1, 17, (24, 40), (41, 24)])
def test_pictures_come_in_any_size(size):
    height, width = (size, size) if isinstance(size, int) else size
    scene = sample_scenes(19, [0, 1])
    assert picture(scene, size).shape == (2, height, width, 3)
    assert silhouette(scene.structure, size).shape == (2, height, width)


def test_a_wide_frame_shows_the_square_picture_in_its_middle():
    scene = sample_scenes(19, [0])
    square, wide = picture(scene, 32)[0].astype(int), picture(scene, (32, 48))[0].astype(int)
    assert np.abs(wide[:, 8:40] - square).max() <= 1


def test_supersampling_is_the_mean_of_the_finer_pixels():
    structure = sample_scenes(19, [0, 1]).structure
    fine = silhouette(structure, 48, supersample=1).reshape(2, 24, 2, 24, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(silhouette(structure, 24), fine, atol=1e-6)


def test_a_small_picture_is_a_large_one_seen_from_afar():
    scene = sample_scenes(20, range(4))
    large = picture(scene, 96).reshape(4, 32, 3, 32, 3, 3).mean(axis=(2, 4))
    assert np.abs(large - picture(scene, 32)).mean() < 5.0


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", FORMS)
def test_a_ray_never_steps_through_a_form_and_the_form_lies_within_the_unit_sphere(name):
    form, rng = FORM_TABLE[name], np.random.default_rng(0)
    for _ in range(4):
        numbers = rng.random(3).tolist()
        p = rng.uniform(-1.3, 1.3, (3, 8000)).astype(np.float32)
        step = rng.normal(size=(3, 8000)).astype(np.float32)
        step *= 0.01 / np.sqrt((step * step).sum(axis=0))
        here, there = form.distance(p, numbers), form.distance(p + step, numbers)
        assert here.dtype == np.float32
        slope = np.abs(there - here)[here > 0.01] / 0.01
        assert slope.max() * form.trust < 1.1
        assert slope.max() > 0.7
        assert np.sqrt((p * p).sum(axis=0))[here < 0].max() < 1.03


def test_the_polynomial_sine_is_the_sine():
    turns = np.linspace(-3, 3, 10_001)
    np.testing.assert_allclose(sine(turns), np.sin(2 * np.pi * turns), atol=1e-7)
    assert sine(turns.astype(np.float32)).dtype == np.float32


def test_noise_is_smooth_of_mean_zero_and_nearest_points_are_ordered():
    p = np.random.default_rng(0).uniform(-20, 20, (3, 20_000)).astype(np.float32)
    value = noise(p)
    assert abs(value.mean()) < 0.02
    assert 0.2 < value.std() < 0.6
    assert np.abs(noise(p + np.float32(1e-3)) - value).max() < 0.02
    assert np.abs(noise(np.floor(p))).max() == 0.0
    assert fractal(p, 3).std() > value.std()
    first, second, number = cells(p)
    assert (first <= second).all()
    assert second.max() < 2.0
    assert 0.45 < number.mean() < 0.55
    is_inner = second - first > 0.05
    assert (cells(p + np.float32(0.01))[2] == number)[is_inner].all()


def test_oklab_white_is_white_and_colours_off_the_screen_are_brought_back():
    np.testing.assert_allclose(to_linear(np.array([1.0, 0.0, 0.0])), 1.0, atol=1e-4)
    np.testing.assert_allclose(
        to_linear(np.array([0.6279554, 0.2248631, 0.1258463])), [1.0, 0.0, 0.0], atol=1e-3
    )
    wild = to_linear(np.array([[0.7, 0.4, 0.0], [0.7, -0.1, -0.5], [1.05, 0.0, 0.0]]))
    assert ((wild >= 0) & (wild <= 1)).all()


def test_light_is_encoded_by_the_srgb_curve():
    light = np.random.default_rng(0).random((3, 1000)).astype(np.float32) ** 3
    curve = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(_encode(light) - curve * 255.0).max() < 0.6
    assert _encode(np.array([-1.0, 0.0, 1.0, 9.0], np.float32)).tolist() == [0, 0, 255, 255]


# ── the source ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_source_reads_the_pictures_of_the_seen_split_without_end():
    source: Source = SyntheticSource(resolution=24, seed=3)
    assert (source.name, source.num_images, source.skipped) == ("synthetic", None, [])
    images = source.read([5, 10**12])
    assert [(image.mode, image.size) for image in images] == [("RGB", (24, 24))] * 2
    np.testing.assert_array_equal(np.asarray(images[0]), picture(sample_scenes(3, [5]), 24)[0])
    assert source.read([]) == []


def test_a_source_and_a_scene_survive_pickling():
    source = SyntheticSource(16, seed=2)
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    assert copy.read([4])[0].tobytes() == source.read([4])[0].tobytes()
    scene = sample_scenes(0, [1])
    np.testing.assert_array_equal(picture(pickle.loads(pickle.dumps(scene))), picture(scene))


def test_a_resolution_or_seed_out_of_range_is_the_users_mistake():
    with pytest.raises(UserError, match="resolution of at least 1, not 0"):
        SyntheticSource(0)
    with pytest.raises(UserError, match="-1 does not"):
        SyntheticSource(8, seed=-1)
