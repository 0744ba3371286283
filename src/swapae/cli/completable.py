"""What can be completed on the command line: commands, their options and places, and what each takes."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from swapae.cli.common import Common, Report, Running

HIDDEN = ("arguments", "settings", "common")
NAMES_FILES = re.compile(r"DATA|FILE|IMAGE|DIR|PNG|SET|MASK|CODES|PATH|PRESET")


@dataclass(frozen=True)
class Value:
    """What an option or a place takes: words of a list, files, both, or something that nobody can guess."""

    names: tuple[str, ...]  # of an option, dashes included; none of a place
    help: str
    words: tuple[str, ...] = ()
    has_files: bool = False
    is_flag: bool = False
    is_many: bool = False


@dataclass(frozen=True)
class Line:
    """A command with all that can follow it."""

    name: str
    help: str
    options: tuple[Value, ...]
    places: tuple[Value, ...]


def lines(commands: dict[str, Callable[..., Report]], models: list[str], presets: list[str]) -> list[Line]:
    """Describe every command; `models` and `presets` are the names there are."""
    return [_line(name, command, models, presets) for name, command in commands.items()]


def _line(name: str, command: Callable[..., Report], models: list[str], presets: list[str]) -> Line:
    options: list[Value] = []
    places: list[Value] = []
    signature, said = inspect.signature(command).parameters, _said(command)
    for own, parameter in signature.items():
        if own in HIDDEN:
            continue
        is_place = parameter.kind is not inspect.Parameter.KEYWORD_ONLY
        value = _value(own, parameter.annotation, said.get(own, ""), models, presets, is_place)
        (places if is_place else options).append(value)
    common = _bare(signature["common"].annotation)
    options += _settings(common if common in (Common, Running) else Common)
    if name == "train":
        options.append(Value(("--fields",), "Print every field of the config.", is_flag=True))
        declared = {one for option in options for one in option.names}
        options += [value for value in _fields() if value.names[0] not in declared]
    options.append(Value(("--help", "-h"), "Show the help.", is_flag=True))
    return Line(name, (command.__doc__ or "").strip().splitlines()[0], tuple(options), tuple(places))


def _value(
    own: str, annotation: Any, said: str, models: list[str], presets: list[str], is_place: bool
) -> Value:
    told = [one for one in _notes(annotation) if hasattr(one, "metavar")]
    metavar = next((str(one.metavar) for one in told if one.metavar), "")
    written = next((str(one.name) for one in told if one.name), own.rstrip("_").replace("_", "-"))
    aliases = [alias for one in told for alias in one.aliases or ()]
    names = () if is_place else (f"--{written}", *aliases)
    said = said or next((str(one.help) for one in told if one.help), "")
    kind = list(_leaves(annotation))
    words = [str(word) for one in kind if get_origin(one) is Literal for word in get_args(one)]
    is_name = is_place and own == "name"  # of a model in the box, nothing else
    if "MODEL" in metavar or is_name:
        words += models
    if own == "preset":
        words += presets
    if "synthetic" in said and metavar == "DATA":
        words.append("synthetic")
    is_text = str in kind and ((is_place and not is_name) or bool(NAMES_FILES.search(metavar)))
    has_files = Path in kind or is_text or "MODEL" in metavar or own == "preset"
    is_many = any(get_origin(_bare(one)) in (tuple, list) for one in _choices(annotation))
    return Value(names, said, tuple(words), has_files, kind == [bool], is_many)


def _settings(common: type[Common]) -> list[Value]:
    docs = dict(_docs(common))
    return [
        dataclasses.replace(_value(field.name, field.type, docs.get(field.name, ""), [], [], False))
        for field in dataclasses.fields(common)
    ]


def _docs(common: type[Common]) -> Iterator[tuple[str, str]]:
    """The string below each field, in the class and those it extends."""
    for one in common.__mro__[:-1]:
        yield from re.findall(
            r"^    (\w+): [^\n]*\n    \"\"\"([^\"]+)\"\"\"", inspect.getsource(one), re.MULTILINE
        )


def _fields() -> list[Value]:
    """Every field of a training's config: the only ones for which torch is imported."""
    from swapae.config import describe
    from swapae.training.config import TrainConfig

    found = []
    for setting in describe(TrainConfig):
        kinds = setting.type.split(" | ")
        words = ["true", "false"] if setting.type == "bool" else kinds if len(kinds) > 1 else []
        words = [word for word in words if word not in ("int", "float", "str", "none", "Path")]
        has_files = bool({"Path", "str"} & set(kinds))
        found.append(Value((f"--{setting.name.replace('_', '-')}",), setting.doc, tuple(words), has_files))
    return found


# ── types and words of a signature ───────────────────────────────────────────────────────────────


def _notes(annotation: Any) -> Iterator[Any]:
    while get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        yield from notes


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The types of a union but None; else the type alone."""
    bare = _bare(annotation)
    if get_origin(bare) in (Union, UnionType):
        return tuple(one for one in get_args(bare) if one is not type(None))
    return (bare,)


def _leaves(annotation: Any) -> Iterator[Any]:
    for one in map(_bare, _choices(annotation)):
        if get_origin(one) in (tuple, list):
            for inner in get_args(one):
                if inner is not Ellipsis:
                    yield from _leaves(inner)
        elif get_origin(one) in (Union, UnionType):
            yield from _leaves(one)
        else:
            yield one


def _said(command: Callable[..., Report]) -> dict[str, str]:
    """The first sentence on each argument in a docstring."""
    _, _, args = inspect.cleandoc(command.__doc__ or "").partition("Args:\n")
    found = re.findall(r"^    (\w+): ((?:.|\n(?=      ))*)", args, re.MULTILINE)
    return {name: _first(text) for name, text in found}


def _first(text: str) -> str:
    return re.split(r"(?<=[.:;]) ", " ".join(text.split()))[0].rstrip(":;")
