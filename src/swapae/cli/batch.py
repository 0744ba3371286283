"""`swapae batch`: one edit for all images of a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from swapae.cli.along import Files, parsed
from swapae.cli.common import Flag, Model, OutFolder, Report, Running, RunningOptions, UsageError, end_with
from swapae.cli.masks import Feather, Outside, check_feather
from swapae.cli.rates import Rates

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from swapae.batch.plan import Batch
    from swapae.batch.run import Counts, Pool
    from swapae.batch.work import Work
    from swapae.data.packs.pack import Pack

FAILED, INTERRUPTED = 1, 130
NUM_NAMED = 10  # pictures of a dry run that are named

Count = Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: one per GPU, else per core)")]


def batch(
    data: Annotated[Positional[str], arg(metavar="IN")],
    *,
    texture: Annotated[tuple[Path, ...], arg(metavar="PHOTO …", help_behavior_hint="")] = (),
    weights: Annotated[tuple[float, ...], arg(metavar="W …", help_behavior_hint="")] = (),
    structure: Annotated[Path | None, arg(metavar="PHOTO", help_behavior_hint="")] = None,
    strength: Annotated[float, arg(metavar="A")] = 1.0,
    path: Literal["line", "sphere"] = "line",
    along: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="NAME=A", help_behavior_hint="(repeatable)")
    ] = (),
    directions: Files = (),
    masks: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None,
    feather: Feather = 0.0,
    outside: Outside = "plain",
    model: Model,
    out: OutFolder,
    format: Literal["png", "jpg", "webp"] = "png",
    quality: Annotated[int, arg(metavar="N")] = 95,
    workers: Count = None,
    shard: Annotated[str | None, arg(metavar="I/N", help_behavior_hint="")] = None,
    ray: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="")] = None,
    dry_run: Flag = False,
    common: RunningOptions,
) -> Report:
    """Do one edit to every image of a folder, in several processes.

    The same command goes on where it was ended, by whatever. DIR/manifest.jsonl says what is done, and
    DIR/errors.jsonl which images failed and why: they stop nothing, and are tried again the next time. The
    exit status is 0 if all are done, 1 if some failed, 130 if it was ended before.

    Args:
        data: A folder of images, a zip, tar or LMDB, or hf:NAME; names and subfolders are kept.
        texture: The photo whose texture all get; of several, up to 8, their mix.
        weights: One for each texture, from 0 on; equal ones if there are none.
        structure: Or the photo that keeps its structure, and takes on the texture of each image.
        strength: How much of the texture to take: 0 reconstructs, 1 swaps, beyond exaggerates.
        path: Straight, as published, or along the sphere, in equal angles.
        along: A direction that `swapae directions list` names, and how far; after the texture.
        directions: File that `swapae directions fit` wrote.
        masks: Folder of masks with the names of the images, or one mask for all: white is edited.
        out: Folder for the results: new, or one this command has begun.
        format: Of the results.
        quality: Of jpg and webp, 1 to 100.
        workers: Processes that edit, each with the model in memory; 0 works in this one.
        shard: Only the I-th of N equal shares, for jobs on several machines: 1/8 to 8/8.
        ray: Let a cluster of Ray do it: auto, an address, or local for one on this machine.
        dry_run: Say what would be done; load and write nothing.
    """
    from swapae.batch.edit import Edit
    from swapae.batch.plan import Batch
    from swapae.data.open import open_pack
    from swapae.errors import UserError

    check_feather(feather)
    if masks is None and (feather or outside != "plain"):
        raise UsageError("--feather and --outside are about --masks.")
    if masks is not None and structure is not None:
        raise UsageError("--masks lie over the images that are edited: they do not go with --structure.")
    if not 1 <= quality <= 100:
        raise UsageError(f"--quality must be 1 to 100, not {quality}.")
    if workers is not None and workers < (0 if ray is None else 1):
        raise UsageError(f"--workers must be {0 if ray is None else 1} or more, not {workers}.")
    try:
        edit = Edit(
            model=model,
            textures=tuple(map(str, texture)),
            weights=weights,
            structure=None if structure is None else str(structure),
            strength=strength,
            path=path,
            along=tuple(parsed(along)) if along else (),
            directions=tuple(map(str, directions)),
            feather=feather,
            outside=outside,
        )
    except UserError as error:
        raise UsageError(str(error)) from None
    job = Batch(data, edit, out, masks, format, quality, share_of(shard), common.backend)
    pack = open_pack(data)
    if dry_run:
        return planned(pack, job, common)
    return done(pack, job, workers, ray, common)


def share_of(text: str | None) -> tuple[int, int] | None:
    """Read a share such as 3/8.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    first, _, of = text.partition("/")
    if not (first.isdecimal() and of.isdecimal() and 1 <= int(first) <= int(of)):
        raise UsageError(f"--shard takes I/N, the first of eight is 1/8, not '{text}'.")
    return int(first), int(of)


