import pytest

from swapae.cli.common import Common
from swapae.cli.progress import Countdown, reporter_for
from swapae.training.report import Quiet

Streams = pytest.CaptureFixture[str]


def test_quiet_is_quiet() -> None:
    assert isinstance(reporter_for(Common(quiet=True)), Quiet)
    assert not isinstance(reporter_for(Common(json=True)), Quiet)


def test_a_countdown_is_over_when_its_seconds_are_and_tells_of_itself_now_and_then(
    capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("swapae.cli.progress.time.monotonic", lambda: now)
    clock = Countdown(60.0, seconds_between=10.0)
    now = 1000.0
    clock.start(0, 10**9)
    for now, over in ((1005.0, False), (1012.0, False), (1015.0, False), (1060.0, True)):
        clock.progress(int(now), 2.5, {"G_l1": 0.25})
        assert clock.is_over() == over
    clock.stop()
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("0:48 left · 1,012 images · 2.5 a second")
