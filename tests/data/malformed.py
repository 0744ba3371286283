"""A folder of ten thousand files as the world has them: nine thousand sound ones, a thousand that are not.

Sound ones are of every format and mode that is read. What is damaged was made so that no decoder accepts it:
Pillow, asked plainly, refuses every mutant that is used here. All is drawn from one seed.
"""

import io
import os
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif", "TIFF": "tif"}
SIDE = 12

# A part of the reason that must be given for each kind of file.
REASONS = {
    "mutated": ("is damaged or cut short", "is not an image", "has too many pixels", "holds values outside"),
    "truncated": ("is damaged or cut short", "is not an image"),
    "empty": ("is an empty file",),
    "renamed": ("is not an image",),
    "bomb": ("has too many pixels", "is damaged or cut short"),
    "lost": ("does not exist",),
    "pipe": ("is not a regular file",),
}


def pixels(rng, mode="RGB", size=(SIDE, SIDE)):
    channels = {"RGB": 3, "RGBA": 4, "CMYK": 4, "LA": 2}.get(mode)
    shape = (size[1], size[0], channels) if channels else (size[1], size[0])
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, shape, dtype=np.uint16))
    image = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8), mode if mode == "CMYK" else None)
    return image if mode in ("RGB", "RGBA", "CMYK", "LA") else image.convert(mode)


def saved(image, format_name, **options):
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def oriented(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def sound(rng):
    """A few hundred (suffix, bytes) of pictures that can be used."""
    files = []
    for _ in range(12):
        files += [(suffix, saved(pixels(rng), kind)) for kind, suffix in FORMATS.items()]
        files += [(s, saved(pixels(rng, "L"), kind)) for kind, s in FORMATS.items() if kind != "AVIF"]
        files += [("png", saved(pixels(rng, mode), "PNG")) for mode in ("I;16", "RGBA", "LA", "1")]
        files += [("tif", saved(pixels(rng, mode), "TIFF")) for mode in ("I;16", "CMYK", "RGBA")]
        files += [("jpg", saved(pixels(rng, "CMYK"), "JPEG")), ("webp", saved(pixels(rng, "RGBA"), "WEBP"))]
        files += [("png", saved(pixels(rng).quantize(16), "PNG", transparency=3))]
        files += [("gif", saved(pixels(rng).quantize(8), "GIF", transparency=1))]
        files += [("bmp", saved(pixels(rng), "BMP")), ("ppm", saved(pixels(rng), "PPM"))]
        frames = [pixels(rng) for _ in range(2)]
        files += [("gif", saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))]
    for orientation in range(1, 9):
        files += [("jpg", saved(pixels(rng, size=(16, 10)), "JPEG", exif=oriented(orientation)))]
        files += [("png", saved(pixels(rng, size=(16, 10)), "PNG", exif=oriented(orientation)))]
    files += [
        ("png", saved(pixels(rng, "L", (1, 20_000)), "PNG")),
        ("png", saved(pixels(rng, "L", (20_000, 1)), "PNG")),
    ]
    return files


def is_refused(data):
    """Whether Pillow itself, with every format it has, refuses a file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(io.BytesIO(data)).load()
    except Exception:  # whatever its decoders raise
        return True
    return False


def mutated(data, rng):
    """Change, flip, cut or insert bytes at up to six places, mostly near the head."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 7)):
        place = int(rng.integers(min(60, len(data)) if rng.random() < 0.7 else len(data)))
        match int(rng.integers(4)):
            case 0:
                data[place] = int(rng.integers(256))
            case 1:
                data[place] ^= 1 << int(rng.integers(8))
            case 2 if len(data) > 20:
                del data[place : place + int(rng.integers(1, 9))]
            case _:
                data[place:place] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(data)


