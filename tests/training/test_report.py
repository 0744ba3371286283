"""What the owner of a training is told."""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from tests.training.tools import Heard, make_images, micro, run

from swapae.training.report import Bar, Plain, Quiet, Reporter, default_reporter, duration, summary

Streams = pytest.CaptureFixture[str]
LOSSES = {"D_real": 0.5, "G_l1": 0.25, "patch_G_hybrid": 7.0, "G_hybrid": 1.0}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (0.9, "0:00"),
        (61, "1:01"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (3723, "1:02:03"),
        (48 * 3600 - 1, "47:59:59"),
        (48 * 3600, "2 d 00 h"),
        (51 * 3600 + 1, "2 d 03 h"),
    ],
)
def test_durations_are_written_as_clocks_and_then_as_days(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_summary_names_three_losses_as_far_as_they_are_there() -> None:
    assert summary(LOSSES) == "L1 0.250 D real 0.500 G hybrid 1.000"
    assert summary({"D_real": 1.0}) == "D real 1.000"
    assert summary({}) == ""


def test_plain_lines_say_images_speed_time_left_and_losses(capsys: Streams) -> None:
    plain = Plain(seconds_between=0)
    plain.start(0, 1000)
    plain.progress(100, 9.0, {})
    plain.progress(200, 4.0, LOSSES)
    plain.stop()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "100/1000 images, 9.0 a second, 1:40 left",
        "200/1000 images, 4.0 a second, 3:20 left, L1 0.250 D real 0.500 G hybrid 1.000",
    ]


def test_plain_lines_come_now_and_then_and_at_the_end(capsys: Streams) -> None:
    plain = Plain(seconds_between=3600)
    plain.start(0, 10)
    for seen in range(1, 11):
        plain.progress(seen, 1.0, {})
    plain.message("[bold]as it is[/bold]")
    assert capsys.readouterr().err.splitlines() == [
        "10/10 images, 1.0 a second, 0:00 left",
        "[bold]as it is[/bold]",
    ]


def test_a_run_past_its_total_has_no_time_left(capsys: Streams) -> None:
    plain = Plain(seconds_between=0)
    plain.start(0, 10)
    plain.progress(12, 1.0, {})
    assert "0:00 left" in capsys.readouterr().err


def test_the_bar_shows_percentage_images_speed_and_time_left_on_a_terminal() -> None:
    screen = io.StringIO()
    bar = Bar(Console(file=screen, force_terminal=True, width=140, color_system=None))
    bar.start(50, 200)
    bar.message("a [bold]message[/bold] " + "x" * 150)
    bar.progress(100, 2.0, LOSSES)
    bar.stop()
    text = screen.getvalue()
    assert "a [bold]message[/bold] " + "x" * 150 in text  # neither marked up nor folded
    assert " 50%" in text
    assert "100/200 images · 2.0 a second · 0:50 left · L1 0.250" in text


def test_a_terminal_gets_the_bar_and_anything_else_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert isinstance(default_reporter(), Bar)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert isinstance(default_reporter(), Plain)


def test_quiet_says_nothing(capsys: Streams) -> None:
    quiet: Reporter = Quiet()
    quiet.start(0, 1)
    quiet.progress(1, 1.0, LOSSES)
    quiet.message("text")
    quiet.stop()
    assert capsys.readouterr() == ("", "")


def test_a_training_reports_every_step_and_the_losses_from_the_first_line_on(tmp_path: Path) -> None:
    heard = Heard()
    summary = run(micro(), make_images(tmp_path / "images"), tmp_path / "run", heard=heard)
    assert heard.calls == ["start 0/32", "stop"]
    assert [images_seen for images_seen, _, _ in heard.steps] == list(range(4, 36, 4))
    assert [bool(losses) for _, _, losses in heard.steps] == [False] + [True] * 7
    assert all(speed > 0 for _, speed, _ in heard.steps)
    assert heard.steps[-1][2] == summary.losses
    assert summary.seconds > 0


def test_a_training_without_a_terminal_prints_its_last_line(tmp_path: Path, capsys: Streams) -> None:
    from swapae.training.loop import train

    train(micro(), str(make_images(tmp_path / "images")), tmp_path / "run", device="cpu")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("32/32 images, ")
