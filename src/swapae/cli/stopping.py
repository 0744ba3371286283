"""How long work ends in order: by Ctrl-C, by a scheduler's signal, or by the clock."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from swapae.cli.common import UsageError

Stop = Callable[[], bool]

# Ctrl-C; `kill`, systemd, SLURM at the time limit; SLURM before it, by `--signal=USR1@120`.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]
ECHO = 2.0  # seconds in which a process of several hears a signal twice: from the terminal and its launcher
UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


@contextmanager
def stop_on_interrupt(is_quiet: bool, is_one_of_several: bool = False) -> Iterator[Stop]:
    """Let the first signal ask for an orderly end, and a second one end the process at once.

    Signals are read by a thread, for a handler in Python would wait until a long operation of torch is over.
    """
    if threading.current_thread() is not threading.main_thread():  # only it may handle signals
        yield lambda: False
        return
    asked = threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    echo = ECHO if is_one_of_several else 0.0
    threading.Thread(target=_listen, args=(reader, asked, is_quiet, echo), daemon=True).start()
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda number, frame: asked.set()) for number in SIGNALS}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        os.close(writer)  # ends the thread


def _listen(reader: int, asked: threading.Event, is_quiet: bool, echo: float) -> None:
    first: float | None = None
    while numbers := os.read(reader, 1):
        if numbers[0] not in SIGNALS:
            continue
        asked.set()
        now = time.monotonic()
        if first is None:
            first = now
            if not is_quiet:
                sys.stderr.write("\nsaving… once more ends at once, and loses what was not saved.\n")
        elif now - first >= echo:
            os._exit(128 + numbers[0])
    os.close(reader)


def time_limit(text: str | None) -> Stop:
    """Make what says True once a time such as 90s, 30m or 11h30m has passed from now on; never for None.

    Raises:
        UsageError: it is no such time.
    """
    if text is None:
        return lambda: False
    end = time.monotonic() + seconds_of(text)
    return lambda: time.monotonic() >= end


def seconds_of(text: str) -> float:
    """Read a length of time: numbers with d, h, m and s, in this order.

    Raises:
        UsageError: it is none, or no time at all.
    """
    pattern = "".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in UNITS)
    found = re.fullmatch(pattern, text.strip().lower())
    numbers = found.groups() if found else ()
    seconds = sum(float(n or 0) * unit for n, unit in zip(numbers, UNITS.values(), strict=False))
    if not seconds:
        raise UsageError(f"--max-time {text} is no length of time: write 90s, 30m or 11h30m.")
    return seconds
