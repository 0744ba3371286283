"""Ten thousand files, a thousand malformed: no crash, each reject named with its reason, all others used."""

import collections
import json
import os
import zipfile

import pytest
from tests.data.malformed import REASONS, ten_thousand

from swapae.cli.main import main
from swapae.data.folder import FolderSource
from swapae.data.open import open_source

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and links in the file system")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("ten_thousand") / "photos"
    return root, ten_thousand(root)


def run(capsys, *words):
    assert main([*map(str, words), "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def check_reasons(named, kinds):
    """Every malformed file and no other is named, once, with a sentence of its own kind."""
    reasons = dict(named)
    assert len(reasons) == len(named)
    assert set(reasons) == set(kinds)
    for name, kind in kinds.items():
        assert any(words in reasons[name] for words in REASONS[kind]), (kind, reasons[name])
        assert name in reasons[name]
        assert "\n" not in reasons[name]


def test_there_are_as_many_as_was_said_and_of_every_kind(folder):
    root, kinds = folder
    assert sum(len(files) for _, _, files in os.walk(root)) == 10_000
    counts = collections.Counter(kinds.values())
    assert sum(counts.values()) == 1000
    assert set(counts) == set(REASONS)
    assert counts["mutated"] > 450
    assert counts["bomb"] > 20


def test_data_check_names_every_reject_with_its_reason(folder, capsys):
    root, kinds = folder
    report = run(capsys, "data", "check", root)
    assert (report["files"], report["usable"]) == (10_000, 9000)
    check_reasons([(entry["file"], entry["reason"]) for entry in report["unreadable"]], kinds)
    assert len({entry["orientation"] for entry in report["rotated"]}) == 7


def test_a_training_source_uses_every_sound_file_and_names_every_other(folder):
    root, kinds = folder
    source = FolderSource(root)
    found_by_header = len(source.skipped)
    assert 0 < found_by_header < 1000  # the others show when their turn comes
    sizes = collections.Counter()
    for first in range(0, source.num_images, 100):
        images = source.read(range(first, min(first + 100, source.num_images)))
        sizes.update(image.mode for image in images)
    assert set(sizes) == {"RGB"}
    check_reasons(source.skipped, kinds)
    assert len(set(source.paths) - set(kinds)) == 9000


def test_a_pack_holds_every_sound_file_and_lists_every_other(folder, tmp_path, capsys):
    root, kinds = folder
    report = run(capsys, "data", "prepare", root, "-o", tmp_path / "out", "--size", "4", "--format", "zip")
    assert report["num_images"] == 9000
    check_reasons([(entry["file"], entry["reason"]) for entry in report["errors"]], kinds)
    with zipfile.ZipFile(tmp_path / "out" / "images.zip") as archive:
        assert len(archive.namelist()) == 9000
    source = open_source(tmp_path / "out", resolution=4)
    for first in range(0, 9000, 90):
        assert all(min(image.size) == 4 for image in source.read(range(first, first + 30)))
    assert source.skipped == []
