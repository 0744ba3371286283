"""`EvalConfig`: what is measured in the course of a training, and by which figure the best is told."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Literal, NamedTuple

from swapae.errors import UserError
from swapae.files import shown

OWN = "reconstruction_l1"  # measured at every save, on the images of the sample grids; less is better
TRUE_SWAPS = "synthetic"  # the set whose true swaps are known


@dataclass(frozen=True)
class EvalConfig:
    """Measurements of the averaged weights while training goes on, as `swapae eval` makes them."""

    data: str | None = (
        None  # images to measure on: a set as for training, or synthetic; none measures nothing
    )
    images: int = 0  # images between two measurements, each with a checkpoint; 0 is at every checkpoint
    metrics: tuple[str, ...] = ("L1", "KID", "SelfSim", "Color")  # as for swapae eval; synthetic has its own
    pairs: int = 300  # how many are swapped
    seed: int = 0  # of the list of pairs
    split: Literal["seen", "held_out"] = "seen"  # of synthetic: forms and materials as in training, or new
    batch: int = 32  # images at a time
    weights: str | None = None  # file or folder of the nets' weights; none looks where swapae eval does

    def interval(self, checkpoint_images: int) -> int:
        """Give the images between two measurements."""
        return self.images or checkpoint_images


RESUMABLE_EVAL = frozenset(f"eval.{one.name}" for one in fields(EvalConfig))
SAME = ("data", "pairs", "seed", "split")  # figures compare only where these are the same


class Best(NamedTuple):
    """The figure that tells the best checkpoints."""

    name: str
    is_high_better: bool


def check_eval(config: EvalConfig, best_metric: str, size: int) -> None:
    """Refuse what cannot be measured, and a figure that nothing measures, by their names alone.

    Raises:
        UserError: with the nearest name, or with what to add.
    """
    for name, least in (("images", 0), ("pairs", 1), ("batch", 1)):
        if getattr(config, name) < least:
            raise UserError(f"eval.{name}={getattr(config, name)} must be at least {least}.")
    if config.data == TRUE_SWAPS and config.metrics != EvalConfig().metrics:
        raise UserError(f"eval.metrics is for sets of images: the figures of {TRUE_SWAPS} are fixed.")
    best(config, best_metric, size)


def best(config: EvalConfig, best_metric: str, size: int) -> Best:
    """Find the figure that is meant: by its name, in any case, or by a metric's, whose first one it is.

    Args:
        config: says what is measured.
        best_metric: the name.
        size: of the images, in pixels.

    Raises:
        UserError: as `check_eval`.
    """
    measured = {OWN: "low"} | figures(config, size)
    found = _meant(best_metric, measured)
    if found is not None:
        return Best(found, measured[found] == "high")
    if _is_figure(best_metric):
        fix = "add it to eval.metrics" if config.data else "name images to measure on by eval.data"
        if config.data == TRUE_SWAPS:
            fix = f"of {TRUE_SWAPS} there are {', '.join(measured)}"
        raise UserError(f"best_metric={shown(best_metric)} is not measured: {fix}.")
    near = difflib.get_close_matches(best_metric.lower(), {name.lower() for name in measured}, 1)
    names = [name for name in measured if name.lower() in near]
    hint = f"did you mean {names[0]}?" if names else f"there are {', '.join(measured)}."
    raise UserError(f"there is no figure best_metric={shown(best_metric)}: {hint}")


def figures(config: EvalConfig, size: int) -> dict[str, str]:
    """The figures that are measured, by name, and which way each is better; no net is loaded for that.

    Raises:
        UserError: a word of `metrics` names no metric, or the images are too small for it.
    """
    if config.data is None:
        return {}
    from swapae.metrics.synthetic_swaps import FIGURES
    from swapae.metrics.table import choose, figures_of

    if config.data == TRUE_SWAPS:
        return dict(FIGURES)
    choices = choose(config.metrics)
    try:
        return {name: way for choice in choices for name, way in figures_of(choice, size).items()}
    except ValueError as error:
        raise UserError(f"eval.metrics: {error}") from None


def about(name: str) -> tuple[str, str] | None:
    """Say of a figure what it is and which way is better; None if no measurement gives such a figure."""
    return _all_figures().get(name)


@cache
def _all_figures() -> dict[str, tuple[str, str]]:
    """What `about` says of every figure there is."""
    from swapae.evaluation.figures import about as said_of
    from swapae.metrics.synthetic_swaps import FIGURES
    from swapae.metrics.table import all_choices, figures_of

    ways: dict[str, str] = dict(FIGURES)
    for choice in all_choices():
        ways |= figures_of(choice)
    return {name: (said_of(name).says, way) for name, way in ways.items()}


def _meant(word: str, measured: Mapping[str, str]) -> str | None:
    from swapae.metrics.table import choose, figures_of

    by_lower = {name.lower(): name for name in measured}
    if word.lower() in by_lower:
        return by_lower[word.lower()]
    if len(measured) == 1:
        return None
    try:
        (choice,) = choose([word])
    except (UserError, ValueError):
        return None
    return next((name for name in figures_of(choice) if name in measured), None)


def _is_figure(word: str) -> bool:
    """Whether a measurement of some other settings gives such a figure."""
    from swapae.metrics.table import choose

    if word.lower() in {name.lower() for name in _all_figures()}:
        return True
    try:
        return bool(choose([word]))
    except UserError:
        return False
