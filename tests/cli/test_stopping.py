"""How long work ends: in order at first, at once when asked again, and by the clock."""

import signal
import subprocess
import sys
import time

import pytest

from swapae.cli.common import UsageError
from swapae.cli.stopping import SIGNALS, seconds_of, stop_on_interrupt, time_limit

Streams = pytest.CaptureFixture[str]

# Work that lets no Python run: a handler written in Python would not be called before it is over.
BUSY = """
import re, sys
sys.path[:0] = {path!r}
from swapae.cli.stopping import stop_on_interrupt
from hashlib import pbkdf2_hmac
with stop_on_interrupt(False, is_one_of_several={several}) as stop:
    print("begun", flush=True)
    for _ in range({times}):
        pbkdf2_hmac("sha256", b"", b"", {rounds})
    print("over" if stop() else "not asked", flush=True)
"""


def busy(several: bool, times: int, rounds: int) -> "subprocess.Popen[str]":
    code = BUSY.format(path=sys.path, several=several, times=times, rounds=rounds)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)  # type: ignore[call-overload]
    assert child.stdout.readline() == "begun\n"
    return child  # type: ignore[no-any-return]


def await_true(ask: "object") -> bool:
    end = time.monotonic() + 60
    while not ask() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.001)
    return bool(ask())  # type: ignore[operator]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_says_so(number: int, capsys: Streams) -> None:
    before = signal.getsignal(number)
    with stop_on_interrupt(is_quiet=False) as stop:
        assert not stop()
        signal.raise_signal(number)
        assert await_true(stop)
        told: list[str] = []  # by a thread, a moment later
        assert await_true(lambda: told.append(capsys.readouterr().err) or "ends at once" in "".join(told))
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_quiet_says_nothing(capsys: Streams) -> None:
    with stop_on_interrupt(is_quiet=True) as stop:
        signal.raise_signal(signal.SIGINT)
        assert await_true(stop)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_of_any_kind_ends_at_once_even_inside_an_operation(second: int) -> None:
    child = busy(several=False, times=1, rounds=2_000_000_000)  # many minutes
    child.send_signal(signal.SIGTERM)
    assert child.stderr is not None
    assert child.stderr.read(8) == "\nsaving…"
    child.send_signal(second)
    try:
        out, _ = child.communicate(timeout=60)
    finally:
        child.kill()
    assert (child.returncode, out) == (128 + second, "")


def test_a_process_of_several_takes_the_echo_of_a_signal_for_the_same_one() -> None:
    child = busy(several=True, times=20, rounds=100_000)
    child.send_signal(signal.SIGINT)
    time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=120)
    assert (child.returncode, out) == (0, "over\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("11h30m", 41400), ("1d12h", 129600), ("1.5h", 5400), (" 2M ", 120)],
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "30m11h", "-5s", "0s", "soon", "1h 30m", "1h30"])
def test_what_is_no_length_of_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="no length of time: write 90s, 30m or 11h30m"):
        seconds_of(text)


def test_a_time_limit_passes_and_none_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("swapae.cli.stopping.time.monotonic", lambda: now)
    is_over, never = time_limit("1m30s"), time_limit(None)
    asked = []
    for now in (100.0, 189.0, 190.0, 1e9):  # noqa: B007  # the clock reads it
        asked.append((is_over(), never()))
    assert asked == [(False, False), (False, False), (True, False), (True, False)]
