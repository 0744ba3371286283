"""`swapae train`: begin a run, or go on with it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from tyro.conf import Positional, Suppress, arg

from swapae.cli.card import write_card_of
from swapae.cli.common import Common, CommonOptions, Flag, Report, UsageError
from swapae.cli.processes import Processes, check_processes, run_in_all
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.training.config import TrainConfig

Data = Annotated[Positional[str], arg(metavar="DATA")]
Run = Annotated[Path, arg(aliases=["-o"], metavar="RUN")]
Preset = Annotated[str | None, arg(metavar="P", help_behavior_hint="")]
Count = Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: the preset's)")]
Origin = Annotated[str | None, arg(metavar="OTHER", help_behavior_hint="")]

Time = Annotated[str | None, arg(metavar="T", help_behavior_hint="(default: no limit)")]
Settings = Suppress[Mapping[str, str]]


def train(
    data: Data,
    *,
    out: Run,
    preset: Preset = None,
    total_images: Count = None,
    batch_size: Count = None,
    seed: Count = None,
    init_from: Origin = None,
    gpus: Processes = None,
    max_time: Time = None,
    dry_run: Flag = False,
    arguments: Suppress[tuple[str, ...]] = (),
    settings: Settings = {},  # noqa: B006  # never changed
    common: CommonOptions,
) -> Report:
    """Train a model on images; the same command goes on with a run.

    Every field of the config is an option as well: --model.texture-channels 1024, --loss.r1 5. See them all,
    with types and values, by `swapae train --fields [--preset P]`, and the presets by `swapae presets`.
    Ctrl-C, SIGTERM, SIGUSR1 and --max-time save and stop; the same command goes on from there. With --force a
    run begins anew.

    Args:
        data: A folder of images, a zip, tar or LMDB, hf:NAME, or the word synthetic.
        out: The run directory.
        preset: A preset, or a config file. (default: the run's own config, or else photos64 or synthetic64)
        total_images: Images to train on.
        batch_size: Images per step.
        seed: Seed of weights, order and noise.
        init_from: Begin with the weights of another run, a checkpoint, or a model. (default: new weights)
        gpus: GPUs of this machine to train on, a process each; where there are none, processes. (default: 1)
        max_time: Save and stop after this time: 90s, 30m, 11h30m.
        dry_run: Print config, memory, speed, time and disk needed; train nothing, write nothing.
    """
    from swapae.cli.progress import reporter_for
    from swapae.cli.stopping import stop_on_interrupt, time_limit
    from swapae.training.group import is_first_process, num_processes
    from swapae.training.loop import train as run_training

    is_over = time_limit(max_time)
    shortcuts = {"total_images": total_images, "batch_size": batch_size, "seed": seed}
    given = {name: str(value) for name, value in shortcuts.items() if value is not None}
    config = configure(base_config(data, out, preset), {**settings, **given})
    check_processes(gpus)
    if num_processes() > 1 and common.force:
        raise UserError("--force is for one process, which may start others: give it with --gpus, or not.")
    if dry_run:
        from swapae.cli.dry_run import dry_run as plan_training

        return plan_training(config, data, out, init_from, common)
    if common.force:
        begin_anew(out, config, data, common.device, init_from)
    if gpus is not None and gpus > 1:
        train_on(gpus, config, arguments, common)
    is_quiet = common.quiet or not is_first_process()
    with stop_on_interrupt(is_quiet, is_one_of_several=num_processes() > 1) as is_asked:
        summary = run_training(
            config,
            data,
            out,
            device=common.device,
            reporter=reporter_for(common),
            stop=lambda: is_asked() or is_over(),
            init_from=init_from,
        )
    if is_first_process():
        write_card_of(out, common)
    if summary.is_complete:
        common.say(f"{out} has seen {summary.images_seen:,} images; use it with -m {out}")
    else:
        common.say(f"saved {out} at {summary.images_seen:,} images; the same command goes on.")
    return {
        "run": str(out),
        "images_seen": summary.images_seen,
        "is_complete": summary.is_complete,
        "seconds": summary.seconds,
        "losses": summary.losses,
    }


def train_on(gpus: int, config: "TrainConfig", arguments: Sequence[str], common: Common) -> NoReturn:
    """Run the same command in several processes.

    Raises:
        Ended: they have said all, and these are to end as the first of them did.
        UserError: they cannot train together, or one was killed.
    """
    from swapae.training.launch import check_launch
    from swapae.training.watch import GO_ON

    common.say(check_launch(config, gpus, common.device))
    left = [word for word in arguments if word != "--force"]  # which has been done
    run_in_all(["train", *left], gpus, GO_ON)


def show_fields(*, preset: Preset = None, settings: Settings = {}, common: CommonOptions) -> Report:  # noqa: B006
    """Print every field of the config as an option of train: type, value, meaning.

    Args:
        preset: A preset, or a config file. (default: photos64)
    """
    from swapae.cli.fields import table
    from swapae.config import to_dict

    config = configure(base_config("", Path(), preset), settings)
    for line in table(config):
        common.show(line)
    return {"config": to_dict(config)}


def begin_anew(
    run: Path, config: "TrainConfig", data: str, device: str, init_from: str | None = None
) -> None:
    """Empty a run of all it has learnt, once it is sure that the new training can begin.

    Other files in the folder stay, and so does all of a folder that holds no run.

    Raises:
        UserError: the config, the data, the device or the weights to begin with will not do.
    """
    from swapae.config import save
    from swapae.data.open import open_source
    from swapae.devices import choose_device
    from swapae.training.config import check
    from swapae.training.engine import Engine
    from swapae.training.evaluate import evaluation_of
    from swapae.training.lock import locked
    from swapae.training.origin import check_apart, init_file, read_origin
    from swapae.training.run import RunFolder, remove
    from swapae.training.transfer import check_fit

    check(config)
    evaluation_of(config, Engine(choose_device(device)))
    open_source(data, resolution=config.data.load_size, config=config.data)
    folder = RunFolder(run)
    if init_from is not None:
        check_apart(folder, init_from)
        check_fit(read_origin(init_from, lambda _: None), config)
    if not folder.config.is_file():
        return
    parts = [
        folder.checkpoints,
        folder.latest,
        folder.model,
        folder.best,
        folder.snapshots,
        folder.log,
        folder.data,
    ]
    parts.append(init_file(folder))
    parts += [folder.report, folder.tensorboard]
    with locked(run):
        for part in parts:
            remove(part)
        left = [str(part) for part in parts if os.path.lexists(part)]
        if left:
            raise UserError(f"{', '.join(left)} cannot be removed; give another place with -o.")
        save(config, folder.config)


def configure(config: "TrainConfig", settings: Mapping[str, str]) -> "TrainConfig":
    """The config with the options of the command line put in."""
    from swapae.cli.fields import apply, option_names

    return apply(config, settings, option_names(train))


def base_config(data: str, run: Path, preset: str | None) -> "TrainConfig":
    """The config to start from: the preset or file asked for, the run's own, or the default for the data.

    Raises:
        UsageError: there is no such preset.
    """
    from swapae.config import load, unknown
    from swapae.presets import PRESETS
    from swapae.training.config import TrainConfig

    stored = run / "config.yaml"
    if preset is None:
        if stored.exists():
            return load(TrainConfig, stored)
        preset = "synthetic64" if data == "synthetic" else "photos64"
    if Path(preset).suffix.lower() in (".yaml", ".yml", ".json"):
        return load(TrainConfig, Path(preset))
    if preset not in PRESETS:
        raise UsageError(unknown(f"preset '{preset}'", preset, PRESETS) + " swapae presets lists them.")
    return PRESETS[preset]()
