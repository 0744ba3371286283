"""How much of a file is decoded, and that what comes out is still the same picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from tests.pictures import landscape, photo, psnr

from swapae.data.folder import FolderSource
from swapae.data.reading import open_resized
from swapae.data.transforms import DataConfig, prepare, rule_size
from swapae.errors import UserError
from swapae.images import decode_draft, open_image, resize, split_alpha

RULES = ["none", "fixsize", "resize", "scale_width", "scale_shortside", "scale_longside"]
FASTER = ["close", "quick", "rough"]


def config(decode="exact", load_size=256, preprocess="scale_shortside"):
    return DataConfig(preprocess, load_size, crop="none", decode=decode)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "large.jpg"
    landscape(falloff=1.4).save(path, quality=92)
    return path


def open_draft(path, least):
    with open(path, "rb") as file:
        return decode_draft(file, path, least)


def scale_of(path, gap, size):
    """The width of the whole as a multiple of the width it was decoded at."""
    image, whole, box = open_draft(path, lambda _: (gap * size[0], gap * size[1]))
    return whole[0] / (box[2] - box[0]), image.size


@pytest.mark.parametrize("preprocess", RULES)
def test_by_default_every_pixel_is_decoded_and_resized_once(large, preprocess):
    whole = split_alpha(open_image(large))[0]
    expected = resize(whole, rule_size(whole.size, config(preprocess=preprocess)))
    assert DataConfig().decode == "exact"
    assert open_resized(large, config(preprocess=preprocess)).tobytes() == expected.tobytes()


@pytest.mark.parametrize(("decode", "floor"), [("close", 50), ("quick", 49), ("rough", 45)])
def test_less_decoding_costs_little_likeness(large, decode, floor):
    likeness = psnr(open_resized(large, config()), open_resized(large, config(decode)))
    assert floor < likeness < 70


def test_a_jpeg_is_decoded_at_the_lowest_scale_that_is_large_enough(large):
    assert scale_of(large, 1, (256, 256)) == (4, (256, 256))
    assert scale_of(large, 2, (256, 256)) == (2, (512, 512))
    assert scale_of(large, 1, (257, 256)) == (2, (512, 512))
    assert scale_of(large, 1, (128, 100)) == (8, (128, 128))
    assert scale_of(large, 1, (2, 2)) == (8, (128, 128))
    assert scale_of(large, 1, (2000, 513)) == (1, (1024, 1024))


@pytest.mark.parametrize("decode", FASTER)
@pytest.mark.parametrize("preprocess", RULES)
def test_a_picture_that_is_not_shrunk_is_the_same_by_every_way(tmp_path, decode, preprocess):
    photo(31, 24).save(tmp_path / "a.jpg", quality=92)
    ways = [open_resized(tmp_path / "a.jpg", config(way, 40, preprocess)) for way in ("exact", decode)]
    assert ways[0].size == ways[1].size == rule_size((31, 24), config(load_size=40, preprocess=preprocess))
    assert ways[0].tobytes() == ways[1].tobytes()


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "bmp"])
def test_other_formats_are_never_decoded_in_part(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    landscape(403, 301, falloff=1.4).save(path)
    image, whole, box = open_draft(path, lambda _: (1, 1))
    assert (image.size, whole, box) == ((403, 301), (403, 301), (0, 0, 403, 301))
    quick, rough = (open_resized(path, config(way, 60)).tobytes() for way in ("quick", "rough"))
    assert quick == rough == open_resized(path, config("close", 60)).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("decode", FASTER)
def test_pictures_come_upright_at_sizes_no_scale_divides(tmp_path, orientation, decode):
    """A margin on the wrong side would shift the picture by up to half a pixel, and cost 10 dB and more."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    landscape(487, 371, falloff=1.5).save(tmp_path / "a.jpg", quality=95, exif=exif)
    for preprocess in ("scale_width", "scale_longside"):
        exact, other = (
            open_resized(tmp_path / "a.jpg", config(way, 45, preprocess)) for way in ("exact", decode)
        )
        assert (exact.height > exact.width) is (orientation > 4)
        assert psnr(exact, other) > 42


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("decode", FASTER)
def test_gray_and_ink_keep_their_colours(tmp_path, mode, decode):
    landscape(512, 400, falloff=1.5).convert(mode).save(tmp_path / "a.jpg", quality=95)
    exact, other = (open_resized(tmp_path / "a.jpg", config(way, 64)) for way in ("exact", decode))
    assert other.mode == "RGB"
    assert psnr(exact, other) > 42


