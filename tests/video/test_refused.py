"""Videos that are broken, cut short or none: one sentence each, and nothing half-written."""

import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.video.clips import BASE, TIMES, clip, picture

from swapae import SwappingAutoencoder, UserError
from swapae.video import Look, Span, edit_video, open_video
from swapae.video.source import Turn

LONG = [25 * i for i in range(48)]  # two seconds


def read(path: Path, span: Span = Span()) -> int:  # noqa: B008
    """Read all frames; tell how many there are."""
    with open_video(path, span) as source:
        return sum(1 for _ in source.frames())


def cut(path: Path, share: float) -> Path:
    """Cut a file short."""
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("none.mp4", None, "does not exist"),
        ("empty.mp4", b"", "is an empty file, not a video"),
        ("text.mp4", b"this is no video, only words. " * 40, "not a video that can be read, or is damaged"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n", "not a video"),
        ("list2.mkv", b"ffconcat version 1.0\nfile /etc/passwd\n", "not a video"),
        ("photo.png", b"\x89PNG", "is a picture, not a video: `swapae swap`"),
        ("moving.gif", b"GIF89a\x01", "damaged"),
    ],
)
def test_what_is_no_video_is_refused(name: str, data: bytes | None, message: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_lists_that_name_other_videos_open_none_of_them(tmp_path: Path) -> None:
    """FFmpeg would follow them, to any file and any host."""
    clip(tmp_path / "a.mkv", TIMES[:2])
    for name, text in (
        ("hls.mkv", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path}/a.mkv\n#EXT-X-ENDLIST\n"),
        ("concat.mkv", f"ffconcat version 1.0\nfile {tmp_path}/a.mkv\n"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match="not a video that can be read"):
            read(tmp_path / name)


def test_a_file_of_sound_alone_has_no_moving_pictures(tmp_path: Path) -> None:
    path = tmp_path / "song.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=16000)
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.float32), format="fltp", layout="mono")
        wave.sample_rate, wave.pts = 16000, 0
        file.mux(stream.encode(wave))
        file.mux(stream.encode(None))
    with pytest.raises(UserError, match=r"song\.mkv has no moving pictures in it, only audio\."):
        read(path)


def test_an_empty_folder_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no pictures in it"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_video_that_is_cut_short_is_refused_with_the_part_that_can_be_had(
    name: str, tmp_path: Path
) -> None:
    path = clip(tmp_path / name, LONG, (48, 32), seed=0)
    if name == "a.mp4":  # its index at the front, as the web has it
        fast = tmp_path / "fast.mp4"
        with av.open(str(path)) as old, av.open(str(fast), "w", options={"movflags": "+faststart"}) as new:
            copy = new.add_stream_from_template(old.streams.video[0])
            for packet in old.demux(video=0):
                if packet.size:
                    packet.stream = copy
                    new.mux(packet)
        path = fast
    assert read(path) == 48
    cut(path, 0.6)
    with pytest.raises(
        UserError, match=r"is damaged or cut short at [\d.]+ s \(.*\): --end [\d.]+ takes"
    ) as caught:
        read(path)
    end = str(caught.value).split("--end ")[1].split()[0]
    assert 0.5 < float(end) < 1.6
    assert 12 < read(path, Span(end=Fraction(end))) < 40


def test_a_video_without_its_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a video that can be read, or is damaged"):
        read(cut(clip(tmp_path / "a.mp4", seed=0), 0.7))


def test_a_video_of_which_no_frame_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", TIMES[:3], (64, 48), seed=0)
    data = bytearray(path.read_bytes())
    middle = data.rindex(b"x264") + 600
    data[middle : len(data) - 200] = bytes(len(data) - 200 - middle)
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        read(path)


def test_damaged_bytes_end_in_one_sentence_or_in_frames(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", TIMES, (32, 32), seed=0)
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    told: list[str] = []
    for _ in range(25):
        data = bytearray(whole)
        for place in draw.integers(0, len(data), 6):
            data[place] = draw.integers(256)
        path.write_bytes(data)
        try:
            read(path)
        except UserError as error:
            told.append(str(error))
    assert len(told) > 5
    assert not any("\n" in one for one in told)


def test_pictures_at_a_slant_and_those_that_turn_on_their_way_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slant = (56756, 32768, 0, -32768, 56756, 0, 0, 0, 1 << 30)  # by 30 degrees
    with pytest.raises(UserError, match=r"is to be shown at a slant of 30°: turn it upright first\.$"):
        open_video(clip(tmp_path / "slant.mp4", TIMES[:2], matrix=slant))
    nearly = (10, 1 << 16, 0, -(1 << 16), 10, 0, 0, 0, 1 << 30)  # rounding is no slant
    with open_video(clip(tmp_path / "nearly.mp4", TIMES[:2], matrix=nearly)) as opened:
        assert opened.facts.size == (16, 20)

    def turning(decoded: Any) -> Turn | None:  # files of one stream say it once; broadcasts may say it anew
        return None if decoded.pts * decoded.time_base < TIMES[6] * BASE else (False, True, True)

    monkeypatch.setattr("swapae.video.source.turn_of", turning)
    with (
        open_video(clip(tmp_path / "turns.mp4")) as opened,
        pytest.raises(UserError, match=r"is turned another way from 0\.25 s on: cut it there with --end\.$"),
    ):
        list(opened.frames())


# ── nothing half-written ─────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def net(tiny_model: Path) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")


@pytest.mark.parametrize("out", ["o.mp4", "o.webm", "o.gif", "o.webp", "frames"])
def test_an_interrupt_leaves_nothing_behind(out: str, net: SwappingAutoencoder, tmp_path: Path) -> None:
    source = clip(tmp_path / "in" / "a.mkv", sound="aac")

    def stop(number: int, _: object) -> None:
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        edit_video(net, source, tmp_path / "out" / out, Look(), on_frame=stop)
    assert os.listdir(tmp_path / "out") == []


def test_a_source_that_breaks_leaves_the_old_output(net: SwappingAutoencoder, tmp_path: Path) -> None:
    source = cut(clip(tmp_path / "a.mkv", LONG, (32, 32), seed=0), 0.6)
    (tmp_path / "o.mp4").write_text("precious")
    with pytest.raises(UserError, match="exists already"):
        edit_video(net, source, tmp_path / "o.mp4", Look())
    with pytest.raises(UserError, match="cut short"):
        edit_video(net, source, tmp_path / "o.mp4", Look(), force=True)
    assert (tmp_path / "o.mp4").read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["a.mkv", "o.mp4"]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("a.mkv", "is the source itself"),
        ("o.avi", r"must end in \.mp4, .*or be a folder"),
        ("o.png", "must end"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_work(
    out: str, message: str, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    source = clip(tmp_path / "a.mkv", TIMES[:2])
    with pytest.raises(UserError, match=message):
        edit_video(net, source, tmp_path / out, Look(), force=True)
    assert os.listdir(tmp_path) == ["a.mkv"]


def test_without_pyav_one_sentence_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = clip(tmp_path / "a.mkv", TIMES[:1])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"videos need an extra: pip install 'swapae\[video\]'\."):
        open_video(source)


def test_a_folder_and_an_animation_are_read_without_pyav(
    net: SwappingAutoencoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    Image.fromarray(picture(0)).save(tmp_path / "a.gif")
    assert edit_video(net, tmp_path / "a.gif", tmp_path / "out", Look()).num_frames == 1
