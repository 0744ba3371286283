"""Files that only grow: torn ends, full disks, other settings, other people's files."""

import errno
import json
import os

import pytest

from swapae.batch import manifest
from swapae.batch.manifest import FORMAT, Known, Lines, differing, held, is_torn, name_of
from swapae.errors import UserError, WriteError

HEADER = {"format": FORMAT, "settings": {"strength": 1.0}}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_line_that_was_not_written_whole_counts_for_nothing_and_is_cut_off(tmp_path):
    path = write(tmp_path / "a.jsonl", {"n": 1}, {"n": 2})
    whole = path.read_bytes()
    for torn in (b'{"n": 3', b"\xff", b'{"n": 3}'):
        path.write_bytes(whole + torn)
        lines = Lines(path)
        assert lines.read() == [{"n": 1}, {"n": 2}]
        lines.add([{"n": 4}])
        lines.close()
        assert path.read_bytes() == whole + b'{"n": 4}\n'


def test_damage_in_the_middle_costs_the_damaged_rows_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n" \n[5]\n\xff\xfe\n{"n": 2}\n')
    assert Lines(path).read() == [{"n": 1}, {"n": 2}]


def test_a_full_disk_leaves_the_file_as_it_was_and_the_next_row_whole(tmp_path, monkeypatch):
    lines = Lines(tmp_path / "a.jsonl")
    lines.add([{"n": 1}])
    before, write_all = lines.path.read_bytes(), manifest._write_all

    def half(file, data):
        file.write(data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(manifest, "_write_all", half)
    with pytest.raises(WriteError, match="No space left on device"):
        lines.add([{"n": 2}])
    assert lines.path.read_bytes() == before
    monkeypatch.setattr(manifest, "_write_all", write_all)
    lines.add([{"n": 3}])
    assert lines.read() == [{"n": 1}, {"n": 3}]
    lines.close()


def test_names_of_any_kind_come_back(tmp_path):
    names = ["Straße/夏.jpg", 'quote"\\ and\nline.png', os.fsdecode(b"broken-\xff.png")]
    lines = Lines(tmp_path / "a.jsonl")
    lines.add([{"input": name} for name in names])
    assert [row["input"] for row in lines.read()] == names
    assert "夏" in lines.path.read_text("utf-8")
    lines.close()


def test_what_is_done_stays_done_whatever_came_later_and_all_shares_are_known(tmp_path):
    rows = [
        {"input": "a.png", "output": "a.png", "state": state}
        for state in ("begun", "done", "begun", "failed")
    ]
    write(tmp_path / "manifest.jsonl", HEADER, *rows)
    other = {"input": "b.png", "output": "b.png", "state": "failed"}
    write(
        tmp_path / "manifest.2-of-3.jsonl",
        HEADER,
        other,
        {"input": 5, "output": "c.png"},
        {"output": "d.png"},
    )
    known = Known.of(tmp_path, HEADER["settings"])
    assert known.rows == {"a.png": rows[1], "b.png": other}
    assert len(known.headers) == 2


def test_other_settings_are_refused_with_both_values_unless_forced(tmp_path):
    write(tmp_path / "manifest.jsonl", HEADER, {"input": "a.png", "output": "a.png", "state": "done"})
    with pytest.raises(UserError, match=r"strength was 1\.0, is 0\.5\): give another folder") as raised:
        Known.of(tmp_path, {"strength": 0.5})
    assert "\n" not in str(raised.value)
    assert Known.of(tmp_path, {"strength": 0.5}, force=True) == Known({}, {})
    assert differing(None, {"a": 1}) == "a was None, is 1"


@pytest.mark.parametrize("force", [False, True])
def test_a_file_of_another_kind_is_never_taken_for_a_manifest(tmp_path, force):
    path = tmp_path / "manifest.jsonl"
    for text in ('{"mine": 1}\n', "a shopping list", '{"format": "swapae.batch/2", "settings": {}}\n'):
        path.write_text(text)
        with pytest.raises(UserError, match="is not of a batch: move it"):
            Known.of(tmp_path, {}, force)
        assert path.read_text() == text


def test_a_first_line_that_was_cut_short_is_nothing_done(tmp_path):
    path = write(tmp_path / "manifest.jsonl", HEADER)
    data = path.read_bytes()
    for length in (0, 5, 20, len(data) - 1):
        path.write_bytes(data[:length])
        assert is_torn(path)
        assert Known.of(tmp_path, {"strength": 2.0}) == Known({}, {})


def test_one_process_at_a_time_but_shares_beside_each_other(tmp_path):
    pytest.importorskip("fcntl")
    paths = {share: tmp_path / name_of("manifest", share) for share in (None, (1, 2), (2, 2))}
    files = {share: open(path, "ab") for share, path in paths.items()}  # noqa: SIM115
    again = open(paths[1, 2], "ab")  # noqa: SIM115
    with held(tmp_path, files[1, 2], (1, 2)):
        with held(tmp_path, files[2, 2], (2, 2)):
            pass
        for file, share in ((files[None], None), (again, (1, 2))):
            with pytest.raises(UserError, match="another process works on"), held(tmp_path, file, share):
                pass
    with held(tmp_path, files[None], None):
        pass
    for file in (*files.values(), again):
        file.close()
