"""What is told of one image."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.data.packs.tools import encoded, write_folder
from tests.pictures import landscape

from swapae.data.check.facts import Inspector, inspect
from swapae.data.packs.folder import FolderPack
from swapae.errors import UserError
from swapae.images import decode_image


def facts_of(image, format_name="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    size = buffer.tell()
    buffer.seek(0)
    return inspect(buffer, "a", size)


def distance(one, other):
    return (one.look ^ other.look).bit_count()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


PHOTO = landscape(320, 240, falloff=1.6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_and_look_are_those_of_the_upright_picture(orientation):
    found = facts_of(PHOTO, "JPEG", quality=95, exif=turned(orientation))
    assert found.orientation == orientation
    assert found.size == ((320, 240) if orientation < 5 else (240, 320))
    assert found.format == "JPEG"
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(_saved(orientation))))
    assert distance(found, facts_of(upright)) <= 2


def _saved(orientation):
    buffer = io.BytesIO()
    PHOTO.save(buffer, "JPEG", quality=95, exif=turned(orientation))
    return buffer.getvalue()


def test_the_look_survives_saving_and_resizing_and_tells_pictures_apart():
    whole = facts_of(PHOTO)
    for image, options in (
        (PHOTO, {"quality": 50}),
        (PHOTO.resize((160, 120)), {"quality": 80}),
        (PHOTO.resize((90, 68)), {"quality": 60}),
        (PHOTO.point(lambda level: level * 0.9 + 8), {"quality": 90}),
    ):
        assert distance(whole, facts_of(image, "JPEG", **options)) <= 4
    others = [facts_of(landscape(320, 240, seed, 1.6)) for seed in range(1, 8)]
    assert min(distance(whole, other) for other in others) > 10
    for other in (ImageOps.mirror(PHOTO), ImageOps.flip(PHOTO), PHOTO.rotate(90, expand=True)):
        assert distance(whole, facts_of(other)) > 10


def test_a_picture_of_one_colour_looks_like_nothing():
    assert facts_of(Image.new("RGB", (50, 40), "red")).look == 0
    assert facts_of(Image.new("RGB", (1, 1), "blue")).look == 0
    assert facts_of(Image.new("RGB", (50, 40), "red")).colors == bytes([255, 0, 0]) * 16


@pytest.mark.parametrize(
    ("image", "is_gray"),
    [
        (PHOTO.convert("L"), True),
        (PHOTO.convert("L").convert("RGB"), True),
        (PHOTO.convert("LA"), True),
        (PHOTO, False),
        (Image.new("1", (9, 9)), True),
        (Image.new("RGB", (9, 9), (100, 104, 100)), True),
        (Image.new("RGB", (9, 9), (100, 105, 100)), False),
    ],
)
def test_gray_is_what_shows_no_colour_however_it_is_stored(image, is_gray):
    assert facts_of(image).is_gray is is_gray


def test_one_coloured_spot_in_a_large_gray_picture_is_a_colour():
    image = Image.new("RGB", (600, 1300), (90, 90, 90))
    image.putpixel((599, 1299), (255, 0, 0))
    assert not facts_of(image).is_gray


def test_alpha_is_told_where_something_shows_through():
    solid = Image.new("RGBA", (8, 8), (10, 20, 30, 255))
    assert not facts_of(solid).has_alpha
    solid.putpixel((3, 3), (10, 20, 30, 254))
    assert facts_of(solid).has_alpha
    palette = Image.new("P", (8, 8))
    assert facts_of(palette, transparency=0).has_alpha
    assert facts_of(Image.new("RGBA", (8, 8))).colors == b"\xff" * 48


def test_what_cannot_be_decoded_in_full_is_an_error_and_not_an_exception(tmp_path):
    whole = encoded(0, (60, 60))
    files = {"a.png": whole, "cut.png": whole[:-200], "empty.png": b"", "text.jpg": b"no picture"}
    inspector = Inspector(FolderPack(write_folder(tmp_path, files)))
    found = [inspector(index) for index in range(4)]
    assert [one.name for one in found] == list(files)
    assert found[0].error is None
    assert (found[0].num_bytes, found[0].size, found[0].index) == (len(whole), (60, 60), 0)
    errors = [one.error for one in found[1:]]
    for error, words in zip(errors, ("cut short", "is an empty file", "not an image"), strict=True):
        assert words in error
    (tmp_path / "a.png").unlink()
    assert "does not exist" in inspector(0).error
    assert "makes the process that decodes it die" in inspector.died(0).error


@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_cut_or_changed_at_any_byte_a_file_is_refused_here_if_it_is_in_a_training(format_name):
    """To ask a PNG for its EXIF loads it, and once that has failed it loads again without a word."""

    def is_refused(decode, data):
        try:
            decode(io.BytesIO(data), "a")
        except UserError:
            return True
        return False

    data = encoded(0, (9, 8), format_name)
    damaged = [
        data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :] for place in range(8, len(data))
    ]
    damaged += [data[:length] for length in range(1, len(data))]
    ours, theirs = (
        [is_refused(decode, each) for each in damaged]
        for decode in (lambda file, name: inspect(file, name, 0), decode_image)
    )
    assert ours == theirs
    assert any(ours)


def test_nothing_is_hidden_from_the_caller():
    with pytest.raises(UserError, match="not an image"):
        inspect(io.BytesIO(b"text" * 9), "a", 36)
    rng = np.random.default_rng(0)
    assert facts_of(Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))).look < 2**63
