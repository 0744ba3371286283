"""Videos in and out: what is read, edited and written, by a tiny model."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.video.clips import (
    BASE,
    TIMES,
    UNEVEN,
    clip,
    facts_of,
    frames_of,
    picture,
    sound_of,
    turned,
)

from swapae import SwappingAutoencoder, UserError
from swapae.editing import Direction, apply, interpolate, mix
from swapae.video import Frame, Keyframes, Look, Span, edit_video, edited_frames, open_video


@pytest.fixture(scope="module")
def net(tiny_model: Path) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")


@pytest.fixture
def other(net: SwappingAutoencoder) -> torch.Tensor:
    return net.encode_image(Image.fromarray(picture(0)[::-1, :, ::-1].copy())).texture


def frames(num: int = 6) -> list[Frame]:
    return [Frame(Image.fromarray(picture(i)), Fraction(i, 10), Fraction(1, 10)) for i in range(num)]


def pixels(made: Iterator[Frame]) -> list[np.ndarray]:
    return [np.asarray(frame.picture) for frame in made]


def read(path: Path) -> list[Frame]:
    with open_video(path) as source:
        return list(source.frames())


def near(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


# ── frames ───────────────────────────────────────────────────────────────────────────────────────


def test_frames_take_the_texture_as_images_do_by_a_strength_that_ramps(
    net: SwappingAutoencoder, other: torch.Tensor
) -> None:
    ramp = Keyframes((0.1, 0.3), ((0.0,), (1.5,)))
    made = pixels(edited_frames(net, frames(5), Look([other], strength=ramp)))
    for number, strength in enumerate((0, 0, 0.75, 1.5, 1.5)):
        own = net.encode_image(Image.fromarray(picture(number)))
        codes = interpolate(own, type(own)(own.structure, other, own.size), texture=strength)
        assert np.abs(made[number].astype(int) - np.asarray(net.decode_image(codes))).max() <= 1


def test_several_textures_are_mixed_by_weights_that_ramp(
    net: SwappingAutoencoder, other: torch.Tensor
) -> None:
    third = net.encode_image(Image.fromarray(picture(20))).texture
    weights = Keyframes((0.0, 0.4), ((1.0, 0.0), (0.0, 1.0)))
    made = pixels(edited_frames(net, frames(3), Look([other, third], weights)))
    own = net.encode_image(Image.fromarray(picture(2)))
    parts = [type(own)(own.structure, texture, own.size) for texture in (other, third)]
    expected = net.decode_image(mix(parts, textures=[0.5, 0.5]))
    assert np.abs(made[2].astype(int) - np.asarray(expected)).max() <= 1
    with pytest.raises(ValueError, match="2 textures need as many weights, not 1"):
        Look([other, third], Keyframes.always(1.0))


def test_directions_ramp_too(net: SwappingAutoencoder) -> None:
    vector = torch.nn.functional.normalize(torch.arange(16.0), dim=0)
    direction = Direction("d", "texture", vector, 0.3)
    look = Look(along=[(direction, Keyframes((0.0, 0.2), ((0.0,), (2.0,))))])
    made = pixels(edited_frames(net, frames(2), look))
    own = [net.encode_image(frame.picture) for frame in frames(2)]
    np.testing.assert_array_equal(made[0], np.asarray(net.decode_image(own[0])))
    np.testing.assert_array_equal(made[1], np.asarray(net.decode_image(apply(own[1], direction, 1.0))))


def test_noise_is_that_of_the_seed_in_every_frame(net: SwappingAutoencoder) -> None:
    still = [frames(1)[0]] * 3
    made = pixels(edited_frames(net, still, Look(noise=7)))
    expected = np.asarray(net.decode_image(net.encode_image(still[0].picture), noise=7))
    for one in made:
        np.testing.assert_array_equal(one, expected)
    assert near(pixels(edited_frames(net, still[:1], Look()))[0], expected) > 0.1


def test_smoothing_makes_a_flickering_look_calm(net: SwappingAutoencoder) -> None:
    flicker = [
        Frame(Image.fromarray(picture(12 * (i % 2))), Fraction(i, 10), Fraction(1, 10)) for i in range(12)
    ]

    def textures(smooth: float) -> torch.Tensor:
        seen = []
        real = net.decode_image
        net.decode_image = lambda codes, noise=None: seen.append(codes.texture) or real(codes, noise)  # type: ignore[method-assign, func-returns-value, misc]
        try:
            list(edited_frames(net, flicker, Look(smooth=smooth)))
        finally:
            del net.decode_image
        return torch.nn.functional.normalize(torch.cat(seen), dim=1)

    raw, calm = (textures(smooth).diff(dim=0).norm(dim=1).mean().item() for smooth in (0, 0.3))
    assert calm < raw / 10


def test_frames_are_read_as_they_are_needed_and_their_pixels_not_kept(net: SwappingAutoencoder) -> None:
    read = 0

    def many() -> Iterator[Frame]:
        nonlocal read
        for frame in frames(40):
            read += 1
            yield frame

    made = edited_frames(net, many(), Look(smooth=0.2))
    for given in range(1, 21):
        next(made)
        assert read - given <= 6
    next(edited_frames(net, many(), Look()))
    assert read <= 27


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def test_a_video_keeps_its_uneven_times_its_length_size_title_and_sound(
    net: SwappingAutoencoder, tmp_path: Path
) -> None:
    source = clip(tmp_path / "a.mp4", UNEVEN, sound="aac", title="Spring")
    done = edit_video(net, source, tmp_path / "o.mp4", Look(), quality=100)
    assert frames_of(tmp_path / "o.mp4")[1] == [time * BASE for time in UNEVEN]
    assert done.num_frames == 12
    assert done.size == (20, 16)
    assert done.num_audio == 1
    assert any("uneven times: each keeps its time" in note for note in done.notes)
    facts, wrote = facts_of(source), facts_of(tmp_path / "o.mp4")
    assert wrote["seconds"] == pytest.approx(facts["seconds"], abs=1e-3)
    assert wrote["title"] == "Spring"
    assert wrote["colorspace"] == 1
    assert sound_of(source)
    assert [data for _, data in sound_of(tmp_path / "o.mp4")] == [data for _, data in sound_of(source)]
    for made, frame in zip(frames_of(tmp_path / "o.mp4")[0], read(source), strict=True):
        expected = np.asarray(net.decode_image(net.encode_image(frame.picture)))
        assert near(made, expected) < 5


def test_colours_come_back_as_they_were(tmp_path: Path) -> None:
    for frame, number in zip(read(clip(tmp_path / "a.mp4")), range(12), strict=True):
        assert near(np.asarray(frame.picture), picture(number)) < 4
        assert frame.time == TIMES[number] * BASE
        assert frame.duration == Fraction(1, 24)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_pictures_are_upright(degrees: int, flip: bool, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", TIMES[:2], matrix=turned(degrees, flip))
    with open_video(source) as opened:
        frame = next(iter(opened.frames()))
    stored = picture(0)[:, ::-1] if flip else picture(0)
    expected = np.rot90(stored, -degrees // 90)
    assert opened.facts.size == frame.picture.size == expected.shape[1::-1]
    assert near(np.asarray(frame.picture), expected) < 3


def test_a_turned_video_is_written_upright(net: SwappingAutoencoder, tmp_path: Path) -> None:
    edit_video(net, clip(tmp_path / "a.mp4", TIMES[:2], matrix=turned(90)), tmp_path / "o.mp4", Look())
    wrote = facts_of(tmp_path / "o.mp4")
    assert (wrote["size"], wrote["rotation"]) == ((16, 20), 0)


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_other_containers_say_how_their_pictures_lie_too(suffix: str, tmp_path: Path) -> None:
    with open_video(clip(tmp_path / f"a{suffix}", TIMES[:2], matrix=turned(270))) as opened:
        frame = next(iter(opened.frames()))
    assert near(np.asarray(frame.picture), np.rot90(picture(0))) < 3


def test_a_part_is_cut_with_its_sound(net: SwappingAutoencoder, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv", [25 * i for i in range(48)], sound="aac")
    done = edit_video(net, source, tmp_path / "o.mkv", Look(), start=0.5, end=Fraction(1))
    times = frames_of(tmp_path / "o.mkv")[1]
    assert len(times) == done.num_frames == 12
    assert [float(time) for time in times] == pytest.approx([i / 24 for i in range(12)], abs=2e-3)
    whole, part = dict(sound_of(source)), sound_of(tmp_path / "o.mkv")
    at = {data: time for time, data in whole.items()}
    assert 6 <= len(part) <= 10
    for time, data in part:
        assert at[data] - time == pytest.approx(0.5, abs=0.05)
    with pytest.raises(UserError, match=r"ends after 2 s: nothing is there from 5 s on"):
        edit_video(net, source, tmp_path / "p.mkv", Look(), start=5)


def test_odd_sides_are_kept_where_they_can_be_and_else_evened(
    net: SwappingAutoencoder, tmp_path: Path
) -> None:
    source = clip(tmp_path / "a.webm", TIMES[:3], (21, 17), "libvpx-vp9")
    done = edit_video(net, source, tmp_path / "o.webm", Look())
    assert facts_of(tmp_path / "o.webm")["size"] == (21, 17)
    assert done.notes == ()
    done = edit_video(net, source, tmp_path / "o.mp4", Look())
    assert facts_of(tmp_path / "o.mp4")["size"] == (22, 18)
    assert "is 22x18, not 21x17" in done.notes[0]


def test_large_frames_are_made_smaller(net: SwappingAutoencoder, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", TIMES[:2], (64, 32))
    assert edit_video(net, source, tmp_path / "o.mp4", Look(), max_side=32).size == (32, 16)
    assert facts_of(tmp_path / "o.mp4")["size"] == (32, 16)


def test_sound_that_does_not_fit_is_left_out_and_named(net: SwappingAutoencoder, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", sound="aac")
    done = edit_video(net, source, tmp_path / "o.webm", Look())
    assert done.num_audio == 0
    assert "has no sound: aac does not go into .webm; .mkv takes most" in done.notes[0]
    assert len(frames_of(tmp_path / "o.webm")[0]) == 12


# ── animations and folders ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations_are_written_and_read_with_their_times(
    suffix: str, net: SwappingAutoencoder, tmp_path: Path
) -> None:
    shown = [Image.fromarray(picture(3 * i)) for i in range(3)]
    source = tmp_path / "a.webp"
    shown[0].save(source, save_all=True, append_images=shown[1:], duration=[100, 250, 70], lossless=True)
    made = tmp_path / f"o{suffix}"
    done = edit_video(net, source, made, Look(), quality=100)
    assert (done.num_frames, done.seconds) == (3, 0.42)
    shown_again = read(made)
    assert [float(frame.duration) for frame in shown_again][:2] == [0.1, 0.25]
    for frame, original in zip(shown_again, shown, strict=True):
        assert near(np.asarray(frame.picture), np.asarray(net.decode_image(net.encode_image(original)))) < 8


def test_folders_of_pictures_go_in_and_out_in_the_order_of_their_numbers(
    net: SwappingAutoencoder, tmp_path: Path
) -> None:
    for number in (0, 2, 10):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(picture(number)).save(tmp_path / "in" / f"f{number}.png")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    done = edit_video(net, tmp_path / "in", tmp_path / "out", Look(), rate=10)
    assert (done.num_frames, done.seconds) == (3, 0.3)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [f"{i:06}.png" for i in range(3)]
    for place, number in enumerate((0, 2, 10)):
        expected = np.asarray(net.decode_image(net.encode_image(Image.fromarray(picture(number)))))
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / f"{place:06}.png")), expected)
    edit_video(net, tmp_path / "in", tmp_path / "o.mp4", Look(), rate=10)
    assert facts_of(tmp_path / "o.mp4")["rate"] == 10


def test_a_folder_is_not_overwritten_unasked_and_then_only_its_frames(
    net: SwappingAutoencoder, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(picture(0)).save(tmp_path / "in" / "0.png")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("000000.png", "000007.png", "mine.png"):
        (out / name).write_text("old")
    with pytest.raises(UserError, match="has files in it"):
        edit_video(net, tmp_path / "in", out, Look())
    edit_video(net, tmp_path / "in", out, Look(), force=True)
    assert sorted(file.name for file in out.iterdir()) == ["000000.png", "mine.png"]
    Image.fromarray(picture(0, (24, 16))).save(tmp_path / "in" / "1.png")
    with pytest.raises(UserError, match=r"1\.png is 24x16, the first picture 20x16"):
        edit_video(net, tmp_path / "in", tmp_path / "new", Look())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in", "out"]


def test_a_span_holds_the_frame_that_is_on_show_when_it_begins() -> None:
    def at(time: str) -> Frame:
        return Frame(Image.new("RGB", (1, 1)), Fraction(time), Fraction("0.1"))

    span = Span(Fraction("0.25"), Fraction("0.4"))
    assert [time for time in ("0.1", "0.2", "0.3", "0.4") if span.holds(at(time))] == ["0.2", "0.3"]
