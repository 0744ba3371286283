"""Figures in words: one way to write a number, and how sure it is, for tables, pages and cards."""

from collections.abc import Mapping

ENDS = (" low", " high")  # of an interval, which are figures of their own


def number(value: float) -> str:
    """Four digits that matter, without an exponent."""
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def is_end(name: str, metrics: Mapping[str, float]) -> bool:
    """Whether a figure is an end of the interval of another."""
    return any(name.endswith(end) and name.removesuffix(end) in metrics for end in ENDS)


def ends_of(name: str, metrics: Mapping[str, float]) -> tuple[float, float] | None:
    """The ends of a figure's interval, where they are among the figures."""
    low, high = (metrics.get(f"{name}{end}") for end in ENDS)
    return None if low is None or high is None else (low, high)


def written(value: float, ends: tuple[float, float] | None, error: float | None) -> str:
    """A figure with what is known of its certainty: its interval, or else its standard error."""
    if ends is not None:
        return f"{number(value)} ({number(ends[0])} to {number(ends[1])})"
    return number(value) + ("" if error is None else f" ± {number(error)}")
