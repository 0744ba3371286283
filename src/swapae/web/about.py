"""What a model's folder says of it: title, size, card, directions, gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swapae import box
from swapae.editing import Directions
from swapae.errors import UserError
from swapae.files import shown
from swapae.galleries import Sample, gallery
from swapae.locate import RUN_MODEL, find_weights
from swapae.model import WEIGHTS_FILE, SwappingAutoencoder

MOST_CARD = 100_000  # characters


@dataclass(frozen=True)
class About:
    """What is known of a model beside its weights.

    - name: without the folders that lead to it.
    - size: of the images it was trained on; None where nobody has written it down.
    """

    name: str
    title: str = ""
    size: int | None = None
    card: str = ""


def folder_of(model: str) -> Path:
    """Find the folder of a model, by the rule of all commands.

    Raises:
        UserError: there is no such model.
    """
    return find_weights(model, WEIGHTS_FILE).parent


def about(model: str) -> About:
    """Read what there is; what is not there or damaged is left out."""
    folder = folder_of(model)
    name = folder.parent.name if folder.name == RUN_MODEL else folder.name
    card = _card(folder)
    return About(name, str(card.get("about", "")), box.image_size(folder), _page(folder))


def samples_of(model: str) -> dict[str, Sample]:
    """Give the gallery that a model brings along; none where it has none."""
    folder = folder_of(model)
    return gallery(folder) if (folder / box.GALLERY).is_dir() else {}


def directions_of(files: Sequence[str | Path], model: str, net: SwappingAutoencoder) -> list[Directions]:
    """Read the directions that a model brings along, after those of other files.

    Raises:
        UserError: a file cannot be read, or is of a model of another shape.
    """
    own = folder_of(model) / box.DIRECTIONS
    found = []
    for file in [*map(Path, files), *([own] if own.is_file() else [])]:
        directions = Directions.load(file)
        directions.check_fit(net, shown(file))
        found.append(directions)
    return found


def _card(folder: Path) -> dict[str, object]:
    try:
        return dict(box.read_json(folder / box.CARD))
    except UserError:
        return {}


def _page(folder: Path) -> str:
    """Read the card's page, without the table of facts for machines above it."""
    try:
        text = (folder / box.CARD_PAGE).read_text(encoding="utf-8", errors="replace")[:MOST_CARD]
    except OSError:
        return ""
    if text.startswith("---\n"):
        text = text.partition("\n---\n")[2]
    return text.strip()
