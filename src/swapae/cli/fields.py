"""Config fields as options of `train`: told apart from its own options, put into the config, and shown."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, TypeVar, get_args

from swapae.cli.common import Common, Report, UsageError
from swapae.config import describe, field_names, nearest, unknown, with_overrides
from swapae.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def with_settings(
    command: Callable[..., Report], arguments: Sequence[str]
) -> tuple[Callable[..., Report], list[str]]:
    """Take the options `command` does not declare off the command line, and hand them to it as `settings`."""
    own, settings = split(arguments, option_names(command))
    return partial(command, settings=settings), own


def check_options(command: Callable[..., Report], arguments: Sequence[str]) -> None:
    """Refuse an option that `command` does not declare, before a missing one hides it.

    Raises:
        UsageError: with the nearest option there is.
    """
    declared = option_names(command)
    for word in arguments:
        name = word.removeprefix("--").partition("=")[0]
        if word.startswith("--") and word != "--" and name.replace("_", "-") not in declared:
            raise UsageError(unknown(f"option '--{name}'", name, declared, prefix="--"))


def option_names(command: Callable[..., Report]) -> list[str]:
    """The options a command declares, as they are typed after the two dashes."""
    parameters = inspect.signature(command, eval_str=True).parameters
    common = parameters.get("common")
    shared = fields(Common if common is None else get_args(common.annotation)[0])
    names = [*parameters, *(f.name for f in shared), "help"]
    hidden = ("arguments", "settings", "common")
    return [name.rstrip("_").replace("_", "-") for name in names if name not in hidden]


def split(arguments: Sequence[str], declared: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Separate declared options from the likes of `--model.texture-channels 1024` and `--loss.r1=5`.

    Raises:
        UsageError: a field has no value.
    """
    own: list[str] = []
    settings: dict[str, str] = {}
    words = list(arguments)
    while words:
        word = words.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name.replace("_", "-") in declared:
            own.append(word)
        elif equals:
            settings[name] = value
        elif words and not _is_option(words[0]):
            settings[name] = words.pop(0)
        else:
            near = nearest(name, declared)
            raise UsageError(f"--{name} needs a value." + (f" Did you mean '--{near}'?" if near else ""))
    return own, settings


def _is_option(word: str) -> bool:
    return word.startswith("-") and not word.lstrip("-")[:1].isdigit() and not word.startswith("-.")


def apply(config: T, settings: Mapping[str, str], declared: Sequence[str]) -> T:
    """The config with the settings put in.

    Raises:
        UsageError: a setting is unknown, or its value does not fit.
    """
    known = field_names(config)
    for written in settings:
        name = written.replace("-", "_")
        is_group = any(other.startswith(name + ".") for other in known)
        if name not in known and not is_group:
            options = [*(other.replace("_", "-") for other in known), *declared]
            shown = written.replace("_", "-")
            raise UsageError(unknown(f"option '--{shown}'", shown, options, prefix="--"))
    try:
        return with_overrides(config, settings)
    except UserError as error:
        raise UsageError(str(error)) from None


def table(config: "DataclassInstance") -> list[str]:
    """A line per field: the option, its type, its value, and what it means."""
    settings = describe(config)
    options = [f"--{s.name.replace('_', '-')}" for s in settings]
    width = max(map(len, options), default=0)
    return [
        f"{option:<{width}}  {_value_text(s.default)}  ({s.type})" + (f"  {s.doc}" if s.doc else "")
        for option, s in zip(options, settings, strict=True)
    ]


def _value_text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
