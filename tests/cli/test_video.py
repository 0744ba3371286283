"""`swapae video`, and `mix` to a video."""

import json
import os
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.cli.tools import Photo, Streams, pixels, run
from tests.video.clips import clip, facts_of, frames_of, picture

from swapae import SwappingAutoencoder, open_image
from swapae.cli.common import Common, UsageError
from swapae.cli.frame_count import FrameCount
from swapae.cli.moments import keyframes_of, seconds_of
from swapae.editing import interpolate


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return clip(tmp_path / "in" / "a.mp4", [25 * i for i in range(6)], sound="aac")


def test_a_video_takes_the_texture_of_a_photo_by_keyframes(
    source: Path, photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    texture, out = photo("t.png", seed=5), tmp_path / "frames"
    words = ("--texture", texture, "--strength", "0:0", "0.125:1", "--smooth", 0)
    assert run("video", source, *words, "-m", tiny_model, "-o", out, "--json") == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert report.pop("output") == str(out)
    assert report == {"frames": 6, "seconds": 0.25, "size": [20, 16], "audio_streams": 0, "notes": []}
    other = net.encode_image(open_image(texture))
    for number, shown in enumerate(frames_of(source)[0]):
        own = net.encode_image(_as_image(shown))
        expected = net.decode_image(interpolate(own, other, texture=min(1, number / 3)))
        made = pixels(out / f"{number:06}.png").astype(int)
        assert np.abs(made - np.asarray(expected)).mean() < 3, number


def _as_image(shown: np.ndarray):
    from PIL import Image

    return Image.fromarray(shown)


def test_a_part_of_a_video_keeps_its_sound_and_says_what_it_wrote(
    source: Path, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    out = tmp_path / "o.mp4"
    assert run("video", source, "-m", tiny_model, "-o", out, "--start", "0:00.125", "--end", 0.25) == 0
    assert capsys.readouterr().out == f"wrote {out}: 3 frames of 20x16, 0.12 s\n"
    assert len(frames_of(out)[0]) == 3


def test_an_interrupt_ends_with_130_and_leaves_nothing(
    source: Path, tiny_model: Path, tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(self: FrameCount, number: int, _: object) -> None:
        if number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(FrameCount, "frame", press)
    assert run("video", source, "-m", tiny_model, "-o", tmp_path / "new" / "o.mp4") == 130
    assert os.listdir(tmp_path / "new") == []
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--smooth", "-1"), "--smooth must be a number of seconds"),
        (("--quality", "0"), "--quality must be from 1 to 100, not 0"),
        (("--max-side", "3"), "--max-side must be 16 pixels or more"),
        (("--fps", "0"), "--fps must be from 0.01 to 1000"),
        (("--start", "2", "--end", "1:00:00:00"), "--end 1:00:00:00 is no moment"),
        (("--start", "2", "--end", "2"), "--end must come after --start"),
        (("--strength", "0:0", "1"), "as in 0:0 3.5:1, not '1'"),
        (("--strength", "1:0", "1:2"), "later than the one before"),
        (("--strength", "a"), "takes numbers"),
        (("--weights", "1"), "mix textures, two or more: there is none"),
        (("--along", "texture1"), "--along takes NAME=STRENGTH"),
    ],
)
def test_words_that_mean_nothing_are_a_usage_error(
    words: tuple[str, ...], message: str, source: Path, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    assert run("video", source, *words, "-m", tiny_model, "-o", tmp_path / "o.mp4") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


def test_a_rate_is_for_folders(source: Path, tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    assert run("video", source, "--fps", 5, "-m", tiny_model, "-o", tmp_path / "o.mp4") == 1
    assert "has a frame rate of its own" in capsys.readouterr().err


def test_words_about_time_are_read() -> None:
    assert seconds_of("--start", "90") == seconds_of("--start", "1:30") == 90
    assert seconds_of("--start", "1:02:03.5") == Fraction(7447, 2)
    ramp = keyframes_of("--weights", ["0:1,0", "2:0,1"], 2)
    assert ramp.at(0.5) == (0.75, 0.25)
    assert keyframes_of("--weights", ["1", "2"], 2).at(9) == (1.0, 2.0)
    for words, num in ((["1", "2", "3"], 2), (["0:1"], 2), (["0:1,2"], 1), (["x:1"], 1)):
        with pytest.raises(UsageError, match="--weights"):
            keyframes_of("--weights", words, num)
    for text in ("", "-1", "1:60", "1:-1", "1/2", "nan", "a:1"):
        with pytest.raises(UsageError, match="is no moment"):
            seconds_of("--end", text)


def test_the_time_left_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Streams) -> None:
    count = FrameCount(Common())
    count.start(100)
    assert count.line(25, 5) == "25 of about 100 frames, 5.0 a second, 15 s left"
    monkeypatch.setattr("swapae.cli.frame_count.EVERY", 0.0)
    count.frame(10, None)
    assert re.fullmatch(r"10 of about 100 frames, [\d.]+ a second, \d+ s left\n", capsys.readouterr().err)
    count.start(None)
    assert count.line(25, 5) == "25 frames, 5.0 a second"
    quiet = FrameCount(Common(quiet=True))
    quiet.start(10)
    quiet.frame(1, None)
    assert capsys.readouterr().err == ""


def test_a_mix_becomes_a_video(
    photo: Photo, tiny_model: Path, net: SwappingAutoencoder, tmp_path: Path, capsys: Streams
) -> None:
    a, b, out = photo("a.png", seed=1), photo("b.png", seed=2), tmp_path / "morph.mp4"
    arguments = ("--steps", 5, "--fps", 12.5, "--of", "both", "--path", "sphere", "-m", tiny_model, "-o", out)
    assert run("mix", a, b, *arguments) == 0
    assert capsys.readouterr().out == f"wrote 5 frames to {out}\n"
    shown, times = frames_of(out)
    assert times == [Fraction(2 * i, 25) for i in range(5)]
    assert facts_of(out)["seconds"] == 0.4
    own, other = (net.encode_image(file) for file in (a, b))
    expected = net.decode_image(interpolate(own, other, structure=0.5, texture=0.5))
    assert np.abs(shown[2].astype(int) - np.asarray(expected)).mean() < 6
    assert run("mix", a, b, *arguments) == 1
    assert run("mix", a, b, *arguments[:2], "--fps", 0, *arguments[4:], "--force") == 2


def test_the_clips_of_these_tests_are_what_they_say(source: Path) -> None:
    for number, shown in enumerate(frames_of(source)[0]):
        assert np.abs(shown.astype(int) - picture(number)).mean() < 4
