"""The page of a card, in Markdown: each part is written from its data, or left out where there is none.

What a reader must not miss is said even where nothing is known of it: data, licence, figures, limits.
"""

import json
from collections.abc import Sequence

from swapae import box
from swapae.cards.evaluations import findings, measured, speeds, table
from swapae.cards.front import UNKNOWN, Card, front_matter

FORMAT = "swapae.card/1"
MADE_BY = "swapae card"


def page(card: Card, place: str | None = None, *, is_boxed: bool = False, made_by: str = MADE_BY) -> str:
    """Write a card as Markdown, with the front matter that model hubs read.

    Args:
        card: its data.
        place: what to name after `-m`: a hub id, a folder; the card's name where there is none.
        is_boxed: whether the model comes with the program.
        made_by: the command that made the page.
    """
    parts = [
        front_matter(card),
        f"# {card['name']}",
        _about(card, is_boxed),
        f"![Swaps by {card['name']}]({card['picture']})" if card.get("picture") else "",
        _usage(card, place or str(card["name"])),
        _licences(card, is_boxed),
        _origin(card),
        *_cost(card),
        "## How well it swaps",
        *(measured(report) for report in card.get("evaluations", ())),
        _unmeasured(card),
        *(f"## How fast\n\n{speeds(report['speed'])}" for report in _timed(card)),
        "## Limits",
        "\n".join(f"- {limit}" for limit in (*_limits(card), *findings(card.get("evaluations", ())))),
        "## Files",
        _files(card),
        f"This page was made by `{made_by}` from card.json.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


def _about(card: Card, is_boxed: bool) -> str:
    size, codes = card.get("image_size"), card["codes"]
    what = "A swapping autoencoder" + (f" for {size}×{size} images" if size else "")
    structure = (
        "×".join(map(str, codes["structure"]))
        if "structure" in codes
        else f"of {codes['channels']} channels at 1/{codes['stride']} of the image's sides"
    )
    told = str(card.get("about") or "").strip().rstrip(".")
    told = f"{told[0].upper()}{told[1:]}. " if told else ""
    boxed = " It comes with the program `swapae`." if is_boxed else ""
    return f"{told}{what}: structure code {structure}, texture code {codes['texture']}.{boxed}"


def _usage(card: Card, place: str) -> str:
    shell = f"swapae swap structure.png texture.png -m {place} -o out.png"
    if not card.get("gallery"):
        python = (
            "from swapae import SwappingAutoencoder\n\n"
            f'model = SwappingAutoencoder.from_pretrained("{place}")\n'
            'model.swap_images("structure.png", "texture.png").save("out.png")'
        )
    else:
        python = (
            "from swapae import SwappingAutoencoder, gallery\n\n"
            f'model = SwappingAutoencoder.from_pretrained("{place}")\n'
            f'samples = gallery("{place}")'
        )
    return f"```sh\n{shell}\n```\n\n```python\n{python}\n```"


def _licences(card: Card, is_boxed: bool) -> str:
    data, name = card.get("data") or {}, str(card.get("license") or UNKNOWN)
    about = str(data.get("about") or "What it was trained on is not told.")
    if is_boxed:
        whose = "these weights and of the gallery"
        terms = f"{name}; they were trained by this project from scratch, without any pretrained network."
    else:
        whose = "these weights" + (" and of the gallery" if card.get("gallery") else "")
        missing = "unknown. Nobody has said on what terms they may be used; ask whoever made them."
        terms = missing if name == UNKNOWN else f"{name}."
    notice = f"\n\n**{card['notice']}**" if card.get("notice") else ""
    return (
        f"## Data and licence\n\n{about}\n\n- Licence of the data: {data.get('license') or UNKNOWN}\n"
        f"- Licence of {whose}: {terms}{notice}"
    )


def _origin(card: Card) -> str:
    """What it was converted from, what its training began with, and what that began with, as far as told."""
    lines, origin = [], card.get("origin")
    while isinstance(origin, dict):
        if "converted" in origin:
            found = origin["converted"]
            lines.append(
                f"The published checkpoint `{found['file']}`, converted (SHA-256 `{found['sha256']}`)."
            )
        if "hub" in origin:
            lines.append(f"`{origin['hub']['repo']}` on the hub, revision `{origin['hub']['revision']}`.")
        before = origin.get("began_with")
        if isinstance(before, dict):
            terms = before.get("license") or UNKNOWN
            lines.append(f"Its training began with the weights of `{before['name']}` (licence: {terms}).")
        origin = before
    return "## Where it comes from\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _cost(card: Card) -> list[str]:
    training = card.get("training")
    if not training:
        return []
    departures = (
        "The settings that differ from the published ones for 256² images (`church_pretrained`); card.json "
        f"has all of them:\n\n{_departures(card['departures'])}"
        if card.get("departures")
        else ""
    )
    return ["## What the training cost", _spent(training), departures]


def _spent(training: Card) -> str:
    hours, minutes = divmod(round(training["minutes"]), 60)
    time = f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
    stretches = f", in {training['stretches']} stretches" if training.get("stretches", 1) > 1 else ""
    machine = f", on {training['machine']}" if training.get("machine") else ""
    return (
        f"{training['images_seen']:,} images seen in {time}{stretches}{machine}; batches of "
        f"{training['config']['batch_size']}."
    )


def _departures(rows: Sequence[Sequence[object]]) -> str:
    return table(("setting", "published", "here"), [(f"`{name}`", _word(a), _word(b)) for name, a, b in rows])


def _word(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list | tuple | dict):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unmeasured(card: Card) -> str:
    """How far storing the weights moves pictures; where nothing was measured, that."""
    rounding = card.get("rounding")
    if rounding:
        return (
            "Weights are stored in half precision and load as float32. On the gallery that moves decoded "
            f"pictures by {rounding['mean']:.2f} of 255 levels on the average, by {rounding['largest']} at "
            "the most."
        )
    return "" if card.get("evaluations") else "It has not been measured. `swapae eval` does so."


def _timed(card: Card) -> list[Card]:
    return [report for report in card.get("evaluations", ()) if "speed" in report]


def _limits(card: Card) -> list[str]:
    """Limits that were told; where none were, those that all such models have."""
    if card.get("limits"):
        return [str(limit) for limit in card["limits"]]
    size = card.get("image_size")
    seen = f"It was trained on {size}×{size} images" if size else "It knows the images it was trained on"
    return [
        f"{seen} of one domain and knows nothing else; it takes pictures of any kind and size, but what it "
        "makes of others is not told.",
        "A texture has no places: what one part of a picture looks like can come out in another.",
    ]


def _files(card: Card) -> str:
    parameters = card["parameters"]
    rows = [
        (
            f"`{box.WEIGHTS}`",
            f"{'averaged ' if card.get('training') else ''}weights of encoder ({parameters['encoder']:,}) "
            f"and generator ({parameters['generator']:,}), {card['precision']}, "
            f"{card['bytes'] / 1e6:.1f} MB, SHA-256 `{card['sha256']}`",
        ),
        ("`config.json`", "the shape of the networks, which the weights' file holds too"),
    ]
    if names := card.get("directions"):
        along = f"`swapae edit … --along {names[0]}=+1.5`"
        rows.append((f"`{box.DIRECTIONS}`", f"directions to move codes along ({along}): {', '.join(names)}"))
    if names := card.get("gallery"):
        rows.append((f"`{box.GALLERY}/`", f"{len(names)} samples: {', '.join(names)}"))
    return table(("file", "what"), [*rows, (f"`{box.CARD}`", "the data of this page")])
