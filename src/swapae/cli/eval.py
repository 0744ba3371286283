"""`swapae eval`: how well a model reconstructs and swaps, in numbers."""

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

from tyro.conf import Positional, Suppress, arg

from swapae.cli.common import Flag, Report, RunningOptions, UsageError, claim_folder
from swapae.cli.processes import Processes, check_processes, run_in_all
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.cli.common import Running
    from swapae.evaluation.gallery import Section
    from swapae.metrics.pairs import PairList
    from swapae.model import SwappingAutoencoder

GENERATED = "synthetic"
DEFAULT_PAIRS, SYNTHETIC_PAIRS = 300, 1000
FILES = ["report.json", "report.html", "pairs.json"]

Weights = Annotated[
    Path | None, arg(metavar="PATH", help_behavior_hint="(default: SWAPAE_WEIGHTS, the cache)")
]
Folder = Annotated[Path | None, arg(aliases=["-o"], metavar="DIR", help_behavior_hint="")]
Pairs = Annotated[str | None, arg(metavar="N|FILE", help_behavior_hint="(default: 300; synthetic 1000)")]
Words = Annotated[tuple[str, ...], arg(metavar="M …")]


@dataclass(frozen=True)
class Measured:
    """What was measured, and what is needed to show it.

    - report: the figures.
    - model: None for a folder of pictures.
    - sections: makes the best, the median and the worst again.
    - pairs: the list, if there is one to be kept.
    """

    report: Report
    model: "SwappingAutoencoder | None"
    sections: "Callable[[], list[Section]]"
    pairs: "PairList | None" = None


def evaluate(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    *,
    data: Annotated[str, arg(metavar="DATA")],
    metrics: Words = ("all",),
    pairs: Pairs = None,
    seed: Annotated[int, arg(metavar="S")] = 0,
    split: Literal["seen", "held_out"] = "seen",
    size: Annotated[int, arg(metavar="N")] = 64,
    batch: Annotated[int, arg(metavar="N")] = 32,
    weights: Weights = None,
    out: Folder = None,
    no_speed: Flag = False,
    gpus: Processes = None,
    arguments: Suppress[tuple[str, ...]] = (),
    common: RunningOptions,
) -> Report:
    """Measure how well a model reconstructs and swaps.

    With --data synthetic hybrids are compared with true swaps (docs/synthetic-benchmark.md), otherwise the
    metrics of docs/metrics.md are computed. Beside the model stand the trivial answers.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id; for synthetic
            also a folder of NAME_swap.png.
        data: The word synthetic, or a set of images as for training, of which centre squares are taken.
        metrics: Which, as lpips, FID-Inception or all; not for synthetic.
        pairs: How many pairs, or a file that lists them (not for synthetic).
        seed: Of the list of pairs.
        split: Forms and materials of synthetic: those of training, or those that it never saw.
        size: Side of the images in pixels.
        batch: Images at a time.
        weights: File or folder of the measuring nets' weights.
        out: Folder for report.html, report.json and, of a set of images, pairs.json.
        no_speed: Do not time the model, which with --out takes up to two minutes.
        gpus: GPUs of this machine that share the work, a process each; where there are none, processes.
    """
    if size < 1 or batch < 1:
        raise UsageError("--size and --batch must be 1 or more.")
    check_processes(gpus)
    if out is not None:
        claim_folder(out, FILES, common.force)
    if data == GENERATED and metrics != ("all",):
        raise UsageError("--metrics is for sets of images: the figures of synthetic are fixed.")
    if gpus is not None and gpus > 1:
        _run_on(gpus, arguments, common)
    from swapae.training.group import is_first_process, joined

    @joined
    def measured() -> Measured:
        try:
            if data == GENERATED:
                return _synthetic(model, pairs, seed, split, size, batch, weights, common)
            return _photos(model, data, metrics, pairs, seed, size, batch, weights, common)
        except ValueError as error:  # images too small for a net, or too few for a metric: it says so
            raise UserError(str(error)) from error

    found = measured()
    if not is_first_process():
        return found.report
    from swapae.evaluation.report import table

    report: Report = {"model": model, **found.report, **_circumstances(found, common)}
    common.show(table(report))
    if out is not None:
        if found.model is not None and not no_speed:
            from swapae.evaluation.speed import measure_speed

            report["speed"] = measure_speed(found.model, common.backend, tell=common.say)
        _write(out, report, found, common)
    return report


