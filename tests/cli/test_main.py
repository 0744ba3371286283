import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swapae.cli import commands
from swapae.cli.commands import COMMANDS
from swapae.cli.main import main
from swapae.errors import UserError

SWAPAE = [sys.executable, "-m", "swapae"]
Streams = pytest.CaptureFixture[str]


def replace(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def presets() -> dict[str, object]:
        raise error

    monkeypatch.setitem(commands.COMMANDS, "presets", presets)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["data", "--help"], *([*name.split(), "--help"] for name in COMMANDS)]
)
def test_help_imports_neither_torch_nor_numpy_nor_pillow(arguments: list[str]) -> None:
    code = (
        "import sys; from swapae.cli.main import main; status = main(sys.argv[1:]); "
        "heavy = {'torch', 'numpy', 'PIL', 'safetensors', 'huggingface_hub'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: swapae" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="os.wait4 gives the CPU time")
def test_help_takes_less_than_half_a_second_of_cpu_time_beyond_the_interpreter() -> None:
    def cpu_seconds(*arguments: str) -> float:
        used = []
        for _ in range(3):
            child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            assert child.returncode == 0
            used.append(usage.ru_utime + usage.ru_stime)
        return min(used)

    assert cpu_seconds("-m", "swapae", "--help") - cpu_seconds("-c", "pass") < 0.5


def test_no_command_is_a_usage_error_that_shows_the_help(capsys: Streams) -> None:
    assert main([]) == 2
    assert "usage: swapae COMMAND" in capsys.readouterr().out


def test_version_is_printed(capsys: Streams) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "swapae 0.1.0\n"


@pytest.mark.parametrize(("typed", "meant"), [("tarin", "train"), ("swp", "swap"), ("docter", "doctor")])
def test_a_mistyped_command_gets_a_suggestion(typed: str, meant: str, capsys: Streams) -> None:
    assert main([typed]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Unknown command '{typed}'. Did you mean '{meant}'?" in err


def test_an_option_before_the_command_is_explained(capsys: Streams) -> None:
    assert main(["--json", "info"]) == 2
    assert "The command comes first" in capsys.readouterr().err


def test_a_mistyped_option_gets_a_suggestion(capsys: Streams) -> None:
    assert main(["swap", "a", "b", "-m", "m", "-o", "o.png", "--strenght", "1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--strength" in err


def test_a_mistyped_option_is_named_although_a_required_one_is_missing_for_it(capsys: Streams) -> None:
    assert main(["swap", "a", "b", "--modle", "m", "-o", "x.png", "--json"]) == 2
    out, err = capsys.readouterr()
    assert "Did you mean '--model'?" in err
    assert "--modle" in json.loads(out)["error"]


def test_with_json_wrong_usage_is_one_object_too(capsys: Streams) -> None:
    assert main(["swap", "a", "--json"]) == 2
    assert "error" in json.loads(capsys.readouterr().out)


def test_a_missing_or_wrong_option_is_a_usage_error(capsys: Streams) -> None:
    assert main(["swap", "a", "b", "-o", "o.png"]) == 2
    assert "--model" in capsys.readouterr().err
    assert main(["doctor", "--device", "tpu"]) == 2
    assert "tpu" in capsys.readouterr().err


def test_a_users_mistake_is_one_line_and_status_1(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, UserError("the sun is down; wait."))
    assert main(["presets"]) == 1
    assert capsys.readouterr() == ("", "error: the sun is down; wait.\n")


def test_with_json_an_error_is_one_object_too(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(commands.COMMANDS, "swap", COMMANDS["swap"])
    assert main(["swap", "nowhere.png", "b.png", "-m", "m", "-o", "o.png", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "nowhere.png" in json.loads(out)["error"]
    assert err.startswith("error: ")


def test_an_unexpected_error_is_one_line_and_shows_its_trace_only_on_demand(
    capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(monkeypatch, RuntimeError("first line\nsecond line"))
    assert main(["presets"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        err == "error: something went wrong inside swapae (RuntimeError: first line); --debug shows where.\n"
    )

    def presets(debug: bool = False) -> dict[str, object]:
        raise RuntimeError("boom")

    monkeypatch.setitem(commands.COMMANDS, "presets", presets)
    assert main(["presets", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_named_with_its_file(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, OSError(28, "No space left on device", "out.png"))
    assert main(["presets"]) == 1
    assert capsys.readouterr().err == "error: out.png: No space left on device\n"


def test_want_of_memory_is_said_plainly(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, MemoryError())
    assert main(["presets"]) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_an_interruption_is_status_130(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, KeyboardInterrupt())
    assert main(["presets"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


WRITING = """
import pathlib, sys, time
from swapae.cli import commands, main
from swapae.files import written_whole

out = pathlib.Path(sys.argv.pop())

def presets() -> None:
    with written_whole(out) as beside:
        beside.write_text("half of it")
        print("writing", flush=True)
        time.sleep(60)

commands.COMMANDS["presets"] = presets
sys.argv.insert(1, "presets")
main.run()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
def test_sigterm_ends_a_command_and_what_it_was_writing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITING, str(tmp_path / "out.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "writing\n"
        assert len(list(tmp_path.iterdir())) == 1
        child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=60)
    assert (child.returncode, said) == (130, ("", "ended by a signal (SIGTERM)\n"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_no_color_takes_the_colours_out_of_a_terminal() -> None:
    import pty

    def on_a_terminal(**extra: str) -> bytes:
        ours, theirs = pty.openpty()
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | extra
        child = subprocess.Popen([*SWAPAE, "info", "--help"], stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while more := os.read(ours, 4096):
                text += more
        os.close(ours)
        assert child.wait() == 0
        return text

    assert b"\x1b" in on_a_terminal()
    assert b"\x1b" not in on_a_terminal(NO_COLOR="1")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_a_reader_that_goes_away_ends_the_program_quietly() -> None:
    child = subprocess.Popen([*SWAPAE, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.close()
    _, err = child.communicate()
    assert child.returncode == 1
    assert err == b""


def test_python_m_swapae_is_the_same_program() -> None:
    done = subprocess.run([*SWAPAE, "tarin"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'train'?" in done.stderr
