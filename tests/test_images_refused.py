"""Every file that is no sound picture is refused by one sentence with its path, and nothing worse happens."""

import logging
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.pictures import FORMATS, decoded, encoded, photo

from swapae.errors import UserError
from swapae.images import image_size, open_image
from swapae_onnx import images


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


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

    whole = encoded(photo(), "PNG")
    monkeypatch.setattr(Image.Image, "load", explode)
    path = tmp_path / "bomb.png"
    for width, height in ((13_378, 13_378), (60_000, 60_000)):  # past ours, and far past Pillow's own
        data = bytearray(whole)
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
    extras = (
        {"exif": exif, "icc_profile": srgb()}
        if format_name in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")
        else {}
    )
    seeds = [encoded(photo(), format_name, **extras), encoded(photo().convert("L"), format_name)]
    outcomes = {"opened": 0, "refused": 0}
    for round_number in range(60):
        try:
            image = decoded(damaged(seeds[round_number % 2], rng))
            assert image.mode in ("RGB", "RGBA")
            outcomes["opened"] += 1
        except UserError:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 0


@pytest.mark.parametrize("format_name", ["ICNS", "TGA", "PCX", "PDF", "EPS"])
def test_formats_off_the_list_are_not_images(format_name):
    data = encoded(photo(32, 32), format_name)
    with pytest.raises(UserError, match="not an image"):
        decoded(data)


def test_nothing_is_printed_beside_the_sentence(tmp_path, monkeypatch, capfd):
    data = encoded(photo(8, 8), "TIFF")
    samples = struct.pack("<HHI", 277, 3, 1)  # Pillow logs an error where a file claims so many
    assert data.count(samples) == 1
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's own, without which Python prints it
    (tmp_path / "a.tif").write_bytes(data.replace(samples + b"\3", samples + b"\xfd"))
    refused(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")
