"""`swapae train … --dry-run`: what the training would take, in tables."""

from pathlib import Path
from typing import TYPE_CHECKING

from swapae.cli.common import Common, Report

if TYPE_CHECKING:
    from swapae.training.config import TrainConfig
    from swapae.training.plan import Plan


def dry_run(config: "TrainConfig", data: str, out: Path, init_from: str | None, common: Common) -> Report:
    """Show the config and what it would take; nothing is written."""
    from swapae.config import to_dict
    from swapae.training.plan import plan

    taken = taken_lines(config, out, init_from)
    found = plan(config, data, out, common.device, init_from, is_anew=common.force)
    for line in [*config_lines(config), "", *taken, *lines_of(found, config)]:
        common.show(line)
    return {"run": str(out), "config": to_dict(config), **report_of(found, config)}


def taken_lines(config: "TrainConfig", out: Path, init_from: str | None) -> list[str]:
    """What a run that has no checkpoint yet would take of another's weights."""
    from swapae.training.origin import read_origin
    from swapae.training.retention import checkpoints_in
    from swapae.training.run import RunFolder
    from swapae.training.transfer import check_fit

    if init_from is None or checkpoints_in(RunFolder(out).checkpoints):
        return []
    notes: list[str] = []
    transfer = check_fit(read_origin(init_from, notes.append), config)
    return [*notes, *transfer.lines(), ""]


def config_lines(config: "TrainConfig") -> list[str]:
    """The whole config as it would lie in the run."""
    import yaml

    from swapae.config import to_dict

    text: str = yaml.safe_dump(to_dict(config), sort_keys=False, allow_unicode=True)
    return text.splitlines()


def lines_of(plan: "Plan", config: "TrainConfig") -> list[str]:
    """Memory, speed, time and disk."""
    return [
        *memory_lines(plan),
        "",
        *time_lines(plan, config),
        "",
        *disk_lines(plan),
        *(["", *plan.evaluation] if plan.evaluation else []),
        "",
        "nothing was written",
    ]


def memory_lines(plan: "Plan") -> list[str]:
    """A row for each network, then the peaks of the steps."""
    from swapae.training.advice import gigabytes

    head = ["network", "parameters", "weights", "gradients", "Adam", "EMA"]
    networks = plan.memory.networks
    rows = [
        [name, f"{one.parameters:,}", *map(gigabytes, (one.weights, one.gradients, one.adam, one.ema))]
        for name, one in networks.items()
    ]
    sums = [sum(numbers) for numbers in zip(*(vars(one).values() for one in networks.values()), strict=True)]
    rows.append(["all", f"{sums[0]:,}", *map(gigabytes, sums[1:])])
    lines = aligned([head, *rows])
    lines += [
        f"a step of {kind}: {gigabytes(peak)} more, gradients and activations"
        for kind, peak in plan.memory.steps.items()
    ]
    there = "" if plan.there is None else f"; {gigabytes(plan.there)} can be had"
    lines.append(f"memory at the peak: about {gigabytes(plan.needed)} on {plan.device}{there}")
    if plan.trial is not None and plan.trial.peak is not None:
        lines.append(f"measured in the first steps: {gigabytes(plan.trial.peak)}")
    return lines


def time_lines(plan: "Plan", config: "TrainConfig") -> list[str]:
    """How fast, and how long."""
    from swapae.training.report import duration

    if plan.trial is None:
        return [f"it does not fit: {plan.advice}"]
    lines = [f"a step of {kind}: {seconds:.3g} s" for kind, seconds in plan.trial.seconds.items()]
    lines.append(f"reading a batch: {plan.trial.reading:.3g} s in one process")
    lines.append(f"{plan.trial.images_per_second:.3g} images a second, by two steps of each kind")
    left = config.total_images - plan.images_seen
    time = duration(plan.seconds_left(config) or 0)
    return [*lines, f"{left:,} of {config.total_images:,} images are left: about {time}"]


def disk_lines(plan: "Plan") -> list[str]:
    """What lies there in the end."""
    from swapae.training.advice import gigabytes

    disk = plan.disk
    checkpoints = f"{disk.num_checkpoints} × {gigabytes(disk.checkpoint)}"
    lines = [
        f"disk: checkpoints {checkpoints} (one of them while it is written), sample grids about "
        f"{gigabytes(disk.snapshots)}, log and model {gigabytes(disk.log)}",
        f"disk needed: about {gigabytes(disk.total)}; {gigabytes(disk.free)} are free",
    ]
    return lines + (["THE DISK IS TOO SMALL for the whole run."] if disk.total > disk.free else [])


def report_of(plan: "Plan", config: "TrainConfig") -> Report:
    """The same as plain values."""
    trial, disk = plan.trial, plan.disk
    return {
        "device": plan.device,
        "networks": {name: vars(one) for name, one in plan.memory.networks.items()},
        "steps_bytes": plan.memory.steps,
        "peak_bytes": round(plan.needed),
        "measured_peak_bytes": None if trial is None else trial.peak,
        "available_bytes": plan.there,
        "fits": trial is not None,
        "advice": plan.advice,
        "seconds_per_step": None if trial is None else trial.seconds,
        "seconds_reading": None if trial is None else trial.reading,
        "images_per_second": None if trial is None else trial.images_per_second,
        "images_seen": plan.images_seen,
        "seconds_left": plan.seconds_left(config),
        "disk_bytes": vars(disk) | {"total": disk.total},
        "evaluation": list(plan.evaluation),
    }


def aligned(rows: list[list[str]]) -> list[str]:
    """Lines of a table; the first column to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
