"""Trees of frozen dataclasses: to and from YAML or JSON, and dotted overrides from the command line.

A value that comes from outside (a file, a flag) is converted by the type of its field, or refused with
the dotted name of the field; an unknown name is refused with the nearest known one.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import math
import os
import re
import reprlib
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import yaml

from swapae.errors import UserError
from swapae.files import write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_BOOLS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_NONES = {"none", "null"}


class Setting(NamedTuple):
    """One field of a tree, as shown to a reader."""

    name: str
    type: str
    default: object
    doc: str


# ── the tree as plain data ───────────────────────────────────────────────────────────────────────


def to_dict(config: DataclassInstance) -> dict[str, Any]:
    """Plain dictionaries, lists and scalars, ready for YAML or JSON."""
    return {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(config) if f.init}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return os.fspath(value) if isinstance(value, Path) else value


def from_dict(cls: type[T], data: Mapping[str, object]) -> T:
    """The tree that `to_dict` wrote; fields left out take their defaults.

    Raises:
        UserError: a name is unknown, a required one is missing, or a value does not fit its field.
    """
    return _build(cls, data, "")


def _build(cls: type[T], data: object, prefix: str) -> T:
    if not isinstance(data, Mapping):
        raise UserError(
            f"{prefix.rstrip('.') or 'A config'} must be a group of settings, not {_short(data)}."
        )
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = get_type_hints(cls)
    for key in data:
        if key not in fields:
            raise UserError(unknown(f"setting '{prefix}{key}'", str(key), fields, prefix))
    for name, field in fields.items():
        if name not in data and _default(field) is dataclasses.MISSING:
            raise UserError(f"The setting '{prefix}{name}' is missing.")
    values = {name: _convert(value, hints[name], prefix + name) for name, value in data.items()}
    try:
        return cls(**values)
    except ValueError as error:  # the class checks its own fields against each other
        raise UserError(str(error)) from None


def unknown(what: str, word: str, known: Iterable[str], prefix: str = "") -> str:
    """The sentence for a word nobody knows, with the nearest known one where there is one."""
    near = nearest(word, known)
    return f"Unknown {what}." + (f" Did you mean '{prefix}{near}'?" if near else "")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like `word`, as a whole or in its last part; None if all are far."""

    def likeness(name: str) -> float:
        tail = SequenceMatcher(None, word.rsplit(".", 1)[-1], name.rsplit(".", 1)[-1]).ratio()
        return max(SequenceMatcher(None, word, name).ratio(), 0.95 * tail)

    best = max(known, key=likeness, default=None)
    return best if best is not None and likeness(best) >= 0.6 else None


# ── one value by the type of its field ───────────────────────────────────────────────────────────


def _convert(value: object, hint: Any, name: str) -> Any:
    """`value` as the type `hint` says; text is read as that type (YAML takes 1e-3 for text)."""
    origin, args = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, name + ".")
    if origin in (Union, types.UnionType):
        return _convert_union(value, args, name)
    if origin is Literal:
        return _convert_choice(value, args, name)
    if origin is tuple:
        return _convert_tuple(value, args, name)
    if hint not in _SCALARS:
        raise TypeError(f"{name}: config fields of type {hint!r} are not supported")
    kind, convert = _SCALARS[hint]
    try:
        return convert(value)
    except (ValueError, OverflowError):
        raise UserError(f"{name} must be {kind}, not {_short(value)}.") from None


def _short(value: object) -> str:
    """A value in a message: a few lines of YAML can mean a list of billions."""
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother, short.maxlong = 2, 80, 80, 80
    try:
        return short.repr(value)
    except ValueError:  # a number of more digits than Python writes
        return f"a {type(value).__name__} too long to show"


def _convert_union(value: object, args: Sequence[Any], name: str) -> Any:
    if type(None) in args and (value is None or (isinstance(value, str) and value.lower() in _NONES)):
        return None
    kinds = [arg for arg in args if arg is not type(None)]
    for kind in kinds[:-1]:
        try:
            return _convert(value, kind, name)
        except UserError:
            continue
    return _convert(value, kinds[-1], name)


def _convert_choice(value: object, choices: Sequence[object], name: str) -> object:
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return choice
    for choice in choices if isinstance(value, (str, int, float)) else ():
        if str(value).lower() == str(choice).lower():
            return choice
    raise UserError(f"{name} must be one of {', '.join(map(str, choices))}, not {_short(value)}.")


def _convert_tuple(value: object, args: Sequence[Any], name: str) -> tuple[Any, ...]:
    if isinstance(value, str):
        items: Sequence[object] = [part.strip() for part in value.strip("()[] ").split(",") if part.strip()]
    elif isinstance(value, (list, tuple)):
        items = value
    else:
        raise UserError(f"{name} must be a list, not {_short(value)}.")
    if len(args) == 2 and args[1] is Ellipsis:
        args = [args[0]] * len(items)
    if len(items) != len(args):
        raise UserError(f"{name} must have {len(args)} values, not {len(items)}.")
    return tuple(
        _convert(item, arg, f"{name}[{i}]") for i, (item, arg) in enumerate(zip(items, args, strict=True))
    )


def _to_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLS:
        return _BOOLS[value.lower()]
    raise ValueError(value)


