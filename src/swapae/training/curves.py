"""The numbers of a training as curves: which chart shows which, and how they are thinned out."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from swapae.training.figures import about

MAX_POINTS = 300  # of a curve that is drawn; more would fall on the same pixels
FEW_POINTS = 40  # up to which each is marked with a dot
ENDS = (" low", " high")  # of the interval in which a figure lies, as it is called in the log
CLOCK = ("images_seen", "seconds")


@dataclass(frozen=True)
class Curve:
    """Means of buckets of a log's values, with the lowest and the highest value of each bucket."""

    x: list[float]  # images seen
    mean: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class Chart:
    """What is drawn into one frame.

    Attributes:
        title: above it.
        note: how to read it.
        names: the columns of the log, in the order of their colours; those that the log lacks are left out.
        is_log: whether the axis is logarithmic, where all values are above 0.
    """

    title: str
    note: str
    names: tuple[str, ...]
    is_log: bool = False


CHARTS = (
    Chart(
        "Reconstruction",
        "Mean absolute error of pixels: weighted, in training; and by averaged weights on the fixed images. "
        "Should fall.",
        ("G_l1", "reconstruction_l1"),
    ),
    Chart(
        "Textures",
        "How far a hybrid moves when only its texture changes, for each unit of change, and how far apart "
        "the textures are. At 0, hybrids ignore the texture.",
        ("texture_sensitivity", "texture_spread"),
    ),
    Chart(
        "Structure lost in hybrids",
        "0: kept exactly; 1: as different as another image's.",
        ("structure_drift",),
    ),
    Chart(
        "Discriminators: how often right",
        "0.5 is guessing. Near 1 for long, the generator learns little from them.",
        ("D_accuracy", "patch_D_accuracy"),
    ),
    Chart(
        "Image discriminator: mean logits",
        "Above 0 means “real”. The closer together, the better the made images.",
        ("D_logit_real", "D_logit_reconstruction", "D_logit_hybrid"),
    ),
    Chart(
        "Patch discriminator: mean logits",
        "Above 0 means “of the same image”.",
        ("patch_D_logit_real", "patch_D_logit_hybrid"),
    ),
    Chart(
        "Image discriminator: losses",
        "Weighted.",
        ("D_real", "D_reconstruction", "D_hybrid"),
    ),
    Chart("Patch discriminator: losses", "Weighted.", ("patch_D_real", "patch_D_hybrid")),
    Chart(
        "Encoder and generator: adversarial losses",
        "Weighted.",
        ("G_reconstruction", "G_hybrid", "patch_G_hybrid"),
    ),
    Chart("Gradient penalties (R1)", "Weighted; logarithmic.", ("D_r1", "patch_D_r1"), is_log=True),
    Chart(
        "Gradient norms",
        "Of the last gradient of each step; logarithmic.",
        ("grad_encoder", "grad_generator", "grad_discriminator", "grad_patch_discriminator"),
        is_log=True,
    ),
    Chart("Images a second", "Higher is faster.", ("images_per_second",)),
)


def thinned(x: Sequence[float], y: Sequence[float], most: int = MAX_POINTS) -> Curve:
    """Bring a curve to at most so many points, each for as many neighbouring values."""
    count = min(most, len(x))
    edges = [i * len(x) // max(count, 1) for i in range(count + 1)]
    pieces = [(x[a:b], y[a:b]) for a, b in pairwise(edges)]
    return Curve(
        x=[math.fsum(xs) / len(xs) for xs, _ in pieces],
        mean=[math.fsum(ys) / len(ys) for _, ys in pieces],
        low=[min(ys) for _, ys in pieces],
        high=[max(ys) for _, ys in pieces],
    )


def charts_for(names: Collection[str]) -> list[Chart]:
    """Choose the charts for the columns there are, one more for each that no chart knows."""
    present = [name for name in names if name not in CLOCK]
    known = {name for chart in CHARTS for name in chart.names}
    unknown = [name for name in present if name not in known]
    measured = charts_of_figures(unknown)
    known |= {name for chart in measured for name in chart.names}
    others = [Chart(name, "", (name,)) for name in unknown if name not in known]
    return [chart for chart in (*measured, *CHARTS, *others) if any(name in present for name in chart.names)]


def charts_of_figures(names: Collection[str]) -> list[Chart]:
    """Make a chart for each figure of an evaluation, with the ends of its interval where it has one."""
    charts = []
    for name in names:
        if (said := about(name)) is not None:
            should = "rise" if said[1] == "high" else "fall"
            ends = tuple(f"{name}{end}" for end in ENDS if f"{name}{end}" in names)
            charts.append(Chart(name, f"Measured: {said[0]}. Should {should}.", (name, *ends)))
    return charts


def is_figure(name: str) -> bool:
    """Whether a column of the log is of an evaluation."""
    return any(about(name.removesuffix(end)) is not None for end in ("", *ENDS))
