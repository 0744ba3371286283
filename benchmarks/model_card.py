"""The page of a model in the box, from the data of its card.

    python -m benchmarks.model_card NAME [--report REPORT.json …]

writes src/swapae/models/NAME/README.md anew, with other evaluations (`swapae eval NAME -o …`) if they are
given.
Nobody edits a page: a test compares it with what is made here.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swapae import box, cards
from swapae.errors import UserError
from swapae.files import write_text

FORMAT = cards.FORMAT

Card = Mapping[str, Any]


def page(card: Card) -> str:
    """Write the card as Markdown, with the front matter that model hubs read."""
    return cards.page(card, is_boxed=True, made_by="python -m benchmarks.model_card")


def write(folder: Path, card: Card) -> None:
    """Write card.json and the page."""
    write_text(folder / box.CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / box.CARD_PAGE, page(card))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page of a model anew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model_card", description=page.__doc__)
    parser.add_argument("name", metavar="NAME", help="of a model in the box")
    parser.add_argument(
        "--report", type=Path, nargs="+", default=[], help="evaluations to take, in this order"
    )
    options = parser.parse_args(arguments)
    try:
        card, folder = box.card_of(options.name), box.required(options.name)
        names = [options.name, str(folder)]
        reports = cards.read_reports(options.report, names, card["image_size"])
        write(folder, card | ({"evaluations": reports} if reports else {}))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {folder / box.CARD_PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
