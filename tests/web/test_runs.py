import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapae.errors import UserError
from swapae.web import runs as module
from swapae.web.errors import UnknownId
from swapae.web.runs import Runs

CONFIG = "total_images: 50000\ndiscriminator:\n  image_size: 64\n"


def make(root: Path, name: str, lines: list[dict[str, Any]] | None = None, config: str = CONFIG) -> Path:
    folder = root / name
    (folder / "snapshots").mkdir(parents=True)
    (folder / "config.yaml").write_text(config, "utf-8")
    if lines is not None:
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return folder


def test_runs_are_listed_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    old = make(tmp_path, "old", [{"images_seen": 320, "G_l1": 1.5}, {"images_seen": 640, "G_l1": 1.25}])
    make(tmp_path, "new", [])
    (tmp_path / "no run").mkdir()
    os.utime(old / "log.jsonl", (1000, 1000))
    new, first = Runs(tmp_path).list()
    assert (new.title, new.images_seen, new.last, new.log_bytes) == ("new", None, None, 0)
    assert (first.title, first.images_seen, first.total_images, first.image_size) == ("old", 640, 50000, 64)
    assert first.last == {"images_seen": 640, "G_l1": 1.25}
    assert first.changed == 1000
    assert first.log_bytes == (old / "log.jsonl").stat().st_size
    assert Runs(tmp_path).one(first.id) == first


def test_a_folder_that_is_a_run_itself_is_listed(tmp_path: Path) -> None:
    make(tmp_path, "mine", [{"images_seen": 1}])
    (only,) = Runs(tmp_path / "mine").list()
    assert (only.title, only.images_seen) == ("mine", 1)


def test_a_run_whose_files_are_damaged_is_listed_all_the_same(tmp_path: Path) -> None:
    folder = make(tmp_path, "mine", config="- [")
    (folder / "log.jsonl").write_bytes(b'\xff\n{"images_seen": 5, "x": NaN, "l": [1]}\n[1]\nnonsense\n{"half')
    (only,) = Runs(tmp_path).list()
    assert (only.total_images, only.images_seen, only.last) == (None, 5, {"images_seen": 5, "x": None})
    json.dumps(only.model_dump(), allow_nan=False)


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("seed: !!int ''", b"{}"),
        ("a: !!bool x", b"{}"),
        ("a: !!timestamp x", b"{}"),
        ("[" * 1000, b"{}"),
        ("total_images: 0x" + "f" * 5000, b"{}"),
        (CONFIG, b'{"a": "\\ud800", "\\udfff": 1}'),
        (CONFIG, b'{"a": 1e999, "images_seen": 123456789012345678901234567890}'),
        (CONFIG, b'{"a": ' + b"[" * 100_000),
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_run_whose_files_make_no_sense_hides_no_other(tmp_path: Path, config: str, line: bytes) -> None:
    make(tmp_path, "sound", [{"images_seen": 7}])
    (make(tmp_path, "odd", config=config) / "log.jsonl").write_bytes(line + b"\n")
    listed = Runs(tmp_path).list()
    assert {run.title: run.images_seen for run in listed} == {"sound": 7, "odd": None}
    for run in listed:
        json.dumps(run.model_dump(mode="json"), allow_nan=False, ensure_ascii=False).encode()
        Runs(tmp_path).log(run.id).model_dump_json()


def test_a_config_is_read_again_only_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, read = make(tmp_path, "mine", []), []
    runs, parsed = Runs(tmp_path), module.parsed
    monkeypatch.setattr(module, "parsed", lambda text: read.append(1) or parsed(text))
    assert [runs.list()[0].total_images for _ in range(3)] == [50000] * 3
    assert len(read) == 1
    (folder / "config.yaml").write_text(CONFIG.replace("50000", "600000"), "utf-8")
    assert runs.list()[0].total_images == 600000


