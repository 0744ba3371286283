"""Run `swapae convert` on each file named, twice, under an audit hook; print what happened as JSON.

In the first round modules are still loaded that errors need; in the second nothing may happen but reading.
"""

import contextlib
import io
import json
import os
import sys

from swapae.cli.main import main

WATCHED = ("os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pty.", "webbrowser.", "urllib.", "code.")
EXACT = {
    "exec",
    "compile",
    "import",
    "open",
    "builtins.input",
    "marshal.loads",
    "pickle.find_class",
    "sys.settrace",
}
HARMLESS = {"os.listdir", "os.scandir", "os.fspath"}
events: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in HARMLESS or not (event in EXACT or event.startswith(WATCHED)):
        return
    if event == "open" and not isinstance(arguments[1], str) and not _writes(arguments[2]):
        return
    if event == "open" and isinstance(arguments[1], str) and not set(arguments[1]) & set("wax+"):
        return
    events.append(f"{event} {str(arguments)[:200]}")


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def run(file: str) -> dict[str, object]:
    out, err = io.StringIO(), io.StringIO()
    events.clear()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["convert", file, "converted"])
    return {
        "file": file,
        "status": status,
        "out": out.getvalue(),
        "err": err.getvalue(),
        "events": list(events),
    }


def rounds(files: list[str]) -> None:
    sys.addaudithook(watch)
    for number in range(2):
        for file in files:
            found = run(file) | {"round": number}
            sys.__stdout__.write(json.dumps(found) + "\n")  # type: ignore[union-attr]


rounds(sys.argv[1:])
