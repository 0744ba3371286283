"""The border between files and arrays: every kind of picture by its rule, every bad file by one sentence."""

import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from swapae import images
from swapae.errors import UserError
from swapae.images import (
    decode_image,
    grid,
    image_size,
    open_image,
    put_alpha,
    reflect_indices,
    resize,
    save_image,
    split_alpha,
    to_array,
    to_pil,
)

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM"]
LOSSLESS = ["PNG", "TIFF", "BMP", "PPM"]


def photo(width=31, height=24):
    """A smooth picture whose corners differ, so that a flip, a turn or swapped channels show."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 8, y * 10, 255 - x * 4 - y * 4], -1).astype(np.uint8))


def encoded(image, format_name, **options):
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def decoded(data, name="photo"):
    return decode_image(io.BytesIO(data), name)


def distance(a, b):
    return np.abs(np.asarray(a, dtype=int) - np.asarray(b, dtype=int)).max()


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def png(color_type, bits, rows, *chunks):
    """A PNG from its raw rows, for what Pillow cannot write."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = len(rows), len(rows[0])
    raw = b"".join(b"\0" + np.asarray(row).astype(f">u{bits // 8}").tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    body = b"".join(chunk(name, data) for name, data in chunks)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + body
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


# ── opening: what is right ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_allowed_format_opens_whatever_its_suffix(tmp_path, format_name):
    path = tmp_path / "photo.picture"
    path.write_bytes(encoded(photo(), format_name))
    image = open_image(path)
    assert (image.mode, image.size) == ("RGB", (31, 24))
    assert image_size(path) == (31, 24)
    if format_name in LOSSLESS:
        assert distance(image, photo()) == 0


@pytest.mark.parametrize("format_name", ["ICNS", "TGA", "PCX", "PDF", "EPS"])
def test_formats_off_the_list_are_not_images(format_name):
    data = encoded(photo(32, 32), format_name)
    with pytest.raises(UserError, match="not an image"):
        decoded(data)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(("orientation", "turn"), [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_270)])
def test_orientation_is_applied_once(format_name, orientation, turn):
    exif = Image.Exif()
    exif[0x112] = orientation
    options = {} if format_name in ("PNG", "TIFF") else {"quality": 95}
    image = decoded(encoded(photo(), format_name, exif=exif, **options))
    expected = photo().transpose(turn)
    assert image.size == expected.size
    assert distance(image, expected) < (1 if format_name in ("PNG", "TIFF") else 40)


