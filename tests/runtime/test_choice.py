import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swapae.files import cache_folder
from swapae.runtime import choice
from swapae.runtime.choice import bucket, choice_key, choose, fastest, measure

KEY = {"processor": "abacus", "threads": 1}


class Bench:
    """Candidates that take the time they are said to take, by a clock of its own."""

    def __init__(self, **seconds: float) -> None:
        self.now = 0.0
        self.runs: list[str] = []
        self.candidates = {name: self._candidate(name, length) for name, length in seconds.items()}

    def clock(self) -> float:
        return self.now

    def _candidate(self, name: str, length: float) -> Callable[[], None]:
        def run() -> None:
            self.now += length * (10 if name not in self.runs else 1)  # the first run is slow
            self.runs.append(name)

        return run

    def choose(self, folder: Path, **key: int) -> str:
        return choose(self.candidates, {**KEY, **key}, folder=folder, clock=self.clock)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"torch": 1.0, "onnx": 0.5}, "onnx"),
        ({"torch": 1.0, "onnx": 0.9}, "onnx"),
        ({"torch": 1.0, "onnx": 0.91}, "torch"),
        ({"torch": 1.0, "onnx": 2.0}, "torch"),
        ({"torch": 1.0, "onnx": 0.8, "compiled": 0.7}, "compiled"),
        ({"torch": 1.0, "onnx": 0.7, "compiled": 0.75}, "onnx"),
    ],
)
def test_the_first_stays_unless_another_takes_nine_tenths(
    seconds: dict[str, float], expected: str, tmp_path: Path
) -> None:
    assert Bench(**seconds).choose(tmp_path) == expected


def test_candidates_take_turns_after_a_run_to_warm_up() -> None:
    bench = Bench(torch=1.0, onnx=0.5)
    assert measure(bench.candidates, bench.clock) == {"torch": 1000.0, "onnx": 500.0}
    assert bench.runs == ["torch", "onnx"] * 4


def test_one_slow_round_does_not_decide() -> None:
    def steps(*lengths: float) -> Callable[[], None]:
        left: Iterator[float] = iter(lengths)

        def run() -> None:
            now[0] += next(left)

        return run

    now = [0.0]
    candidates = {"torch": steps(0, 1, 1, 1), "onnx": steps(0, 50, 0.5, 0.5)}
    assert fastest(measure(candidates, lambda: now[0])) == "onnx"


def test_a_choice_is_remembered(tmp_path: Path) -> None:
    assert Bench(torch=1.0, onnx=0.5).choose(tmp_path) == "onnx"
    later = Bench(torch=0.1, onnx=0.5)
    assert later.choose(tmp_path) == "onnx"
    assert later.runs == []


def test_another_key_or_another_set_of_candidates_is_measured_anew(tmp_path: Path) -> None:
    assert Bench(torch=1.0, onnx=0.5).choose(tmp_path) == "onnx"
    assert Bench(torch=0.1, onnx=0.5).choose(tmp_path, threads=2) == "torch"
    assert Bench(torch=0.1, onnx=0.5, compiled=0.4).choose(tmp_path) == "torch"
    assert Bench(torch=1.0, onnx=0.5).choose(tmp_path) == "onnx"
    assert len(list((tmp_path / "choices").iterdir())) == 3


def test_the_file_says_what_was_measured(tmp_path: Path) -> None:
    Bench(torch=1.0, onnx=0.5).choose(tmp_path)
    [path] = (tmp_path / "choices").iterdir()
    assert json.loads(path.read_text("utf-8")) == {
        "key": {**KEY, "candidates": "torch onnx"},
        "chosen": "onnx",
        "milliseconds": {"torch": 1000.0, "onnx": 500.0},
    }


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"key": {}, "chosen": "onnx"}', b'{"chosen": 1}', b"[" * 100_000],
)
def test_a_damaged_file_is_measured_anew_and_mended(damage: bytes, tmp_path: Path) -> None:
    Bench(torch=1.0, onnx=0.5).choose(tmp_path)
    [path] = (tmp_path / "choices").iterdir()
    path.write_bytes(damage)
    assert Bench(torch=0.1, onnx=0.5).choose(tmp_path) == "torch"
    assert json.loads(path.read_text("utf-8"))["chosen"] == "torch"


def test_a_name_that_is_no_candidate_is_not_believed(tmp_path: Path) -> None:
    Bench(torch=1.0, onnx=0.5).choose(tmp_path)
    [path] = (tmp_path / "choices").iterdir()
    path.write_text(path.read_text("utf-8").replace('"chosen": "onnx"', '"chosen": "abacus"'), "utf-8")
    assert Bench(torch=1.0, onnx=0.5).choose(tmp_path) == "onnx"


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert Bench(torch=1.0, onnx=0.5).choose(tmp_path / "file") == "onnx"


def test_a_challenger_that_fails_is_left_out_and_the_first_may_not_fail(tmp_path: Path) -> None:
    bench = Bench(torch=1.0, onnx=0.5)

    def broken() -> None:
        raise RuntimeError("no compiler")

    assert measure({**bench.candidates, "compiled": broken}, bench.clock).keys() == {"torch", "onnx"}
    with pytest.raises(RuntimeError, match="no compiler"):
        choose({"compiled": broken, **bench.candidates}, KEY, folder=tmp_path, clock=bench.clock)
    assert list(tmp_path.iterdir()) == []


def test_a_single_candidate_is_not_measured_and_none_is_refused(tmp_path: Path) -> None:
    bench = Bench(torch=1.0)
    assert bench.choose(tmp_path) == "torch"
    assert bench.runs == []
    with pytest.raises(ValueError, match="no candidates"):
        choose({}, KEY, folder=tmp_path)


def test_the_key_names_machine_versions_and_work(monkeypatch: pytest.MonkeyPatch) -> None:
    key = choice_key("shape", 3, 250, 256, 2, ["torch", "no-such-package"])
    assert key["model"] == "shape"
    assert (key["batch"], key["pixels"], key["threads"]) == (4, 65536, 2)
    assert key["no-such-package"] == "absent"
    assert str(key["torch"]).startswith("2.")
    assert key["processor"]
    assert int(key["cores"]) >= 1
    assert json.loads(json.dumps(key)) == key
    monkeypatch.setattr(choice, "_version", lambda name: "9.9")
    assert choice_key("shape", 3, 250, 256, 2, ["torch"])["torch"] == "9.9"


@pytest.mark.parametrize(("number", "expected"), [(1, 1), (2, 2), (3, 4), (65536, 65536), (65537, 131072)])
def test_sizes_are_rounded_up_to_powers_of_two(number: int, expected: int) -> None:
    assert bucket(number) == expected


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {}, "home/.cache/swapae"),
        ("linux", {"XDG_CACHE_HOME": "xdg"}, "xdg/swapae"),
        ("darwin", {}, "home/Library/Caches/swapae"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/swapae"),
        ("linux", {"SWAPAE_CACHE": "mine", "XDG_CACHE_HOME": "xdg"}, "mine"),
        ("linux", {"SWAPAE_CACHE": "~/mine"}, "home/mine"),
    ],
)
def test_the_cache_lies_where_the_system_has_it(
    system: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SWAPAE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "home")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert cache_folder() == Path(expected)


def test_without_a_folder_the_cache_of_the_user_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWAPAE_CACHE", str(tmp_path))
    bench = Bench(torch=1.0, onnx=0.5)
    choose(bench.candidates, KEY, clock=bench.clock)
    assert [path.name for path in tmp_path.iterdir()] == ["choices"]
