"""A card in a model's folder: read, brought up to date, inherited, written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swapae import box
from swapae.cards.facts import facts
from swapae.cards.front import UNKNOWN
from swapae.cards.page import FORMAT
from swapae.cards.page import page as page_from
from swapae.errors import UserError
from swapae.files import check_free, shown, write_text

BY_FILES = ("codes", "parameters", "precision", "bytes", "sha256", "directions", "gallery", "picture")
OF_WEIGHTS = ("evaluations", "rounding")  # figures of one file of weights, and of no other

Card = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What only people know of a model; None or nothing leaves what a card says already.

    Attributes:
        about: what it makes pictures of, in a few words.
        license: of the weights; an identifier such as Apache-2.0.
        data: a description of the data set.
        data_license: of the data set.
        machine: what it was trained on.
        limits: sentences.
        evaluations: as `read_reports` gives them.
    """

    about: str | None = None
    license: str | None = None
    data: str | None = None
    data_license: str | None = None
    machine: str | None = None
    limits: tuple[str, ...] = ()
    evaluations: tuple[dict[str, Any], ...] = field(default=())


NOTHING_TOLD = Told()


def read_card(folder: Path) -> dict[str, Any]:
    """Read card.json of a model's folder; empty where there is none.

    Raises:
        UserError: it is damaged.
    """
    path = folder / box.CARD
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{shown(path)} is damaged; remove it, or make it anew.") from error
    if found.get("format") != FORMAT:
        raise UserError(f"{shown(path)} is no card of this program ({FORMAT}); remove it, or make it anew.")
    return found


def brought_up_to_date(
    card: Card, folder: Path, name: str, told: Told = NOTHING_TOLD, size: int | None = None
) -> dict[str, Any]:
    """Give a card with what the model's files say now and what is told now; figures of other weights go.

    Args:
        card: what is known already.
        folder: of the model.
        name: of the model.
        told: by people; it comes before what the card says.
        size: side of the images of its training, where the card does not know.

    Raises:
        UserError: the weights cannot be read.
    """
    now = facts(folder, card.get("image_size") or box.image_size(folder) or size)
    is_other = card.get("sha256") not in (None, now["sha256"])
    dropped = {*BY_FILES, *(OF_WEIGHTS if is_other else ())}
    kept = {key: value for key, value in card.items() if key not in dropped}
    return {"format": FORMAT, "name": name, "license": UNKNOWN, **kept, **now, **_told(kept, told)}


def _told(card: Card, told: Told) -> dict[str, Any]:
    data = dict(card.get("data") or {})
    data |= {key: value for key, value in (("about", told.data), ("license", told.data_license)) if value}
    training = dict(card.get("training") or {}) | ({"machine": told.machine} if told.machine else {})
    found: dict[str, Any] = {
        "about": told.about,
        "license": told.license,
        "data": data,
        "training": training if card.get("training") else None,
        "limits": list(told.limits),
        "evaluations": list(told.evaluations),
    }
    return {key: value for key, value in found.items() if value}


def descended(before: Card) -> dict[str, Any]:
    """Give what goes over to a model whose training began with another's weights: origin and terms.

    A notice binds what is made of it too; any other licence is named, and the new one is for people to tell.
    """
    if not before:
        return {}
    known = {key: before[key] for key in ("name", "license", "notice") if key in before}
    origin = before.get("origin") or {}
    known |= {key: origin[key] for key in ("converted", "hub", "began_with") if key in origin}
    bound = {key: before[key] for key in ("license", "notice") if "notice" in before and key in before}
    return {"origin": {"began_with": known}, **bound}


def write_card(
    folder: Path, card: Card, place: str | None = None, *, page: str = box.CARD_PAGE, force: bool = False
) -> None:
    """Write card.json and the page into a folder.

    Args:
        folder: where to.
        card: the data.
        place: what the page names after `-m`.
        page: name of the page's file.
        force: replace those that are there.

    Raises:
        UserError: they are there, or the card is damaged.
    """
    for name in (box.CARD, page):
        check_free(folder / name, force)
    text = page_of(card, place)
    write_text(folder / box.CARD, as_text(card))
    write_text(folder / page, text)


def as_text(card: Card) -> str:
    """The data of a card as a file has it."""
    return json.dumps(card, indent=1, ensure_ascii=False) + "\n"


def page_of(card: Card, place: str | None = None) -> str:
    """Write the page of a card that may be of others.

    Raises:
        UserError: it lacks what a page needs, or holds something else in its place.
    """
    try:
        return page_from(card, place)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"the card of {shown(card.get('name'))} is damaged ({shown(reason)}).") from error
