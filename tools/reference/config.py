"""docs/reference/config.md and presets.md: every field of a training's config, and every preset."""

from dataclasses import fields, is_dataclass
from itertools import groupby

from tools.reference.tables import code, table, words

HEAD = """# Configuration

Every field of a training's config, made of the code by `python -m tools.reference`. A field is an option of
`swapae train` (`--model.texture-channels 1024`), a line of a run's `config.yaml`, and an attribute of
[`TrainConfig`](python.md#trainconfig). `swapae train --fields --preset photos64` shows a preset's values.
A run that goes on may change the fields marked ↻, and no other.
"""
PRESETS_HEAD = """# Presets

Named configurations of `swapae train --preset NAME`, made of the code by `python -m tools.reference`;
`swapae presets` prints the first table. Millions of parameters are of the model (encoder and generator) and
of all that is trained; GPUs are those of the published run.
"""


def config_page() -> str:
    """Write the page of fields, a table for each group."""
    from swapae.config import describe
    from swapae.training.config import RESUMABLE, TrainConfig

    settings = sorted(describe(TrainConfig()), key=lambda one: "." in one.name)  # the run's own fields first
    parts = [HEAD]
    for group, found in groupby(settings, key=lambda one: one.name.rpartition(".")[0]):
        rows = [
            [
                code(one.name),
                one.type,
                code(shown(one.default)),
                words(one.doc) + (" ↻" if one.name in RESUMABLE else ""),
            ]
            for one in found
        ]
        parts += [
            f"## {group or 'The run'}\n\n{about(group)}",
            table(["field", "type", "default", "meaning"], rows),
        ]
    return "\n".join(parts)


def about(group: str) -> str:
    """The first sentence of the config class of a group."""
    from swapae.training.config import TrainConfig

    config: object = TrainConfig()
    for name in filter(None, group.split(".")):
        config = getattr(config, name)
    return words((type(config).__doc__ or "").split("\n\n")[0]) + "\n"


def shown(value: object) -> str:
    """Write a value as it is typed."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(shown, value))
    return str(value)


def presets_page() -> str:
    """Write the page of presets: sizes, then what each changes of the defaults."""
    from swapae.cli.presets import HEADINGS, details_of, row
    from swapae.presets import PRESETS, PUBLISHED_GPUS

    rows, sections = [], []
    for name, preset in PRESETS.items():
        config, about = preset(), (preset.__doc__ or "").strip()
        details = details_of(config) | {"gpus": PUBLISHED_GPUS.get(name)}
        rows.append([f"[`{name}`](#{name})", *row(name, details, about.split("\n")[0])[1:]])
        sections.append(f"## {name}\n\n{_dedented(about)}\n\n{changes(config)}")
    return "\n".join([PRESETS_HEAD, table(HEADINGS, rows), *sections])


def _dedented(text: str) -> str:
    return "\n".join(
        words(line.strip()) if not line.startswith("    - ") else f"- {words(line.strip()[2:])}"
        for line in text.splitlines()
    )


def changes(config: object) -> str:
    """Write the fields in which a preset differs from the defaults."""
    from swapae.training.config import TrainConfig

    found = list(differing(config, TrainConfig(), ""))
    if not found:
        return "The defaults, without a change.\n"
    return table(
        ["field", "here", "default"], ([code(n), code(shown(a)), code(shown(b))] for n, a, b in found)
    )


def differing(config: object, default: object, prefix: str) -> list[tuple[str, object, object]]:
    """List the fields of a tree that differ from another's."""
    found: list[tuple[str, object, object]] = []
    for field in fields(config):  # type: ignore[arg-type]
        here, there = getattr(config, field.name), getattr(default, field.name)
        if is_dataclass(here):
            found += differing(here, there, f"{prefix}{field.name}.")
        elif here != there:
            found.append((prefix + field.name, here, there))
    return found
