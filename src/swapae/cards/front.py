"""The front matter of a card: the table in YAML above the page that model hubs read."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from swapae.cards.figures import is_end

KNOWN_LICENSES = """
apache-2.0 mit unknown unlicense isc wtfpl mpl-2.0 bsd-2-clause bsd-3-clause gpl-2.0 gpl-3.0 lgpl-3.0 agpl-3.0
cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-sa-4.0 cc-by-nc-nd-4.0 openrail
"""  # of those that hubs know by name
UNKNOWN = "unknown"
TAGS = ["swapping-autoencoder", "texture", "image-editing"]
TASK = {"type": "image-to-image", "name": "Image-to-Image"}

Card = Mapping[str, Any]


def front_matter(card: Card) -> str:
    """Write licence, library, task, tags, and the figures that were measured."""
    table: dict[str, Any] = {
        **_license(str(card.get("license") or UNKNOWN)),
        "library_name": "swapae",
        "pipeline_tag": TASK["type"],
        "tags": TAGS,
        **_base(card),
    }
    if card.get("evaluations"):
        table["model-index"] = [{"name": str(card["name"]), "results": list(_results(card))}]
    text = yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{text}---"


def _license(name: str) -> dict[str, str]:
    if name.lower() in KNOWN_LICENSES.split():
        return {"license": name.lower()}
    return {"license": "other", "license_name": "-".join(name.lower().split())}


def _base(card: Card) -> dict[str, str]:
    """The model on the hub that this one was made from, if it was."""
    before = (card.get("origin") or {}).get("began_with") or {}
    repository = before.get("hub", {}).get("repo") if isinstance(before, Mapping) else None
    return {"base_model": str(repository)} if repository else {}


def _results(card: Card) -> Iterator[dict[str, Any]]:
    for report in card["evaluations"]:
        metrics = report["metrics"]
        named = [name for name in metrics if not is_end(name, metrics)]
        split = {"split": str(report["split"])} if "split" in report else {}
        yield {
            "task": dict(TASK),
            "dataset": {"type": str(report["data"]), "name": str(report["data"]), **split},
            "metrics": [{"type": name, "value": round(float(metrics[name]), 6)} for name in named],
        }