def test_a_broken_exif_block_is_no_obstacle():
    data = encoded(photo(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x09")
    assert decoded(data).size == (31, 24)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [photo(), photo().transpose(Image.Transpose.ROTATE_180)]
    for format_name in ("GIF", "PNG", "WEBP"):
        data = encoded(frames[0], format_name, save_all=True, append_images=frames[1:])
        assert distance(decoded(data), frames[0]) < 30


def test_a_jpeg_that_holds_several_pictures_opens_as_its_first():
    data = encoded(photo(), "MPO", save_all=True, append_images=[photo().rotate(180)])
    assert distance(decoded(data), photo()) < 40


@pytest.mark.parametrize("mode", ["1", "L"])
def test_gray_is_repeated_in_all_channels(mode):
    source = photo().convert(mode)
    image = decoded(encoded(source, "PNG"))
    assert image.mode == "RGB"
    assert distance(image, source.convert("L").convert("RGB")) == 0


def test_a_palette_is_looked_up_and_its_transparent_entry_becomes_alpha():
    source = photo().quantize(16)
    assert distance(decoded(encoded(source, "PNG")), source.convert("RGB")) == 0
    image = decoded(encoded(source, "PNG", transparency=3))
    assert image.mode == "RGBA"
    assert distance(image.getchannel("A"), np.where(np.asarray(source) == 3, 0, 255)) == 0
    assert distance(image.convert("RGB"), source.convert("RGB")) == 0


def test_a_colour_marked_transparent_becomes_alpha():
    marked = photo().getpixel((5, 7))
    image = decoded(encoded(photo(), "PNG", transparency=marked))
    assert image.getpixel((5, 7)) == (*marked, 0)
    assert image.getpixel((6, 7))[3] == 255
    gray = decoded(encoded(photo().convert("L"), "PNG", transparency=photo().convert("L").getpixel((5, 7))))
    assert gray.mode == "RGBA"
    assert gray.getpixel((5, 7))[3] == 0


def test_sixteen_bit_gray_is_divided_by_257_and_rounded():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.floor(values / 257 + 0.5).astype(np.uint8)
    for data in (encoded(Image.fromarray(values), name) for name in ("PNG", "TIFF", "PPM")):
        image = decoded(data)
        assert image.mode == "RGB"
        assert distance(image, np.stack([expected] * 3, -1)) == 0


def test_sixteen_bit_gray_keeps_the_value_marked_transparent():
    rows = np.array([[0, 1000, 1001], [65535, 1000, 7]])
    image = decoded(png(0, 16, rows, (b"tRNS", struct.pack(">H", 1000))))
    assert np.asarray(image.getchannel("A")).tolist() == [[255, 0, 255], [255, 0, 255]]


def test_sixteen_bit_colour_is_right_to_one_level():
    rows = np.random.default_rng(0).integers(0, 65536, (6, 5, 3))
    assert distance(decoded(png(2, 16, rows)), np.rint(rows / 257)) <= 1


def test_whole_numbers_past_sixteen_bits_are_refused():
    data = encoded(Image.fromarray(np.array([[0, 65536]], dtype=np.int32)), "TIFF")
    with pytest.raises(UserError, match=r"photo holds values outside 0 to 65535 .*8 or 16 bits"):
        decoded(data)


def test_floating_point_runs_from_black_at_0_to_white_at_1():
    values = np.array([[0, 0.25, 0.5, 1]], dtype=np.float32)
    for name in ("TIFF", "PPM"):
        image = decoded(encoded(Image.fromarray(values), name))
        assert [image.getpixel((x, 0))[0] for x in range(4)] == [0, 64, 128, 255]


@pytest.mark.parametrize("wrong", [-0.1, 1.5, float("nan"), float("inf")])
def test_floating_point_outside_0_to_1_is_refused(wrong):
    data = encoded(Image.fromarray(np.array([[0, wrong]], dtype=np.float32)), "TIFF")
    with pytest.raises(UserError, match="outside 0 to 1 "):
        decoded(data)


def test_cmyk_without_a_profile_is_plain_ink():
    inks = np.random.default_rng(0).integers(0, 256, (8, 8, 4)).astype(np.uint8)
    image = decoded(encoded(Image.fromarray(inks, "CMYK"), "TIFF"))
    paper = 255 - inks.astype(float)
    assert distance(image, np.rint(paper[..., :3] * paper[..., 3:] / 255)) <= 1


def test_lab_and_ycbcr_are_converted():
    to_lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(photo(), *to_lab, outputMode="LAB")
    assert np.abs(np.asarray(decoded(encoded(lab, "TIFF")), int) - np.asarray(photo(), int)).mean() < 1.5
    assert distance(decoded(encoded(photo().convert("YCbCr"), "TIFF")), photo()) <= 3


def test_alpha_is_kept():
    rgba = put_alpha(photo(), photo().getchannel(0))
    assert distance(decoded(encoded(rgba, "PNG")), rgba) == 0
    gray = photo().convert("LA")
    gray.putalpha(photo().getchannel(1))
    assert distance(decoded(encoded(gray, "PNG")), gray.convert("RGBA")) == 0


def matrix_profile(primaries, gamma):
    """A colour profile of three primaries (columns of XYZ for white D50) and one gamma."""

    def entry(value):
        return struct.pack(">i", round(value * 65536))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78 + 12)
    white = b"XYZ \0\0\0\0" + entry(0.9642) + entry(1.0) + entry(0.8249)
    columns = [b"XYZ \0\0\0\0" + b"".join(entry(v) for v in column) for column in np.transpose(primaries)]
    names = (b"desc", b"cprt", b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    parts = (text, b"text\0\0\0\0x\0\0\0", white, *columns, curve, curve, curve)
    table, body, offset = struct.pack(">I", len(names)), b"", 128 + 4 + 12 * len(names)
    for name, part in zip(names, parts, strict=True):
        table += name + struct.pack(">II", offset + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(128 - len(header) - 60) + entry(0.9642) + entry(1.0) + entry(0.8249)
    return header + bytes(128 - len(header)) + table + body


D50_SRGB = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])


def srgb_curve(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_an_embedded_profile_is_converted_to_srgb():
    profile = matrix_profile(D50_SRGB, gamma=1.0)  # same primaries, linear light
    image = decoded(encoded(photo(), "PNG", icc_profile=profile))
    expected = srgb_curve(np.asarray(photo()) / 255) * 255
    assert np.abs(np.asarray(image) - expected).max() < 2
    swapped = decoded(encoded(photo(), "PNG", icc_profile=matrix_profile(D50_SRGB[:, ::-1], gamma=1.0)))
    assert np.abs(np.asarray(swapped)[..., ::-1] - expected).max() < 2


def test_an_rgb_profile_counts_for_gray_too_and_alpha_is_left_alone():
    source = photo().convert("LA")
    source.putalpha(photo().getchannel(0))
    image = decoded(encoded(source, "PNG", icc_profile=matrix_profile(D50_SRGB, gamma=1.0)))
    expected = srgb_curve(np.asarray(source)[..., :1] / 255) * 255
    assert np.abs(np.asarray(image)[..., :3] - expected).max() < 2
    assert distance(image.getchannel("A"), source.getchannel("A")) == 0


def test_a_profile_of_srgb_itself_changes_nothing():
    assert distance(decoded(encoded(photo(), "PNG", icc_profile=srgb())), photo()) <= 1


@pytest.mark.parametrize("profile", [b"no profile", srgb()[:200], srgb()[:128] + bytes(460)])
def test_a_broken_profile_is_ignored(profile):
    assert distance(decoded(encoded(photo(), "PNG", icc_profile=profile)), photo()) == 0


def test_a_profile_for_other_channels_is_ignored():
    source = photo().convert("CMYK")
    plain = decoded(encoded(source, "TIFF"))
    assert distance(decoded(encoded(source, "TIFF", icc_profile=srgb())), plain) == 0


def test_an_opened_picture_carries_no_metadata():
    exif = Image.Exif()
    exif[0x10E] = "a secret place"
    image = decoded(encoded(photo(), "JPEG", exif=exif, icc_profile=srgb(), comment="secret", dpi=(72, 72)))
    assert image.info == {}
    assert not image.getexif()


# ── opening: what is wrong ───────────────────────────────────────────────────────────────────────


def refused(path):
    with pytest.raises(UserError) as caught:
        open_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_file_a_folder_and_an_empty_file_are_named_as_such(tmp_path):
    (tmp_path / "empty.png").touch()
    assert "does not exist" in refused(tmp_path / "missing.png")
    assert "is a folder" in refused(tmp_path)
    assert "is an empty file" in refused(tmp_path / "empty.png")


def test_a_text_is_not_an_image(tmp_path):
    (tmp_path / "photo.png").write_text("I am a picture, honestly.")
    assert "not an image" in refused(tmp_path / "photo.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in refused(tmp_path / "pipe.png")


def test_an_impossible_path_is_refused():
    with pytest.raises(UserError):
        open_image("a\0b.png")


def test_a_name_that_cannot_be_printed_is_escaped(tmp_path):
    with pytest.raises(UserError, match=r"two\\nlines.png does not exist"):
        open_image(tmp_path / "two\nlines.png")
    with pytest.raises(UserError, match=r"\\udcff.png does not exist"):
        open_image(tmp_path / "\udcff.png")


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path, format_name, part):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    data = encoded(noise, format_name)
    path = tmp_path / "photo.img"
    path.write_bytes(data[: int(len(data) * part)])
    refused(path)


def test_a_damaged_file_is_refused(tmp_path):
    data = bytearray(encoded(photo(), "PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    (tmp_path / "photo.png").write_bytes(data)
    assert "is damaged or cut short" in refused(tmp_path / "photo.png")


def test_a_bomb_is_refused_from_its_header_before_it_is_decoded(tmp_path, monkeypatch):
    def explode(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", explode)
    path = tmp_path / "bomb.png"
    for width, height in ((13_378, 13_378), (60_000, 60_000)):  # past ours, and far past Pillow's own
        data = bytearray(png(0, 8, np.zeros((1, 1))))
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        path.write_bytes(data)
        assert "too many pixels" in refused(path)
        with pytest.raises(UserError, match="too many pixels"):
            image_size(path)


def test_the_limit_holds_where_a_program_has_switched_off_the_one_of_pillow(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(images, "MAX_PIXELS", 31 * 24 - 1)
    path = tmp_path / "photo.png"
    photo().save(path)
    assert "31x24 (the limit is 743)" in refused(path)
    monkeypatch.setattr(images, "MAX_PIXELS", 31 * 24)
    assert open_image(path).size == (31, 24)


def test_a_large_picture_below_the_limit_gives_no_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)  # Pillow warns from here, refuses from twice this
    photo().save(tmp_path / "photo.png")
    assert open_image(tmp_path / "photo.png").size == (31, 24)
    assert image_size(tmp_path / "photo.png") == (31, 24)


@pytest.mark.parametrize("name", ["photo.heic", "photo.jpg"])
def test_heic_without_its_package_names_the_extra(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    assert "swapae[heic]" in refused(tmp_path / name)


def test_heic_is_read_through_its_package():
    heif = pytest.importorskip("pillow_heif", reason="the optional package pillow-heif is not installed")
    heif.register_heif_opener()
    assert distance(decoded(encoded(photo(), "HEIF", quality=95)), photo()) < 40


def damaged(data, rng):
    """Change, flip, cut or insert bytes at up to five places, half of the time near the head."""
    data = bytearray(data)
    reach = 120 if rng.random() < 0.5 else len(data)
    for _ in range(rng.integers(1, 6)):
        place, count = int(rng.integers(min(reach, len(data)))), int(rng.integers(1, 9))
        match int(rng.integers(4)):
            case 0:
                data[place] = int(rng.integers(256))
            case 1:
                data[place] ^= 1 << int(rng.integers(8))
            case 2 if len(data) > count + 1:
                del data[place : place + count]
            case _:
                data[place:place] = rng.bytes(count)
    return bytes(data)


@pytest.mark.parametrize("format_name", FORMATS)
def test_damaged_bytes_open_or_are_refused_and_nothing_else(format_name, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 10**6)  # a mutant may declare many pixels: slow, not wrong
    rng = np.random.default_rng(FORMATS.index(format_name))
    exif = Image.Exif()
    exif[0x112] = 6
    extras = {"exif": exif, "icc_profile": srgb()} if format_name in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF") else {}
    seeds = [encoded(photo(), format_name, **extras), encoded(photo().convert("L"), format_name)]
    outcomes = {"opened": 0, "refused": 0}
    for round_number in range(60):
        try:
            image = decoded(damaged(seeds[round_number % 2], rng))
            assert image.mode in ("RGB", "RGBA")
            outcomes["opened"] += 1
        except UserError as error:
            assert "\n" not in str(error)
            outcomes["refused"] += 1
    assert outcomes["refused"] > 0


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
    values = np.full((3, 1, 6), [-7, -1, (100.6 / 127.5) - 1, (100.4 / 127.5) - 1, 1, np.inf], dtype=np.float64)
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
    stripes = Image.fromarray(np.tile(np.array([[0], [255]], dtype=np.uint8), (32, 64)).repeat(3).reshape(64, 64, 3))
    small = np.asarray(resize(stripes, (8, 8)), dtype=int)
    assert small.shape == (8, 8, 3)
    assert small[2:-2].min() > 115
    assert small[2:-2].max() < 140


def test_a_grid_puts_every_picture_in_the_middle_of_its_cell():
    red, blue = Image.new("RGB", (4, 2), "red"), Image.new("RGB", (2, 6), "blue")
    sheet = grid([[None, red], [blue]], gap=3, background=(1, 2, 3))
    assert sheet.size == (2 + 3 + 4, 2 + 3 + 6)
    pixels = np.asarray(sheet)
    assert (pixels[0:2, 5:9] == (255, 0, 0)).all()
    assert (pixels[5:11, 0:2] == (0, 0, 255)).all()
    assert (pixels == (1, 2, 3)).all(-1).sum() == sheet.width * sheet.height - 8 - 12
    assert grid([[red], [blue]]).getpixel((1, 4)) == (0, 0, 255)
    glass = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    assert grid([[glass]]).getpixel((0, 0)) == (255, 255, 255)
    for nothing in ([], [[]], [[None]]):
        with pytest.raises(ValueError, match="at least one"):
            grid(nothing)


# ── saving ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".ppm"])
def test_a_picture_is_saved_by_its_suffix_and_opens_again(tmp_path, suffix):
    path = tmp_path / "new" / "folders" / f"photo{suffix}"
    save_image(photo(), path)
    assert distance(open_image(path), photo()) <= (0 if suffix in (".png", ".tif", ".tiff", ".bmp", ".ppm") else 20)
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
