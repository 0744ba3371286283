"""What a run knows for the card of its model: what it learnt from, what that cost, what it began with."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from swapae import box, cards
from swapae import config as configs
from swapae.data.open import names_no_path
from swapae.errors import UserError
from swapae.images import open_image, save_image
from swapae.locate import find_weights
from swapae.training.config import RESUMABLE, TrainConfig
from swapae.training.origin import read_record
from swapae.training.run import RunFolder

BOOKKEEPING = RESUMABLE | {"seed"}  # settings that do not change what is learnt, only when and of what chance
RENDERED = (
    "Pictures of a single solid on a plain ground, rendered by this program (`swapae train synthetic`)."
)
PICTURE = box.PICTURES[0]

Card = dict[str, Any]


def run_card(run: RunFolder, published: TrainConfig) -> Card:
    """Gather what a run's config, log, data.json and init.json say.

    Args:
        run: of which at least the config is there.
        published: the settings to compare with.

    Raises:
        UserError: a file is damaged.
    """
    config = configs.load(TrainConfig, run.config)
    record = read_record(run)
    return {
        "image_size": config.discriminator.image_size,
        "data": _data(run),
        **_training(run, config),
        "departures": departures(config, published),
        **(cards.descended(_card_of_origin(record)) if record is not None else {}),
    }


def departures(config: TrainConfig, published: TrainConfig) -> list[list[object]]:
    """List the settings in which a run differs from the published ones: name, theirs, its own."""
    rows = configs.differences(published, config)
    return [[name, theirs, own] for name, theirs, own in rows if name not in BOOKKEEPING]


def last_line(run: RunFolder) -> dict[str, float]:
    """Read the last line of a run's log, which has the totals.

    Raises:
        UserError: there is none, or it is damaged.
    """
    try:
        line: dict[str, float] = json.loads(run.log.read_text(encoding="utf-8").splitlines()[-1])
        return {"images_seen": line["images_seen"], "seconds": line["seconds"]}
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(f"{run.log} is missing or damaged: it says what the training cost.") from error


def keep_picture(run: RunFolder, folder: Path) -> None:
    """Put the run's newest sample grid, if any, into the folder of its model, if that has no picture."""
    grids = sorted(run.snapshots.glob("images_*[0-9].png"))
    has_one = any((folder / name).is_file() for name in box.PICTURES if name != PICTURE)
    if grids and not has_one:
        save_image(open_image(grids[-1]).convert("RGB"), folder / PICTURE, force=True, quality=90)


def _data(run: RunFolder) -> dict[str, str]:
    """Describe the data set by what data.json says, without a path of this machine."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(run.data.read_text(encoding="utf-8"))
        name, number = str(told["data"]), told["num_images"]
        if name == "synthetic":
            return {"about": RENDERED, "license": "none is needed, as the pictures are generated"}
        shown = name if names_no_path(name) else Path(name).name
        count = f"{number:,} images" if isinstance(number, int) else "Images"
        return {"about": f"{count} of `{shown}`; what they show, and whose they are, is not told."}
    return {}


def _training(run: RunFolder, config: TrainConfig) -> Card:
    try:
        line = last_line(run)
    except UserError:
        return {}
    spent = {"images_seen": int(line["images_seen"]), "minutes": round(line["seconds"] / 60, 1)}
    return {"training": {**spent, "stretches": 1, "config": configs.to_dict(config)}}


def _card_of_origin(record: Mapping[str, Any]) -> Card:
    """Read the card of what a run began with; without one, its name is all that is known."""
    name = str(record["init_from"])
    known: Card = {"name": Path(name).name}
    with suppress(UserError):
        folder = find_weights(record["folder"] or name, box.WEIGHTS, local_files_only=True).parent
        known |= cards.read_card(folder)
    return known