def _circumstances(found: Measured, common: "Running") -> Report:
    """By which versions it was measured, and what ran the model."""
    import torch

    from swapae import __version__

    versions = {"swapae": __version__, "torch": torch.__version__, "python": platform.python_version()}
    if found.model is None:
        return {"versions": versions}
    return {"versions": versions, "device": str(found.model.device), "backend": common.backend}


def _write(out: Path, report: Report, found: Measured, common: "Running") -> None:
    """Write the page, the report and the pairs; each whole, and none before all are made."""
    from swapae.evaluation.page import page
    from swapae.files import write_text

    html = page(report, found.sections())
    if found.pairs is not None:
        found.pairs.save(out / "pairs.json", common.force)
    write_text(out / "report.html", html)
    write_text(out / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    common.say(f"wrote {out / 'report.html'}")


def _run_on(gpus: int, arguments: Sequence[str], common: "Running") -> NoReturn:
    """Run the same command in several processes."""
    from swapae.training.group import AGAIN
    from swapae.training.launch import check_machine

    common.say(check_machine(gpus, common.device, "measuring"))
    run_in_all(["eval", *arguments], gpus, AGAIN)


def _synthetic(
    model: str,
    pairs: str | None,
    seed: int,
    split: Literal["seen", "held_out"],
    size: int,
    batch: int,
    weights: Path | None,
    common: "Running",
) -> Measured:
    from swapae.evaluation import shown, synthetic
    from swapae.evaluation.singles import Singles
    from swapae.metrics import LPIPS
    from swapae.model import SwappingAutoencoder
    from swapae.training.group import join, own_device

    processes, device = join(), own_device(common.device)
    num_pairs = _count(pairs, SYNTHETIC_PAIRS)
    lpips = LPIPS.load(weights, device)
    loaded: SwappingAutoencoder | None = None
    singles = Singles()
    if synthetic.is_outputs(model):
        system = synthetic.of_folder(model)
    else:
        loaded = SwappingAutoencoder.from_pretrained(model, device=device, backend=common.backend)
        system = synthetic.of_model(loaded)
    report = synthetic.benchmark(
        system,
        lpips,
        num_pairs=num_pairs,
        seed=seed,
        split=split,
        size=size,
        batch=batch,
        progress=lambda done: common.say(f"{done} of {num_pairs} pairs"),
        processes=processes,
        collected=singles.take,
    )
    return Measured(
        report,
        loaded,
        lambda: shown.of_synthetic(system, num_pairs, seed, split, size, singles),
    )


def _photos(
    model: str,
    data: str,
    metrics: tuple[str, ...],
    pairs: str | None,
    seed: int,
    size: int,
    batch: int,
    weights: Path | None,
    common: "Running",
) -> Measured:
    from swapae.data.open import open_source
    from swapae.evaluation import shown
    from swapae.evaluation.photos import Photos, evaluate
    from swapae.evaluation.singles import Singles
    from swapae.metrics.loaders import Nets
    from swapae.metrics.pairs import PairList
    from swapae.metrics.table import choose
    from swapae.model import SwappingAutoencoder
    from swapae.training.group import join, own_device

    processes, device = join(), own_device(common.device)
    choices = choose([word for words in metrics for word in words.split(",") if word])
    given = PairList.load(pairs) if pairs is not None and not pairs.isdigit() else None
    num_pairs = 0 if given else _count(pairs, DEFAULT_PAIRS)
    source = open_source(data, resolution=size)
    loaded = SwappingAutoencoder.from_pretrained(model, device=device, backend=common.backend)
    photos, singles = Photos.of(source, size), Singles()
    report, drawn = evaluate(
        loaded,
        photos,
        choices,
        Nets(weights, device),
        lambda num_images: given or PairList.draw(data, num_images, num_pairs, seed),
        batch=batch,
        progress=lambda what, done, of: common.say(f"{done} of {of} {what}"),
        processes=processes,
        collected=singles.take,
    )
    return Measured(report, loaded, lambda: shown.of_photos(loaded, photos, drawn, singles), drawn)


def _count(pairs: str | None, default: int) -> int:
    if pairs is None:
        return default
    if not pairs.isdigit() or int(pairs) < 1:
        raise UsageError(f"--pairs must be a number, 1 or more, not {pairs}.")
    return int(pairs)
