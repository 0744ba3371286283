"""docs/reference/python.md and layers.md: public names with signatures and docstrings, read by griffe."""

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe

from tools.reference.tables import code, table

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
HEAD = """# {title}

Made of the code by `python -m tools.reference`. {text}
"""
PAGES = {
    "python.md": (
        "Python",
        "What `from swapae import …` gives, the edits, and the runtime that needs no PyTorch.",
        ["swapae", "swapae.editing", "swapae_onnx"],
    ),
    "layers.md": (
        "Layers, operations, networks, losses",
        "The parts of the system under the names by which it is known; "
        "[the system explained](../system/index.md) gives their equations.",
        ["swapae.layers", "swapae.ops", "swapae.networks", "swapae.losses"],
    ),
}


def page(name: str) -> str:
    """Write one of the pages."""
    title, text, modules = PAGES[name]
    there = [module for module in modules if (SOURCES / module.replace(".", "/")).is_dir()]
    return "\n".join([HEAD.format(title=title, text=text), *(module_section(module) for module in there)])


@cache
def package(name: str) -> Any:
    """Read a package's source, importing nothing."""
    return _packages()[name]


@cache
def _packages() -> Any:
    """Read all of them together, for one names what lies in another."""
    logging.getLogger("griffe").setLevel(logging.ERROR)  # results are named without a type here
    loader = griffe.GriffeLoader(search_paths=[str(SOURCES)], allow_inspection=False)
    for name in ("swapae_onnx", "swapae"):
        loader.load(name)
    loader.resolve_aliases()
    return loader.modules_collection


def module_section(name: str) -> str:
    """Write what a module offers: the names of its `__all__`."""
    top, _, rest = name.partition(".")
    module = package(top)[rest] if rest else package(top)
    names = [str(one).strip("'\"") for one in module.exports or []]
    links = ", ".join(f"[`{one}`](#{one.lower()})" for one in names)
    about = module.docstring.value.split("\n\n")[0] if module.docstring else ""
    return "\n".join([f"## {name}\n\n{about}\n\n{links}\n", *(entry(target(module, one)) for one in names)])


def target(module: Any, name: str) -> Any:
    """Find what a name stands for: itself, what is imported, or the function in a file of the same name."""
    found = module.members[name]
    found = found.final_target if found.is_alias else found
    return found.members[name] if found.is_module else found


def entry(thing: Any) -> str:
    """Write about a class, a function or a value."""
    where = Path(thing.filepath).relative_to(ROOT).as_posix()
    parts = [f"### {thing.name}\n\n[{where}](../../{where})\n", signature(thing), said(thing)]
    if thing.is_class:
        methods = methods_of(thing)
        links = [f"[`{one.name}`](#{thing.name.lower()}{one.name.lower()})" for one in methods]
        parts += [fields_of(thing), ", ".join(links) + "\n" if len(links) > 1 else "", *map(method, methods)]
    return "\n".join(part for part in parts if part)


def signature(thing: Any) -> str:
    """Write how a thing is called. The fence is `py`: no program is in it."""
    if thing.is_attribute:
        return f"```py\n{thing.name}: {thing.annotation}\n```\n"
    if thing.is_class:
        start = thing.members.get("__init__")
        if start is None:
            return ""
        return f"```py\n{called(thing.name, start, skips=1, returns=False)}\n```\n"
    return f"```py\n{called(thing.name, thing)}\n```\n"


def called(name: str, function: Any, skips: int = 0, returns: bool = True) -> str:
    """Write a signature, a line for each argument where it is long."""
    arguments = list(_arguments(list(function.parameters)[skips:]))
    end = f" -> {function.returns}" if returns and function.returns is not None else ""
    short = f"{name}({', '.join(arguments)}){end}"
    if len(short) <= 88:
        return short
    return f"{name}(\n" + "".join(f"    {one},\n" for one in arguments) + f"){end}"


def _arguments(parameters: list[Any]) -> Iterator[str]:
    is_marked = False
    for one in parameters:
        kind = one.kind.value
        if kind == "keyword-only" and not is_marked:
            yield "*"
        is_marked = is_marked or kind in ("keyword-only", "variadic positional")
        stars = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        typed = f": {one.annotation}" if one.annotation is not None else ""
        default = (
            "" if one.default is None or stars else (f" = {one.default}" if typed else f"={one.default}")
        )
        yield f"{stars}{one.name}{typed}{default}"


def said(thing: Any) -> str:
    """Write a docstring: its words, then arguments, what comes back, what is raised."""
    if thing.docstring is None:
        return ""
    return "\n".join(_section(one) for one in thing.docstring.parse("google", warnings=False)) + "\n"


def _section(section: Any) -> str:
    kind, value = section.kind.value, section.value
    if kind == "text":
        return f"{value}\n"
    if kind in ("parameters", "attributes"):
        return table(
            [kind.removesuffix("s"), "meaning"], ([code(one.name), one.description] for one in value)
        )
    if kind in ("returns", "yields"):
        return "\n".join(f"{kind.capitalize()}: {_named(one)}\n" for one in value)
    if kind == "raises":
        return "\n".join(f"Raises `{one.annotation}`: {one.description}\n" for one in value)
    description = getattr(value, "description", str(value))  # of "Example:" and the like
    return f"```pycon\n{description}\n```\n" if description.startswith(">>>") else f"{description}\n"


def _named(one: Any) -> str:
    name = f"`{one.name}`, " if one.name else ""
    return name + " ".join(one.description.split())


def fields_of(thing: Any) -> str:
    """Write the fields of a config or of other plain data, with the comment behind each."""
    is_told = thing.docstring and any(
        one.kind.value == "attributes" for one in thing.docstring.parse("google")
    )
    if is_told or not any("dataclass" in str(one.value) for one in thing.decorators):
        return ""
    lines = Path(thing.filepath).read_text(encoding="utf-8").splitlines()
    rows = []
    for one in thing.members.values():
        if (
            one.is_attribute
            and one.annotation is not None
            and one.is_public
            and not one.has_labels("property")
        ):
            comment = lines[one.lineno - 1].partition("  # ")[2]
            rows.append([code(one.name), code(one.annotation), code(one.value or ""), comment])
    return table(["field", "type", "default", "meaning"], rows) if rows else ""


def methods_of(thing: Any) -> list[Any]:
    """List what users call: public methods and properties that say what they do."""
    named = [one for name, one in thing.members.items() if not name.startswith("_") and not one.is_alias]
    return [one for one in named if one.docstring and (one.is_function or one.has_labels("property"))]


def method(one: Any) -> str:
    """Write about a method or property."""
    owner = one.parent.name
    if one.is_attribute:
        return f"#### {owner}.{one.name}\n\n```py\n{one.name}: {one.annotation}\n```\n\n{said(one)}"
    skips = 0 if one.has_labels("staticmethod") else 1
    return f"#### {owner}.{one.name}\n\n```py\n{called(one.name, one, skips)}\n```\n\n{said(one)}"
