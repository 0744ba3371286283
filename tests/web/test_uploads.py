"""What is sent as a picture: counted, bounded, decoded apart, and refused in a sentence."""

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.web.double import Making
from tests.web.servers import RAW, Running, png, upload

from swapae.web.decoder import DecodingLimits
from swapae.web.intake import Decoded
from swapae.web.settings import StudioSettings

LIMITS = DecodingLimits(pixels=1_000_000, side=64, seconds=5, memory=2**30)
MOST = 100_000


@pytest.fixture(scope="module")
def server(make_running: object) -> Running:
    return make_running(Making(), StudioSettings(max_upload=MOST, decoding=LIMITS))  # type: ignore[operator]


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as one:
        yield one


def post(client: httpx.Client, data: object, where: str = "images", **headers: str) -> httpx.Response:
    return client.post(f"/api/v1/{where}", content=data, headers=RAW | headers)  # type: ignore[arg-type]


def bomb(width: int, height: int) -> bytes:
    """A PNG that declares what it does not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")


def test_a_body_past_the_limit_is_refused_by_what_it_declares(client: httpx.Client) -> None:
    answer = post(client, b"a" * (MOST + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "large")


def test_a_body_that_declares_nothing_is_counted_while_it_streams(client: httpx.Client) -> None:
    sent = 0

    def stream() -> object:
        nonlocal sent
        for _ in range(10_000):
            sent += 10_000
            yield b"a" * 10_000

    try:
        assert post(client, stream()).status_code == 413
    except httpx.HTTPError:  # closed while we were still sending
        pass
    assert sent < 100_000_000


def test_an_upload_of_another_type_is_refused(client: httpx.Client) -> None:
    for kind in ("image/png", "multipart/form-data; boundary=x", "application/json"):
        answer = client.post("/api/v1/images", content=png(), headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "type")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"a", 415),
        (b"GIF89a", 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"\x89PNG\r\n\x1a\n", 415),
        (png()[:60], 422),
        (png(150, 150)[:-5000], 422),
        (bomb(50_000, 50_000), 422),
        (bomb(1_000_000_000, 1), 422),
        (bomb(900, 900), 422),
        (bomb(0, 0), 415),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, 415),
        (b"SIMPLE  =                    T" + b" " * 3000, 415),  # FITS
        (b"%PDF-1.4\n", 415),
        (b"\0\0\0\x18ftypheic" + b"\0" * 100, 422),
    ],
)
def test_what_is_no_sound_picture_is_refused(client: httpx.Client, data: bytes, status: int) -> None:
    answer = post(client, data)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].endswith(".")
    assert answer.json()["error"].count(". ") == 0


def test_a_mask_must_be_a_png(client: httpx.Client) -> None:
    assert post(client, png(format="JPEG"), "masks").status_code == 415
    assert post(client, png(mode="L"), "masks").status_code == 201


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_common_formats_are_taken(client: httpx.Client, kind: str) -> None:
    assert post(client, png(format=kind)).status_code == 201


def test_a_picture_is_turned_upright_and_made_no_larger_than_the_studio_works_on(
    client: httpx.Client,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    answer = post(client, png(80, 40, format="JPEG", exif=exif)).json()
    assert (answer["width"], answer["height"], answer["shrunk"]) == (32, 64, True)
    small = post(client, png(40, 20)).json()
    assert (small["width"], small["height"], small["shrunk"]) == (40, 20, False)


def test_transparency_is_laid_over_white(client: httpx.Client) -> None:
    clear = Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    file = io.BytesIO()
    clear.save(file, "PNG")
    white = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), 255, np.uint8)).save(white, "PNG")
    assert upload(client, file.getvalue()) == upload(client, white.getvalue())


def test_files_that_wait_to_be_decoded_are_few_and_do_not_wait_for_ever(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, go, begun = server.app.desk, threading.Event(), []
    monkeypatch.setattr(desk, "settings", replace(desk.settings, max_uploads=3, deadline=3))

    def slow(*_: object) -> Decoded:
        begun.append(1)
        assert go.wait(60)
        return Decoded(np.zeros((4, 4, 3), np.uint8), False)

    monkeypatch.setattr(desk.intake, "_decode", slow)
    with ThreadPoolExecutor(8) as pool, server.client() as client:
        answers = list(pool.map(lambda _: post(client, png()).status_code, range(8)))
        assert sorted(answers) == [429] * 5 + [504] * 3
        assert len(begun) == 1  # those that gave up left nothing behind for the decoder to do
        go.set()
        assert post(client, png()).status_code == 201


def test_a_decoder_that_is_gone_is_replaced(server: Running, client: httpx.Client) -> None:
    upload(client, png())
    process = server.app.desk.intake._process
    assert process is not None
    process.kill()
    process.join()
    upload(client, png(seed=5))
    assert server.app.desk.intake._process is not process
