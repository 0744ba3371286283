"""Every kind of picture is opened by its rule."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.pictures import FORMATS, decoded, encoded, photo

from swapae.errors import UserError
from swapae.images import image_size, open_image, put_alpha

LOSSLESS = ["PNG", "TIFF", "BMP", "PPM"]


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


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_allowed_format_opens_whatever_its_suffix(tmp_path, format_name):
    path = tmp_path / "photo.picture"
    path.write_bytes(encoded(photo(), format_name))
    image = open_image(path)
    assert (image.mode, image.size) == ("RGB", (31, 24))
    assert image_size(path) == (31, 24)
    if format_name in LOSSLESS:
        assert distance(image, photo()) == 0


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "turn"), [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_270)]
)
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
    values = np.arange(65536, dtype=np.uint16).reshape(512, 128)
    expected = np.floor(values / 257 + 0.5).astype(np.uint8)
    for data in (encoded(Image.fromarray(values), name) for name in ("PNG", "TIFF", "PPM")):
        image = decoded(data)
        assert image.mode == "RGB"
        assert distance(image, np.stack([expected] * 3, -1)) == 0


def test_sixteen_bit_gray_keeps_the_value_marked_transparent():
    rows = np.array([[0, 1000, 1001], [65535, 1000, 7]]).repeat(200, axis=0)
    image = decoded(png(0, 16, rows, (b"tRNS", struct.pack(">H", 1000))))
    assert distance(image.getchannel("A"), np.where(rows == 1000, 0, 255)) == 0
    assert distance(image.getchannel(0), np.rint(rows / 257)) == 0


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


def fixed_point(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def profile_of(kind, space, connection, tags):
    """A colour profile (ICC, version 2.1) from the body of each of its tags."""
    texts = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(90),
        b"cprt": b"text\0\0\0\0x\0",
    }
    white = b"XYZ \0\0\0\0" + fixed_point(0.9642, 1, 0.8249)
    tags = {**texts, b"wtpt": white, **tags}
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"test", 0x02100000, kind, space, connection)
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + fixed_point(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


def matrix_profile(primaries, gamma):
    """A profile of three primaries (columns of XYZ for white D50) and one gamma."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags = {
        name: b"XYZ \0\0\0\0" + fixed_point(*primaries[:, i])
        for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    }
    return profile_of(b"mntr", b"RGB ", b"XYZ ", {**tags, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


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


def ink_profile():
    """A CMYK profile in which only black ink shows: lightness 100 without it, 0 with all of it."""
    ramp = bytes(range(256))
    corners = b"".join(
        bytes([0 if corner & 1 else 255, 128, 128]) for corner in range(16)
    )  # black runs fastest
    identity = b"".join(struct.pack(">i", 65536 * (i in (0, 4, 8))) for i in range(9))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + corners + ramp * 3
    return profile_of(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def test_cmyk_with_a_profile_goes_by_it():
    inks = Image.merge(
        "CMYK", [Image.new("L", (3, 1), ink) for ink in (200, 30, 90)] + [Image.new("L", (3, 1))]
    )
    inks.putpixel((1, 0), (200, 30, 90, 128))
    inks.putpixel((2, 0), (0, 0, 0, 255))
    image = decoded(encoded(inks, "TIFF", icc_profile=ink_profile()))
    assert distance(image, [[[255] * 3, [118] * 3, [0] * 3]]) <= 3  # L* = 50 is level 118


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


def test_heic_is_read_through_its_package():
    heif = pytest.importorskip("pillow_heif", reason="the optional package pillow-heif is not installed")
    heif.register_heif_opener()
    assert distance(decoded(encoded(photo(), "HEIF", quality=95)), photo()) < 40