def _to_int(value: object) -> int:
    number = _to_float(value)
    if number != int(number):
        raise ValueError(value)
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]  # exact beyond 2**53
    except ValueError:
        return int(number)  # "1e6"


def _to_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _to_str(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


_SCALARS: dict[Any, tuple[str, Any]] = {
    bool: ("true or false", _to_bool),
    int: ("a whole number", _to_int),
    float: ("a number", _to_float),
    str: ("text", _to_str),
    Path: ("a path", lambda value: Path(_to_str(value))),
}


# ── dotted names ─────────────────────────────────────────────────────────────────────────────────


def with_overrides(config: T, overrides: Mapping[str, object]) -> T:
    """A copy with some fields replaced, named by dots: `{"model.texture-channels": "1024"}`.

    Dashes and underscores are the same; all values are put in before the tree checks itself.

    Raises:
        UserError: as `from_dict`.
    """
    tree = to_dict(config)
    known = field_names(config)
    for written, value in overrides.items():
        name = written.replace("-", "_")
        if name not in known:
            raise UserError(_unknown_override(name, known))
        *groups, last = name.split(".")
        branch = tree
        for group in groups:
            branch = branch[group]
        branch[last] = value
    return from_dict(type(config), tree)


def _unknown_override(name: str, known: Sequence[str]) -> str:
    inside = [other for other in known if other.startswith(name + ".")]
    if inside:
        return f"'{name}' is a group of settings; name one of them: {', '.join(inside)}."
    return unknown(f"setting '{name}'", name, known)


def field_names(config: DataclassInstance | type[DataclassInstance]) -> list[str]:
    """Every field of the tree by its dotted name, in order."""
    return [setting.name for setting in describe(config)]


def describe(config: DataclassInstance | type[DataclassInstance]) -> list[Setting]:
    """Every field with its type in words, its value (of a class: its default) and its line of explanation."""
    return list(_walk(config, ""))


def _walk(config: Any, prefix: str) -> Iterator[Setting]:
    cls = config if isinstance(config, type) else type(config)
    hints, docs = get_type_hints(cls), _docs(cls)
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        hint, name = hints[field.name], prefix + field.name
        value = _default(field) if config is cls else getattr(config, field.name)
        if dataclasses.is_dataclass(hint):
            yield from _walk(hint if value is dataclasses.MISSING else value, name + ".")
        else:
            yield Setting(name, _type_text(hint), value, docs.get(field.name, ""))


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _type_text(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if hint is type(None):
        return "none"
    if origin is Literal:
        return " | ".join(map(str, args))
    if origin in (Union, types.UnionType):
        return " | ".join(map(_type_text, args))
    if origin is tuple:
        return f"{_type_text(args[0])}, …" if args[-1] is Ellipsis else ", ".join(map(_type_text, args))
    return str(getattr(hint, "__name__", hint))


@functools.cache  # a start of `train` asks for each dozens of times
def _docs(cls: type) -> dict[str, str]:
    """Field name → the comment behind the field in the source of its class."""
    try:
        source = inspect.getsource(cls)
    except OSError:  # no source at hand: names and types must do
        return {}
    return {match["name"]: match["text"] for match in _COMMENTED_FIELD.finditer(source)}


# A long line may have been folded by the formatter: `name: type = (` and then the value with the comment.
_COMMENTED_FIELD = re.compile(r"^ +(?P<name>\w+): [^#\n]*(?:\(\n[^#\n]*)?  # (?P<text>.*)$", re.MULTILINE)


def differences(a: T, b: T) -> list[tuple[str, object, object]]:
    """The fields in which two trees of one class differ: name, value in `a`, value in `b`."""
    pairs = zip(describe(a), describe(b), strict=True)
    return [(one.name, one.default, two.default) for one, two in pairs if one.default != two.default]


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def load(cls: type[T], path: Path | str) -> T:
    """The tree in a .yaml, .yml or .json file.

    Raises:
        UserError: the file cannot be read, or its content does not fit; the sentence names the file.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        data = parsed(text, _is_json(path))
        if data is None:
            raise UserError("it is empty, where a config was expected.")
        return from_dict(cls, data)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
    except ValueError as error:
        raise UserError(f"{path} is not a config file: {' '.join(str(error).split())}.") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def parsed(text: str | bytes, is_json: bool = False) -> Any:
    """Read YAML or JSON as plain data.

    Raises:
        ValueError: it is none. PyYAML lets through what its constructors raise, `!!int ''` an IndexError; and
            what is nested a thousand deep ends in a RecursionError.
    """
    try:
        return json.loads(text) if is_json else yaml.safe_load(text)
    except Exception as error:
        raise ValueError(str(error) or type(error).__name__) from None


def save(config: DataclassInstance, path: Path | str) -> None:
    """Write the tree as .yaml, .yml or .json; the file appears whole or not at all."""
    path, data = Path(path), to_dict(config)
    if _is_json(path):
        text = json.dumps(data, indent=2) + "\n"
    else:
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    write_text(path, text)


def _is_json(path: Path) -> bool:
    if path.suffix.lower() not in (".json", ".yaml", ".yml"):
        raise UserError(f"{path} must end in .yaml or .json.")
    return path.suffix.lower() == ".json"
