"""What a figure says, which way is better, and how sure it is."""

from collections.abc import Mapping
from typing import NamedTuple

from swapae.metrics.intervals import Z, wilson
from swapae.metrics.table import METRICS


class About(NamedTuple):
    """What a reader must know of a figure: `better` is "low", "high", or nothing where nobody said."""

    better: str
    says: str


# Figures that are no row of the table of metrics, or say something else than their row.
ABOUT = {
    "hybrid_nearer_truth": About(
        "high", "share of pairs whose hybrid is nearer the true swap than either image"
    ),
    "hybrid_lpips": About("low", "perceptual distance of hybrid and true swap"),
    "hybrid_psnr": About("high", "signal-to-noise ratio of hybrid and true swap in decibels"),
    "reconstruction_lpips": About("low", "perceptual distance of reconstruction and structure image"),
    "interpolation_lpips": About("low", "perceptual distance of in-between and true in-between"),
    "ColorNearer": About("high", "share of pairs whose colours are nearer the texture image's"),
    "StructureNearer": About("high", "share of pairs whose layout is nearer the structure image's"),
    "Precision": About("high", "share of swaps that lie among the images"),
    "Recall": About("high", "share of images that lie among the swaps"),
}


def about(figure: str) -> About:
    """Look a figure up by its name, which may go on with a net and more."""
    known = {name: About(row.is_better, row.about) for name, row in METRICS.items()} | ABOUT
    fitting = [name for name in known if f"{figure}-".startswith(f"{name}-")]
    return known[max(fitting, key=len)] if fitting else About("", "")


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
    if f"{name} low" in metrics and f"{name} high" in metrics:
        return metrics[f"{name} low"], metrics[f"{name} high"]
    if is_share(name) and count > 0:
        return wilson(metrics[name], count)
    if name not in errors:
        return None
    reach = Z * errors[name]
    return metrics[name] - reach, metrics[name] + reach
