"""What a figure says, which way is better, and how sure it is."""

from collections.abc import Mapping

from swapae.cards.figures import ends_of
from swapae.metrics.intervals import Z, wilson
from swapae.metrics.synthetic_swaps import ABOUT
from swapae.metrics.table import Figure, families


def about(figure: str) -> Figure:
    """Look a figure up by its name, which may go on with a net and more; nothing where nobody said."""
    known = families() | ABOUT
    fitting = [name for name in known if f"{figure}-".startswith(f"{name}-")]
    return known[max(fitting, key=len)] if fitting else Figure("", "")


def is_share(figure: str) -> bool:
    """Whether a figure counts the pairs of which something is so: of one pair it is 0 or 1."""
    return "nearer" in figure.lower()


def interval(
    name: str, metrics: Mapping[str, float], errors: Mapping[str, float], count: int
) -> tuple[float, float] | None:
    """The 95 % interval of a figure; None where none is known.

    Args:
        name: of the figure.
        metrics: all figures; `NAME low` and `NAME high` are taken where they are there.
        errors: standard errors of means, taken else.
        count: pairs that a share is of, if its ends are not there: its interval is Wilson's, as theirs are.
    """
    if (ends := ends_of(name, metrics)) is not None:
        return ends
    if is_share(name) and count > 0:
        return wilson(metrics[name], count)
    if name not in errors:
        return None
    reach = Z * errors[name]
    return metrics[name] - reach, metrics[name] + reach
