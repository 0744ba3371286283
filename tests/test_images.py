"""Arrays, alpha, sheets of pictures, and saving them whole or not at all."""

import os

import numpy as np
import pytest
from PIL import Image, ImageCms

from swapae.errors import UserError
from swapae.images import (
    grid,
    open_image,
    put_alpha,
    reflect_indices,
    resize,
    save_image,
    split_alpha,
    to_array,
    to_pil,
)


def photo(width=31, height=24):
    """A smooth picture whose corners differ, so that a flip, a turn or swapped channels show."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 8, y * 10, 255 - x * 4 - y * 4], -1).astype(np.uint8))


def distance(a, b):
    return np.abs(np.asarray(a, dtype=int) - np.asarray(b, dtype=int)).max()


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# ── alpha and arrays ─────────────────────────────────────────────────────────────────────────────


def test_splitting_alpha_lays_transparency_over_white():
    image = Image.new("RGBA", (2, 1), (200, 0, 100, 128))
    image.putpixel((1, 0), (9, 9, 9, 0))
    rgb, alpha = split_alpha(image)
    assert rgb.getpixel((1, 0)) == (255, 255, 255)
    assert distance(rgb.getpixel((0, 0)), (227, 127, 177)) <= 1
    assert alpha is not None
    assert [alpha.getpixel((x, 0)) for x in (0, 1)] == [128, 0]
    assert put_alpha(rgb, alpha).mode == "RGBA"
    assert split_alpha(photo())[1] is None
    assert put_alpha(photo(), None).mode == "RGB"


def test_pixels_come_back_from_the_array_unchanged():
    levels = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    image = Image.merge("RGB", (levels, levels.transpose(Image.Transpose.ROTATE_90), levels))
    array = to_array(image)
    assert (array.dtype, array.shape, array.min(), array.max()) == (np.float32, (3, 16, 16), -1, 1)
    assert array[1, 0, 0] == np.float32(image.getpixel((0, 0))[1] / 127.5 - 1)
    assert distance(to_pil(array), image) == 0


def test_an_array_is_rounded_and_clamped():
    values = np.full(
        (3, 1, 6), [-7, -1, (100.6 / 127.5) - 1, (100.4 / 127.5) - 1, 1, np.inf], dtype=np.float64
    )
    assert [to_pil(values).getpixel((x, 0))[0] for x in range(6)] == [0, 0, 101, 100, 255, 255]
    assert to_pil(np.full((3, 1, 1), np.nan)).getpixel((0, 0)) == (0, 0, 0)


def test_wrong_modes_and_shapes_are_refused_with_what_came():
    with pytest.raises(ValueError, match="mode L"):
        to_array(photo().convert("L"))
    with pytest.raises(ValueError, match=r"\[1, 3, 4, 4\]"):
        to_pil(np.zeros((1, 3, 4, 4)))


def test_reflection_goes_back_and_forth_without_repeating_the_edge():
    assert reflect_indices(4, 12).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]
    assert reflect_indices(3, 2).tolist() == [0, 1]
    assert reflect_indices(2, 5).tolist() == [0, 1, 0, 1, 0]
    assert reflect_indices(1, 3).tolist() == [0, 0, 0]
    np.testing.assert_array_equal(reflect_indices(5, 9), np.pad(np.arange(5), (0, 4), mode="reflect"))
    with pytest.raises(ValueError, match="0"):
        reflect_indices(0, 3)


def test_shrinking_averages_and_does_not_skip_pixels():
    stripes = Image.fromarray(
        np.tile(np.array([[0], [255]], dtype=np.uint8), (32, 64)).repeat(3).reshape(64, 64, 3)
    )
    small = np.asarray(resize(stripes, (8, 8)), dtype=int)
    assert small.shape == (8, 8, 3)
    assert small[2:-2].min() > 115
    assert small[2:-2].max() < 140


def test_a_grid_puts_every_picture_in_the_middle_of_its_cell():
    red, blue = Image.new("RGB", (4, 2), "red"), Image.new("RGB", (2, 6), "blue")
    sheet = grid([[None, red], [blue, red], [red]], gap=3, background=(1, 2, 3))
    assert sheet.size == (4 + 3 + 4, 2 + 3 + 6 + 3 + 2)
    pixels = np.asarray(sheet)
    for rows, columns in (
        (slice(0, 2), slice(7, 11)),
        (slice(7, 9), slice(7, 11)),
        (slice(14, 16), slice(0, 4)),
    ):
        assert (pixels[rows, columns] == (255, 0, 0)).all()
    assert (pixels[5:11, 1:3] == (0, 0, 255)).all()
    assert (pixels == (1, 2, 3)).all(-1).sum() == sheet.width * sheet.height - 3 * 8 - 12
    assert grid([[red], [blue]]).getpixel((1, 4)) == (0, 0, 255)
    glass = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    assert grid([[glass]]).getpixel((0, 0)) == (255, 255, 255)
    for nothing in ([], [[]], [[None]]):
        with pytest.raises(ValueError, match="at least one"):
            grid(nothing)


# ── saving ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "suffix", [".png", ".jpg", ".JPEG", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".ppm"]
)
def test_a_picture_is_saved_by_its_suffix_and_opens_again(tmp_path, suffix):
    path = tmp_path / "new" / "folders" / f"photo{suffix}"
    save_image(photo(), path)
    assert distance(open_image(path), photo()) <= (
        0 if suffix in (".png", ".tif", ".tiff", ".bmp", ".ppm") else 20
    )
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif"])
def test_alpha_survives_where_the_format_can_hold_it(tmp_path, suffix):
    save_image(put_alpha(photo(), photo().getchannel(0)), tmp_path / f"photo{suffix}")
    image = open_image(tmp_path / f"photo{suffix}")
    assert image.mode == "RGBA"
    assert distance(image.getchannel("A"), photo().getchannel(0)) <= 3


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".ppm"])
def test_alpha_is_refused_where_the_format_cannot_hold_it(tmp_path, suffix):
    with pytest.raises(UserError, match=r"cannot hold transparency, save as PNG \(.*photo\.png\)"):
        save_image(put_alpha(photo(), photo().getchannel(0)), tmp_path / f"photo{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    path = tmp_path / "photo.png"
    path.write_text("precious")
    with pytest.raises(UserError, match="--force"):
        save_image(photo(), path)
    assert path.read_text() == "precious"
    save_image(photo(), path, force=True)
    assert distance(open_image(path), photo()) == 0


def test_an_unknown_suffix_is_answered_with_the_known_ones(tmp_path):
    for name in ("photo.xyz", "photo", "photo.gif"):
        with pytest.raises(UserError, match=r"\.png, \.jpg"):
            save_image(photo(), tmp_path / name)


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        save_image(photo(), tmp_path / "file" / "photo.png")
    with pytest.raises(UserError, match="is a folder"):
        save_image(photo(), tmp_path / "folder.png", force=True)
    with pytest.raises(UserError):
        save_image(photo(), "a\0b.png")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    path.write_text("precious")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        save_image(photo(), path, force=True)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_side_longer_than_the_format_can_say_is_refused(tmp_path):
    with pytest.raises(UserError, match="66000x1 as JPEG"):
        save_image(Image.new("RGB", (66_000, 1)), tmp_path / "photo.jpg")


def test_nothing_but_pixels_is_saved(tmp_path):
    exif = Image.Exif()
    exif[0x10E] = "a secret place"
    source = photo()
    source.info = {"exif": exif.tobytes(), "icc_profile": srgb(), "comment": b"secret", "xmp": b"secret"}
    for suffix in (".png", ".jpg", ".webp", ".avif", ".tif"):
        save_image(source, tmp_path / f"photo{suffix}")
        data = (tmp_path / f"photo{suffix}").read_bytes()
        assert b"secret" not in data
        assert b"acsp" not in data, suffix


def test_the_same_picture_is_saved_as_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        save_image(photo(), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_other_modes_are_saved_as_colour(tmp_path):
    save_image(photo().quantize(8), tmp_path / "palette.jpg")
    save_image(photo().convert("CMYK"), tmp_path / "ink.png")
    assert {open_image(path).mode for path in tmp_path.iterdir()} == {"RGB"}