def mutants(rng, count):
    """Mutants of every format that no decoder accepts, as many of each."""
    kinds = list(FORMATS.items())
    wholes = {kind: [saved(pixels(rng), kind), saved(pixels(rng, size=(20, 16)), kind)] for kind, _ in kinds}
    found = []
    while len(found) < count:
        kind, suffix = kinds[len(found) % len(kinds)]
        data = mutated(wholes[kind][int(rng.integers(2))], rng)
        if is_refused(data):
            found.append((suffix, data))
    return found


def truncated(rng, count):
    kinds = list(FORMATS.items())
    found = []
    while len(found) < count:
        kind, suffix = kinds[len(found) % len(kinds)]
        data = saved(pixels(rng, size=(20, 16)), kind)
        data = data[: int(rng.integers(1, len(data)))]
        if is_refused(data):
            found.append((suffix, data))
    return found


def renamed(rng, count):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr("a.png", b"x")
    texts = [
        b"I am a picture, honestly.",
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ]
    texts += [
        b"%PDF-1.7\n",
        b"MZ" + bytes(64),
        archive.getvalue(),
        bytes(200),
        b"\xff" * 50,
        b"GIF89",
        b"RIFF",
    ]
    suffixes = list(FORMATS.values())
    return [(suffixes[i % 6], texts[i % len(texts)] + b" " * (i // len(texts))) for i in range(count)]


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bombs(rng, count):
    """Files that declare far more pixels, or text, than they are long."""
    found = []
    small = pixels(rng)
    for i in range(count):
        side = 20_000 + 500 * i
        match i % 5:
            case 0:
                head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
                body = png_chunk(b"IHDR", head) + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
                found.append(("png", b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")))
            case 1:
                data = bytearray(saved(small, "BMP"))
                data[18:26] = struct.pack("<ii", side, side)
                found.append(("bmp", bytes(data)))
            case 2:
                data = bytearray(saved(small, "GIF"))
                data[6:10] = struct.pack("<HH", min(side, 65_000), min(side, 65_000))
                found.append(("gif", bytes(data)))
            case 3:
                data = saved(small, "JPEG")
                place = data.index(b"\xff\xc0") + 5
                size = struct.pack(">HH", min(side, 65_000), min(side, 65_000))
                found.append(("jpg", data[:place] + size + data[place + 4 :]))
            case _:
                whole = saved(small, "PNG")
                text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000 // (1 + i)), 1))
                found.append(("png", whole[:33] + text * (2 + i) + whole[33:]))
    return [(suffix, data) for suffix, data in found if is_refused(data)]


def ten_thousand(root: Path, num_sound: int = 9000, num_bad: int = 1000) -> dict[str, str]:
    """Write the files; return the relative path of every malformed one, and its kind."""
    rng = np.random.default_rng(20261125)
    bad = [("bomb", file) for file in bombs(rng, 25)]
    bad += [("empty", (suffix, b"")) for suffix in list(FORMATS.values()) * 10]
    bad += [("renamed", file) for file in renamed(rng, 150)]
    bad += [("truncated", file) for file in truncated(rng, 250)]
    bad += [("lost", ("png", b""))] * 5 + [("pipe", ("jpg", b""))] * 2
    bad += [("mutated", file) for file in mutants(rng, num_bad - len(bad))]
    kinds = {}
    places = np.sort(rng.choice(num_sound + num_bad, num_bad, replace=False)).tolist()
    shuffled = [bad[i] for i in rng.permutation(len(bad))]
    for number, (kind, (suffix, data)) in zip(places, shuffled, strict=True):
        name = f"{number // 500:02}/{number:05}.{suffix}"
        put(root / name, data, kind)
        kinds[name] = kind
    originals = sound(rng)
    first: dict[int, Path] = {}
    sound_places = sorted(set(range(num_sound + num_bad)) - set(places))
    for turn, number in enumerate(sound_places):
        which = turn % len(originals)
        suffix, data = originals[which]
        path = root / f"{number // 500:02}" / f"{number:05}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if which in first:
            os.link(first[which], path)
        else:
            path.write_bytes(data)
            first[which] = path
    return kinds


def put(path, data, kind):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "lost":
        path.symlink_to(path.with_suffix(".gone"))
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(data)