def test_a_log_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    folder = make(tmp_path, "mine", [{"n": 1}, {"n": 2}])
    runs = Runs(tmp_path)
    (run,) = runs.list()
    first = runs.log(run.id)
    assert (first.lines, first.more, first.restarted) == ([{"n": 1}, {"n": 2}], False, False)
    assert runs.log(run.id, first.next).lines == []
    with open(folder / "log.jsonl", "a") as file:
        file.write('{"n": 3}\n{"n": 4')
    second = runs.log(run.id, first.next)
    assert second.lines == [{"n": 3}]  # the last line is still being written
    with open(folder / "log.jsonl", "a") as file:
        file.write("2}\n")
    third = runs.log(run.id, second.next)
    assert third.lines == [{"n": 42}]
    (folder / "log.jsonl").write_text('{"n": 0}\n')
    again = runs.log(run.id, third.next)
    assert (again.lines, again.restarted) == ([{"n": 0}], True)


def test_a_long_log_comes_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LOG", 64)
    make(tmp_path, "mine", [{"n": n} for n in range(50)] + [{"long": "x" * 300}] + [{"n": 50}])
    runs = Runs(tmp_path)
    (run,) = runs.list()
    lines, after, more = [], 0, True
    while more:
        part = runs.log(run.id, after)
        assert part.next > after
        lines, after, more = lines + part.lines, part.next, part.more
    assert lines == [{"n": n} for n in range(51)]  # the line that is longer than a part is passed over


def test_snapshots_are_numbered_for_good(tmp_path: Path) -> None:
    folder = make(tmp_path, "mine")
    names = [
        "images_00002000.png",
        "images_00002000_random_raw.webp",
        "images_00000500_raw.webp",
        "else.png",
        "images_1.exe",
    ]
    for name in names:
        (folder / "snapshots" / name).write_bytes(name.encode())
    runs = Runs(tmp_path)
    (run,) = runs.list()
    told = [(one.images_seen, one.kind, one.raw, one.media_type) for one in run.snapshots]
    assert told == [
        (500, "fixed", True, "image/webp"),
        (2000, "fixed", False, "image/png"),
        (2000, "random", True, "image/webp"),
    ]
    number = run.snapshots[1].number
    assert runs.snapshot(run.id, number) == (b"images_00002000.png", "image/png")
    (folder / "snapshots" / "images_00000500_raw.webp").unlink()
    assert runs.snapshot(run.id, number)[0] == b"images_00002000.png"
    with pytest.raises(UnknownId, match="no such picture"):
        runs.snapshot(run.id, number + 1)


def test_nothing_outside_is_read_through_links(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    outside = make(secret, "run", [{"images_seen": 9}])
    (outside / "snapshots" / "images_1.png").write_bytes(b"secret")
    root = tmp_path / "runs"
    mine = make(root, "mine")
    (root / "linked").symlink_to(outside)
    (mine / "log.jsonl").symlink_to(outside / "log.jsonl")
    (mine / "snapshots" / "images_2.png").symlink_to(outside / "snapshots" / "images_1.png")
    other = root / "other"
    other.mkdir()
    (other / "config.yaml").write_text(CONFIG)
    (other / "snapshots").symlink_to(outside / "snapshots")
    found = {run.title: run for run in Runs(root).list()}
    assert set(found) == {"mine", "other"}
    assert found["mine"].last is None
    assert [run.snapshots for run in found.values()] == [[], []]
    assert Runs(root).log(found["mine"].id).lines == []
    with pytest.raises(UnknownId):
        Runs(root).snapshot(found["other"].id, 4)


def test_a_pipe_in_place_of_a_log_does_not_wait(tmp_path: Path) -> None:
    folder = make(tmp_path, "mine")
    os.mkfifo(folder / "log.jsonl")
    (run,) = Runs(tmp_path).list()
    assert Runs(tmp_path).log(run.id).lines == []


@pytest.mark.parametrize("id", ["", "..", "../secret", "mine", "/etc", "a" * 16, "\0"])
def test_an_id_is_only_looked_up(tmp_path: Path, id: str) -> None:
    make(tmp_path, "mine", [{"n": 1}])
    for ask in (Runs(tmp_path).one, Runs(tmp_path).log):
        with pytest.raises(UnknownId, match="no such run"):
            ask(id)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        Runs(tmp_path / "nowhere")


@given(st.binary(max_size=300), st.integers(-5, 400))
def test_whatever_a_log_holds_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, after: int
) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    folder = root / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "log.jsonl").write_bytes(data)
    (run,) = Runs(root).list()
    part = Runs(root).log(run.id, after)
    assert 0 <= part.next <= len(data)
    json.dumps([part.model_dump(), run.model_dump()], allow_nan=False)
