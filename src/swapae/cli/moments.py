"""Words of the command line about time: moments of a video, and values that ramp from one to another."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from swapae.cli.common import UsageError

if TYPE_CHECKING:
    from swapae.editing.temporal import Keyframes


def seconds_of(option: str, text: str) -> Fraction:
    """Read a moment: seconds, or minutes and seconds, or hours, 90 or 1:30 or 0:01:30.

    Raises:
        UsageError: it is none.
    """
    parts = text.split(":")
    try:
        *whole, seconds = [int(part) for part in parts[:-1]] + [Fraction(parts[-1])]
        wrong = len(parts) > 3 or seconds < 0 or any(part < 0 for part in whole)
        wrong = wrong or (bool(whole) and seconds >= 60) or (len(whole) == 2 and whole[1] >= 60)
    except (ValueError, ZeroDivisionError):
        wrong = True
    if wrong or "/" in text:
        raise UsageError(f"{option} {text} is no moment: write seconds, 12.5, or minutes and seconds, 1:30.")
    return sum((60 ** (len(whole) - i) * part for i, part in enumerate(whole)), Fraction(seconds))


def keyframes_of(option: str, words: Sequence[str], num: int = 1) -> "Keyframes":
    """Read `VALUE`, which stays, or `TIME:VALUE …`, between which it ramps; with commas where `num` > 1.

    Raises:
        UsageError: the sentence says what is wrong.
    """
    from swapae.editing.temporal import Keyframes

    if not any(":" in word for word in words):
        values = tuple(_number(option, word) for word in words)
        if len(values) != num:
            raise UsageError(
                f"{option} takes {_counted(num)}, or TIME:VALUE words, not {len(values)} numbers."
            )
        return Keyframes.always(*values)
    lone = next((word for word in words if ":" not in word), None)
    if lone is not None:
        raise UsageError(f"{option} takes one number, or TIME:VALUE for all as in 0:0 3.5:1, not '{lone}'.")
    pairs = [word.partition(":") for word in words]
    times = tuple(_number(option, time) for time, _, _ in pairs)
    values_at = tuple(tuple(_number(option, one) for one in text.split(",")) for _, _, text in pairs)
    if any(len(value) != num for value in values_at):
        raise UsageError(f"{option} takes {_counted(num)} at each moment, as {_example(num)}.")
    try:
        return Keyframes(times, values_at)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _number(option: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{option} takes numbers, or TIME:VALUE as in 0:0 3.5:1, not '{text}'.")
    return number


def _counted(num: int) -> str:
    return "one number" if num == 1 else f"{num} numbers"


def _example(num: int) -> str:
    return "0:" + ",".join(["1", *["0"] * (num - 1)])
