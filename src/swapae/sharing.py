"""A model's folder made ready to be passed on: what belongs to it, and the card that goes with it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Unpack

import torch
from torch import Tensor

from swapae import box, cards
from swapae.errors import UserError
from swapae.files import write_text
from swapae.hub import Push, check_name, commit_of, push
from swapae.weights import load_tensors

MADE = "This page was made by `"  # which pages are ours to make anew

Card = dict[str, Any]


def known_of(
    weights: Path | None, state: Mapping[str, Tensor] | None = None, into: Path | None = None
) -> Card:
    """Tell what goes over from the model that weights were loaded from.

    Args:
        weights: the file; None for weights of no file.
        state: the weights now, where they may have changed: then the model only comes from that one.
        into: where it is saved; back in its own place it stays the same model, whatever it has learnt.

    Raises:
        UserError: its card is damaged.
    """
    if weights is None or not weights.is_file():
        return {}
    card = cards.read_card(weights.parent) if weights.name == box.WEIGHTS else {}
    commit = commit_of(weights)
    if commit is not None:
        card["origin"] = {**(card.get("origin") or {}), "hub": commit._asdict()}
        card.setdefault("name", commit.repo)
    is_same = state is None or weights.parent == into or is_unchanged(weights, state)
    return card if is_same else cards.descended(card)


def is_unchanged(weights: Path, state: Mapping[str, Tensor]) -> bool:
    """Whether weights are those of a file, in whatever precision."""
    if not weights.is_file():
        return False
    tensors, _ = load_tensors(weights)
    return tensors.keys() == state.keys() and all(
        torch.equal(tensor.to(state[name].dtype), state[name].cpu()) for name, tensor in tensors.items()
    )


def put_card(folder: Path, known: Card, place: str | None = None, *, name: str | None = None) -> Card:
    """Write the card of the model in a folder; a page that people wrote stays as it is.

    Args:
        folder: of the model.
        known: of it besides what its files say.
        place: what the page names after `-m`.
        name: of the model; what is known, or that of the folder, where none is given.

    Raises:
        UserError: what is known is damaged.
    """
    made = name or str(known.get("name") or folder.name)
    card = {**cards.brought_up_to_date(known, folder, made), "name": made}
    page, mine = cards.page_of(card, place), folder / box.CARD_PAGE
    write_text(folder / box.CARD, cards.as_text(card))
    if not mine.is_file() or MADE in mine.read_text(encoding="utf-8", errors="replace"):
        write_text(mine, page)
    return card


def upload(
    weights: Path | None,
    state: Mapping[str, Tensor],
    save: Callable[[Path], object],
    name: str,
    **options: Unpack[Push],
) -> str:
    """Upload a model: the folder it was loaded from, if its weights are still those, else what is saved now.

    Args:
        weights: the file it was loaded from, if any.
        state: its weights.
        save: writes the model into a folder.
        name: of the repository.
        options: as `Push` has them.

    Raises:
        UserError: as `push`.
    """
    check_name(name)
    with TemporaryDirectory(prefix="swapae-") as place:
        if weights is not None and weights.name == box.WEIGHTS and is_unchanged(weights, state):
            folder = weights.parent
        else:
            folder = Path(place)
            save(folder)
        with made_ready(folder, name) as ready:
            return push(ready, name, **options)


@contextmanager
def made_ready(
    folder: Path,
    name: str,
    known: Card | None = None,
    draw: Callable[[Path], object] | None = None,
    *,
    has_picture: bool = True,
) -> Iterator[Path]:
    """Give a folder for a while that holds what belongs to a model, and a card that names it as on the hub.

    Args:
        folder: of the model, which stays as it is.
        name: of the repository.
        known: of the model besides what its files say; what its card says where None is given.
        draw: puts a picture into the folder, if there is one to put.
        has_picture: whether that of the folder belongs to it.

    Raises:
        UserError: a file cannot be read, or the card is damaged.
    """
    known = known_of(folder / box.WEIGHTS) if known is None else known
    with TemporaryDirectory(prefix="swapae-") as place:
        ready = Path(place) / "model"
        try:
            for file in cards.belongings(folder):
                if file in box.PICTURES and not has_picture:
                    continue
                (ready / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / file, ready / file)
        except OSError as error:
            raise UserError(f"{folder} cannot be read: {error.strerror or error}.") from error
        if draw is not None:
            draw(ready)
        put_card(ready, known, name, name=name.rpartition("/")[2])
        yield ready
