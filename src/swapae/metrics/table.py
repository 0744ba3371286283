"""The metrics: one row each.

A row says which function makes a metric's collector of a net, and which nets it can use, the first one unless
another is asked for. What a figure is called names its net. A new metric is a function and a row.
"""

import difflib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from swapae.errors import UserError
from swapae.files import shown
from swapae.metrics import measures, swapping
from swapae.metrics.collectors import Collector
from swapae.metrics.loaders import Nets
from swapae.metrics.pixels import WINDOW, ms_ssim_name

Better = Literal["low", "high", ""]  # nothing where nobody said


class Figure(NamedTuple):
    """What a reader must know of a figure: which way is better, and what it says."""

    better: Better
    says: str


class Metric(NamedTuple):
    """A row.

    - make: a collector, of a net.
    - nets: by name, the default first; none if the metric needs none.
    - of: what it measures, "reconstruction" or "swap".
    - is_better: "low" or "high".
    - about: what the figure says.
    - called: what the figure is called, with NET and TAP for the net's; SCALES is MS-SSIM of a size. Empty if
      it is called by the row and its net.
    - beside: figures that come with it and say something else, called by these names and the net.
    """

    make: Callable[[Any], Collector]
    nets: tuple[str, ...]
    of: str
    is_better: Better
    about: str
    called: str = ""
    beside: tuple[tuple[str, Figure], ...] = ()


FEATURE_NETS = ("EffLite0", "Inception")
LAYER_NETS = ("EffLite0", "VGG16")
TRUNK_NETS = ("squeeze", "alex", "vgg")

METRICS: dict[str, Metric] = {
    "L1": Metric(measures.l1, (), "reconstruction", "low", "mean absolute difference, range [-1, 1]"),
    "PSNR": Metric(measures.psnr, (), "reconstruction", "high", "peak signal-to-noise ratio in decibels"),
    "MS-SSIM": Metric(
        measures.ms_ssim,
        (),
        "reconstruction",
        "high",
        "structural similarity at several scales",
        "SCALES",
    ),
    "LPIPS": Metric(measures.lpips, TRUNK_NETS, "reconstruction", "low", "perceptual distance"),
    "FID": Metric(measures.fid, FEATURE_NETS, "swap", "low", "Fréchet distance of swaps to structure images"),
    "KID": Metric(
        measures.kid, FEATURE_NETS, "swap", "low", "kernel distance of swaps to all images, unbiased"
    ),
    "Precision": Metric(
        measures.precision_and_recall,
        FEATURE_NETS,
        "swap",
        "high",
        "share of swaps that lie among the images",
        beside=(("Recall", Figure("high", "share of images that lie among the swaps")),),
    ),
    "SIFID": Metric(
        measures.sifid_of,
        FEATURE_NETS,
        "swap",
        "low",
        "stuff of the swap against the texture image's",
        "SIFID-NET-TAP",
    ),
    "SelfSim": Metric(
        measures.self_similarity,
        LAYER_NETS,
        "swap",
        "low",
        "layout of the swap against the structure image's",
    ),
    "StructureLeakage": Metric(
        swapping.structure_leakage,
        LAYER_NETS,
        "swap",
        "low",
        "how far the layout went over to the texture image's, 0 to 1",
        beside=(
            (
                "StructureNearer",
                Figure("high", "share of pairs whose layout is nearer the structure image's"),
            ),
        ),
    ),
    "TextureSensitivity": Metric(
        swapping.texture_sensitivity,
        TRUNK_NETS,
        "swap",
        "high",
        "how far the output moves per unit of texture change",
        "TextureSensitivity-LPIPS-NET",
    ),
    "Color": Metric(
        measures.color,
        (),
        "swap",
        "low",
        "colours of the swap against the texture image's, in L*a*b*",
        beside=(
            ("ColorNearer", Figure("high", "share of pairs whose colours are nearer the texture image's")),
        ),
    ),
}

Choice = tuple[str, str | None]  # a row and its net
TAPS = {"EffLite0": ("24", "40"), "Inception": ("64", "192")}  # channels of the maps that SIFID compares


def choose(words: Sequence[str]) -> list[Choice]:
    """Read words like `fid`, `LPIPS-vgg`, `sifid-inception`, in any case.

    `all` is every row by its default net.

    Raises:
        UserError: a word names no metric, or a net that the metric cannot use.
    """
    chosen: list[Choice] = []
    for word in words:
        found = _defaults() if word.lower() == "all" else [_choice(word)]
        chosen += [choice for choice in found if choice not in chosen]
    return chosen


def start(choices: Sequence[Choice], nets: Nets) -> list[Collector]:
    """Make the collectors, for which all nets are loaded.

    Raises:
        UserError: a net is not there.
    """
    return [METRICS[name].make(nets[net] if net else None) for name, net in choices]


def figures_of(choice: Choice, size: int | None = None) -> dict[str, Better]:
    """The figures that a choice gives, by name, and which way each is better; no net is loaded.

    Standard errors and the ends of intervals are left out.

    Args:
        choice: a row and its net.
        size: of the images, in pixels; without it all that there are by sizes.

    Raises:
        ValueError: the images are too small.
    """
    sizes = [WINDOW * 2**n for n in range(5)] if size is None else [size]
    name, net = choice
    row = METRICS[name]
    given = [(row.called or _word(name, net), row.is_better)]
    given += [(_word(one, net), figure.better) for one, figure in row.beside]
    found: dict[str, Better] = {}
    for form, better in given:
        if form == "SCALES":
            found |= {ms_ssim_name(side, side): better for side in sizes}
            continue
        for tap in TAPS[net or ""] if "TAP" in form else [""]:
            found[form.replace("NET", net or "").replace("TAP", tap)] = better
    return found


def families() -> dict[str, Figure]:
    """What the figures of all rows say, by what their names begin with: a net and more may follow."""
    found: dict[str, Figure] = {}
    for name, row in METRICS.items():
        found |= {name: Figure(row.is_better, row.about), **dict(row.beside)}
    return found


def all_choices() -> list[Choice]:
    """Every row with every net it can use."""
    return [(name, net) for name, row in METRICS.items() for net in row.nets or [None]]


def _defaults() -> list[Choice]:
    return [(name, row.nets[0] if row.nets else None) for name, row in METRICS.items()]


def _choice(word: str) -> Choice:
    known = {_word(*choice).lower(): choice for choice in all_choices()}
    known |= {name.lower(): (name, net) for name, net in _defaults()}
    known |= {
        word.replace("precision", "recall"): choice for word, choice in known.items() if "precision" in word
    }
    if word.lower() in known:
        return known[word.lower()]
    near = difflib.get_close_matches(word.lower(), known, 1)
    hint = f"did you mean {_word(*known[near[0]])}?" if near else f"there are {', '.join(METRICS)}."
    raise UserError(f"there is no metric {shown(word)}: {hint}")


def _word(name: str, net: str | None) -> str:
    return f"{name}-{net}" if net else name
