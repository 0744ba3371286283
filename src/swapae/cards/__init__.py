"""Model cards: what is known of a model, as data (`card.json`) and as a page (`README.md`).

The data is what people told, what a training left behind, and what the model's own files say; nothing is
made up: what nobody told is said to be unknown.
"""

from swapae.cards.facts import belongings, facts
from swapae.cards.keep import (
    NOTHING_TOLD,
    Told,
    as_text,
    brought_up_to_date,
    descended,
    page_of,
    read_card,
    write_card,
)
from swapae.cards.page import FORMAT, page
from swapae.cards.reports import read_reports

__all__ = [
    "FORMAT",
    "NOTHING_TOLD",
    "Told",
    "as_text",
    "belongings",
    "brought_up_to_date",
    "descended",
    "facts",
    "page",
    "page_of",
    "read_card",
    "read_reports",
    "write_card",
]
