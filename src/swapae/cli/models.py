"""`swapae models`: the models in the box, that `-m` knows by name."""

from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import CommonOptions, Report

HEADINGS = ("model", "size", "images", "licence", "what it is")


def models(
    name: Annotated[Positional[str | None], arg(metavar="NAME", help_behavior_hint="")] = None,
    *,
    common: CommonOptions,
) -> Report:
    """List the models that come with the program, or print the card of one.

    By column: the name for -m and from_pretrained; the size of the weights; the side of the images of its
    training, though it takes any; the licence of the weights; what it is.

    Args:
        name: The model whose card to print: data, cost, figures, limits.
    """
    from swapae import box

    if name is not None:
        card = box.card_of(name)
        common.show((box.required(name) / box.CARD_PAGE).read_text(encoding="utf-8").rstrip())
        return card
    listed = {name: box.card_of(name) for name in box.names()}
    if not listed:
        common.show(
            "this copy of the package has no models: train one (swapae train), or name a folder with -m."
        )
    for line in _table([HEADINGS, *(_row(card) for card in listed.values())] if listed else []):
        common.show(line)
    shown = ("bytes", "image_size", "license", "about")
    return {"models": {name: {key: card[key] for key in shown} for name, card in listed.items()}}


def _row(card: Report) -> tuple[str, ...]:
    size = f"{float(str(card['bytes'])) / 1e6:.1f} MB"
    return str(card["name"]), size, f"{card['image_size']}²", str(card["license"]), str(card["about"])


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(word.ljust(width) for word, width in zip(words, widths, strict=True)).rstrip()
        for words in rows
    ]