@pytest.mark.parametrize("decode", FASTER)
def test_an_embedded_profile_is_still_converted(tmp_path, decode):
    swapped = ImageCms.createProfile("sRGB")
    profile = ImageCms.ImageCmsProfile(swapped).tobytes()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")  # where the table says the primaries are
    profile = bytearray(profile)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    landscape(512, 512, falloff=1.5).save(tmp_path / "plain.jpg", quality=95)
    landscape(512, 512, falloff=1.5).save(tmp_path / "a.jpg", quality=95, icc_profile=bytes(profile))
    exact, other = (open_resized(tmp_path / "a.jpg", config(way, 64)) for way in ("exact", decode))
    assert psnr(exact, other) > 40
    assert psnr(open_resized(tmp_path / "plain.jpg", config(decode, 64)), other) < 35


@pytest.mark.parametrize("decode", ["exact", *FASTER])
def test_transparent_parts_are_white_before_anything_is_shrunk(tmp_path, decode):
    picture = landscape(400, 400, falloff=1.5).convert("RGBA")
    picture.paste((255, 0, 0, 0), (0, 0, 400, 200))
    picture.save(tmp_path / "a.png")
    image = open_resized(tmp_path / "a.png", config(decode, 50))
    assert image.mode == "RGB"
    assert np.asarray(image)[:22].min() == 255


@pytest.mark.parametrize("decode", FASTER)
def test_a_file_cut_short_is_refused(large, tmp_path, decode):
    (tmp_path / "a.jpg").write_bytes(large.read_bytes()[:40_000])
    with pytest.raises(UserError, match="damaged or cut short"):
        open_resized(tmp_path / "a.jpg", config(decode))


def test_broken_exif_is_as_none(tmp_path):
    landscape(487, 371, falloff=1.5).save(tmp_path / "a.jpg", quality=95, exif=b"Exif\0\0nothing of use")
    exact, other = (open_resized(tmp_path / "a.jpg", config(way, 45)) for way in ("exact", "rough"))
    assert psnr(exact, other) > 42


@given(
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    rule=st.sampled_from(RULES),
    load_size=st.integers(1, 1024),
)
def test_the_rule_leaves_what_it_has_made_alone(size, rule, load_size):
    once = rule_size(size, config(load_size=load_size, preprocess=rule))
    assert rule_size(once, config(load_size=load_size, preprocess=rule)) == once


def test_a_folder_opened_with_a_config_gives_the_same_samples(large):
    training = DataConfig(load_size=96, crop_size=64)
    plain, sized = FolderSource(large.parent), FolderSource(large.parent, training)
    assert [image.size for image in plain.read([0]) + sized.read([0])] == [(1024, 1024), (96, 96)]
    first, second = (
        prepare(source.read([0])[0], training, 16, np.random.default_rng(1)) for source in (plain, sized)
    )
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("decode", ["exact", *FASTER])
def test_a_picture_too_narrow_to_be_brought_to_size_is_refused_before_it_is(tmp_path, decode):
    Image.new("L", (1, 20_000)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png is too narrow: 1x20000 would become 256x5120000"):
        open_resized(tmp_path / "a.png", config(decode))
    cropped = DataConfig("none", 256, crop="center", crop_size=256, decode=decode)
    with pytest.raises(UserError, match="would become 256x5120000"):
        open_resized(tmp_path / "a.png", cropped)
    assert open_resized(tmp_path / "a.png", config(decode, 4)).size == (4, 80_000)
    assert open_resized(tmp_path / "a.png", None).size == (1, 20_000)


def test_a_folder_does_not_count_pictures_too_narrow_whichever_way_they_lie(tmp_path):
    photo(31, 24).save(tmp_path / "good.png")
    Image.new("L", (20_000, 1)).save(tmp_path / "wide.png")
    source = FolderSource(tmp_path, config())
    assert source.paths == ["good.png"]
    assert "is too narrow: 20000x1 would become" in source.skipped[0][1]
    by_width = config(preprocess="scale_width", load_size=2)  # small one way, 40,000 high the other
    assert FolderSource(tmp_path, by_width).num_images == 2
    assert FolderSource(tmp_path).num_images == 2
