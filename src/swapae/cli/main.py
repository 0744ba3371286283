"""Find the command, parse its options, run it, and turn every outcome into words and an exit status."""

import contextlib
import inspect
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial

from swapae.errors import UserError
from swapae.runtime import tune_allocator

OK, USER_ERROR, USAGE, INTERRUPTED = 0, 1, 2, 130

INTRODUCTION = """\
usage: swapae COMMAND [OPTIONS]

Give one photograph the texture of another, and train the model that does it.

commands:
"""
EPILOGUE = """
  swapae COMMAND --help says more; swapae --version prints the version.
  Every command takes --device, --force, --json, --quiet and --debug.
"""


def run() -> None:
    """Be the program `swapae`: the entry point of the console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name the terminal cannot write must not end a command
            stream.reconfigure(errors="replace")
    tune_allocator()
    _end_in_order()
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, `swapae presets | head`: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = USER_ERROR
    sys.exit(status)


def _end_in_order() -> None:
    """Let SIGTERM end a command as Ctrl-C does, with nothing half-written; a second one ends it at once."""
    own = os.getpid()

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != own:  # a child that was forked has nothing to tidy
            os.kill(os.getpid(), number)
        raise KeyboardInterrupt("ended by a signal (SIGTERM)")

    signal.signal(signal.SIGTERM, end)


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status: 0, 1 user's mistake, 2 usage, 130 interrupted."""
    try:
        return _dispatch(list(arguments))
    except SystemExit as end:  # tyro has said what is wrong, or has shown the help
        status = end.code if isinstance(end.code, int) else OK
        if status and "--json" in arguments and type(end) is SystemExit:
            sys.stdout.write(json.dumps({"error": "wrong usage; standard error says what is wrong"}) + "\n")
        return status
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
        return _explain(error, is_json="--json" in arguments)


def _dispatch(arguments: list[str]) -> int:
    _settle_colours()
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(_help())
        return OK if arguments else USAGE
    name, rest = arguments[0], arguments[1:]
    if name in ("--version", "-V"):
        from swapae import __version__

        sys.stdout.write(f"swapae {__version__}\n")
        return OK
    if _is_group(name):
        if not rest or rest[0] in ("-h", "--help", "help"):
            sys.stdout.write(_help(name))
            return OK if rest else USAGE
        name, rest = f"{name} {rest[0]}", rest[1:]
    report = _parse(name, rest)()
    if "--json" in rest:
        sys.stdout.write(json.dumps(report, ensure_ascii=False, default=str) + "\n")
    return OK


def _parse(name: str, arguments: list[str]) -> Callable[[], dict[str, object]]:
    import tyro

    from swapae.cli.commands import COMMANDS
    from swapae.cli.fields import check_options, with_settings
    from swapae.cli.train import show_fields

    if name not in COMMANDS:
        raise _unknown_command(name, list(COMMANDS))
    command = COMMANDS[name]
    if "arguments" in inspect.signature(command).parameters:  # it may run itself in several processes
        command = partial(command, arguments=tuple(arguments))
    if name == "train":  # its config fields are options too, but only torch knows them
        if "--fields" in arguments:
            command, arguments = show_fields, [word for word in arguments if word != "--fields"]
        command, arguments = with_settings(command, arguments)
    else:
        check_options(command, arguments)
    markers = (tyro.conf.FlagCreatePairsOff,)
    return lambda: tyro.cli(command, prog=f"swapae {name}", args=arguments, config=markers)


def _settle_colours() -> None:
    if os.environ.get("NO_COLOR"):
        os.environ["PYTHON_TYRO_ANSI_CODES"] = "False"  # read when tyro is imported; rich looks for itself


def _unknown_command(name: str, known: list[str]) -> UserError:
    from swapae.cli.common import UsageError
    from swapae.config import unknown

    if name.startswith("-"):
        return UsageError(f"The command comes first: swapae COMMAND {name}. Commands are {', '.join(known)}.")
    return UsageError(unknown(f"command '{name}'", name, known) + " swapae --help lists the commands.")


def _is_group(name: str) -> bool:
    """Whether a word is the first of several commands, as `data` is of `data check`."""
    from swapae.cli.commands import COMMANDS

    return any(command.startswith(f"{name} ") for command in COMMANDS)


def _help(group: str = "") -> str:
    """List the commands, or those of a group."""
    from swapae.cli.commands import COMMANDS

    shown = {name: command for name, command in COMMANDS.items() if name.startswith(group)}
    width = max(map(len, shown))
    lines = [f"  {name:<{width}} {summary(command)}" for name, command in shown.items()]
    head = f"usage: swapae {group} COMMAND [OPTIONS]\n\ncommands:\n" if group else INTRODUCTION
    return head + "\n".join(lines) + "\n" + EPILOGUE


def summary(command: Callable[..., object]) -> str:
    """The first sentence of a command's docstring."""
    return (command.__doc__ or "").strip().splitlines()[0]


def _explain(error: BaseException, is_json: bool) -> int:
    from swapae.cli.common import UsageError, harmless

    text, status = _in_words(error)
    text = harmless(text)
    if isinstance(error, UsageError):
        status = USAGE
    if is_json:
        sys.stdout.write(json.dumps({"error": text}, ensure_ascii=False) + "\n")
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"error: {text}\n" if status != INTERRUPTED else f"{text}\n")
    return status


def _in_words(error: BaseException) -> tuple[str, int]:
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "interrupted", INTERRUPTED
    if isinstance(error, UserError):
        return str(error), USER_ERROR
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror}", USER_ERROR
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "there is not enough memory: take smaller images or a smaller --batch-size.", USER_ERROR
    kind = type(error).__name__
    first = (str(error).splitlines() or [""])[0]
    return f"something went wrong inside swapae ({kind}: {first}); --debug shows where.", USER_ERROR
