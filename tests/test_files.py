"""Files appear whole or not at all."""

import os
from pathlib import Path

import pytest

from swapae.errors import UserError
from swapae.files import check_free, folder_written_whole, shown, write_bytes, write_text, written_whole


def test_a_file_appears_with_what_was_written_and_its_folder_is_made(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "file.txt", "a\nb\n")

    assert (tmp_path / "new" / "file.txt").read_bytes() == b"a\nb\n"


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    def fail_half_way() -> None:
        with written_whole(tmp_path / "file") as beside:
            beside.write_bytes(b"half")
            raise RuntimeError

    write_bytes(tmp_path / "file", b"old")

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_file_has_the_rights_of_the_umask_even_if_its_writer_gave_it_others(tmp_path: Path) -> None:
    with open(tmp_path / "usual", "wb"):
        pass

    with written_whole(tmp_path / "file") as beside:
        beside.chmod(0o600)

    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_what_stands_there_is_refused_unless_forced_and_a_folder_always(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match="exists already"):
        check_free(tmp_path / "file", force=False)
    check_free(tmp_path / "file", force=True)
    check_free(tmp_path / "other", force=False)
    with pytest.raises(UserError, match="is a folder"):
        check_free(tmp_path, force=True)


@pytest.mark.parametrize("name", ["file/below", "nul\0"])
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match=r"cannot be (written \(.+\)|the name of a file)\.$"):
        write_bytes(tmp_path / name, b"")


def test_what_cannot_be_printed_is_escaped() -> None:
    assert shown("a\nb\udce9") == "a\\nb\\udce9"


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, replace = tmp_path / "a", os.replace
    old.mkdir()
    (old / "file").write_text("old")

    def fails_for_the_new(source: Path, place: Path) -> None:
        if str(source).endswith(".tmp"):
            raise PermissionError(13, "Permission denied")
        replace(source, place)

    monkeypatch.setattr(os, "replace", fails_for_the_new)
    with (
        pytest.raises(UserError, match="Permission denied"),
        folder_written_whole(old, {"file"}, True) as new,
    ):
        (new / "file").write_bytes(b"new")
    assert (old / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("old")
    (tmp_path / "link").symlink_to("a")
    with folder_written_whole(tmp_path / "link", {"file"}, force=True) as new:
        (new / "file").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a" / "file").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["a", "link"]