def planned(pack: "Pack", batch: "Batch", common: Running) -> Report:
    """Say what would be done."""
    from swapae.batch.plan import make_plan

    plan = make_plan(pack, batch, common.force)
    for job in plan.jobs[:NUM_NAMED]:
        common.show(f"{job.name} → {batch.out / job.output}")
    if len(plan.jobs) > NUM_NAMED:
        common.show(f"… and {len(plan.jobs) - NUM_NAMED:,} more")
    for job in plan.refused[:NUM_NAMED]:
        common.show(f"{batch.out / job.output} exists already: {job.name} would fail")
    common.show(
        f"{plan.num_images:,} images: {len(plan.jobs):,} to do, {plan.num_before:,} done, "
        f"{len(plan.refused):,} refused. Nothing was written."
    )
    counts = {"images": plan.num_images, "to_do": len(plan.jobs), "done_before": plan.num_before}
    names = [{"input": job.name, "output": job.output} for job in plan.jobs]
    return {"output": str(batch.out), **counts, "refused": len(plan.refused), "jobs": names}


def done(pack: "Pack", batch: "Batch", workers: int | None, ray: str | None, common: Running) -> Report:
    """Do it.

    Raises:
        Ended: some failed.
        KeyboardInterrupt: it was ended before all were done.
        UserError: nothing could be done, or the disk is full.
    """
    from swapae.batch.run import run, work_of
    from swapae.cli.stopping import stop_on_interrupt
    from swapae.errors import UserError

    def prepare(num_jobs: int) -> "AbstractContextManager[Pool]":
        work = work_of(batch, pack, common.device)
        for note in work.editor.notes:
            common.say(note)
        return pool(work, num_jobs, workers, ray)

    with Rates(common.quiet) as rates, stop_on_interrupt(common.quiet) as is_asked:
        counts = run(pack, batch, prepare, rates.tell, is_asked, common.force)
    report = told(batch, counts, common)
    if counts.full is not None:
        raise UserError(f"{counts.full} {counts.left:,} images are left; the same command goes on.")
    if counts.left:
        raise KeyboardInterrupt(
            f"{counts.before + counts.done:,} of {counts.images:,} images are done; the same command goes on."
        )
    if counts.failed:
        end_with(FAILED, report, common)
    return report


def pool(work: "Work", num_jobs: int, workers: int | None, ray: str | None) -> "AbstractContextManager[Pool]":
    """What does the jobs: a cluster, processes, or this one."""
    from swapae.batch.processes import Here, Workers
    from swapae.data.pool import available_cores

    if ray is not None:
        from swapae.batch.rays import RayActors

        return RayActors(work, ray, workers)
    if workers == 0:
        return Here(work)
    devices = devices_for(work.editor.device)
    cores = available_cores()
    is_cpu = devices == ["cpu"]
    number = min(num_jobs, workers or (cores if is_cpu else len(devices)))
    works = [work.on(devices[place % len(devices)]) for place in range(number)]
    return Workers(works, max(1, cores // number) if is_cpu else None)


def devices_for(name: str) -> list[str]:
    """The devices that a word means: all GPUs, or one."""
    import torch

    from swapae.devices import choose_device

    device = choose_device(name)
    if str(device) == "cuda":
        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [str(device)]


def told(batch: "Batch", counts: "Counts", common: Running) -> Report:
    """Say what was done, and give it as data."""
    from swapae.batch.manifest import name_of

    manifest, errors = (batch.out / name_of(stem, batch.share) for stem in ("manifest", "errors"))
    rate = counts.done / counts.seconds if counts.done else 0.0
    words = [f"{counts.done:,} images done"]
    words += [f"{counts.before:,} were done before"] if counts.before else []
    words += [f"{counts.failed:,} failed, see {errors}"] if counts.failed else []
    words += [f"{rate:.1f} a second"] if counts.done else []
    common.say(f"{batch.out}: {' · '.join(words)}")
    return {
        "output": str(batch.out),
        "images": counts.images,
        "done": counts.done,
        "done_before": counts.before,
        "failed": counts.failed,
        "left": counts.left,
        "seconds": round(counts.seconds, 3) if counts.done else 0.0,
        "images_per_second": round(rate, 3),
        "manifest": str(manifest),
        "errors": str(errors) if counts.failed else None,
    }
