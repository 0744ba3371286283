"""What packing refuses, in one sentence and without a change to what is there."""

import json
import os
import shutil

import pytest
from tests.data.packing.tools import KINDS, pack, tree
from tests.data.packs.tools import encoded, write_folder

from swapae.data.open import open_pack
from swapae.data.packing.job import Packing, pack_images
from swapae.errors import UserError


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_other_files_is_refused_and_left_alone(photos, tmp_path, force):
    out = write_folder(tmp_path / "out", {"diary.txt": b"mine"})
    with pytest.raises(UserError, match=r"out holds other files \(diary.txt\)"):
        pack(photos, out, force=force)
    assert tree(out) == {"diary.txt": b"mine"}
    with pytest.raises(UserError, match="is a file"):
        pack(photos, out / "diary.txt", force=force)


def test_a_place_inside_the_images_is_refused(photos, tmp_path):
    root = shutil.copytree(photos, tmp_path / "photos")
    for out in (root, root / "out"):
        with pytest.raises(UserError, match="lies inside the images"):
            pack(root, out)
    assert not (root / "out").exists()


@pytest.mark.parametrize("is_complete", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_other_settings_or_images_are_refused_until_force_begins_anew(photos, tmp_path, kind, is_complete):
    root = shutil.copytree(photos, tmp_path / "photos")
    out = tmp_path / "out"
    pack(root, out, kind)
    if not is_complete:  # as if killed before the manifest, everything in its place
        manifest = json.loads((out / "manifest.json").read_text())
        (out / "manifest.json").unlink()
        (out / ".swapae").mkdir()
        (out / ".swapae" / "settings.json").write_text(json.dumps(manifest["settings"]))
        rows = map(json.loads, (out / "images.jsonl").read_text().splitlines())
        (out / ".swapae" / "journal.jsonl").write_text("".join(f'["{r["file"]}", "x", "y"]\n' for r in rows))
        (out / "images.jsonl").unlink()
    with pytest.raises(UserError, match=r"other images or settings \(size was 12, is 8\).*--force"):
        pack(root, out, kind, size=8)
    (root / "0" / "new.png").write_bytes(encoded(50))
    with pytest.raises(UserError, match="num_images was 13, is 14"):
        pack(root, out, kind)
    (out / "own.txt").write_bytes(b"mine")
    pack(root, out, kind, size=8, force=True)
    assert (out / "own.txt").read_bytes() == b"mine"
    (out / "own.txt").unlink()
    pack(root, tmp_path / "fresh", kind, size=8)
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_changed_file_is_told_as_such(photos, tmp_path):
    root = shutil.copytree(photos, tmp_path / "photos")
    pack(root, tmp_path / "out")
    os.utime(root / "0" / "00.jpeg", ns=(1, 1))
    with pytest.raises(UserError, match="a file was changed"):
        pack(root, tmp_path / "out")


def test_a_list_with_names_outside_makes_force_remove_nothing_there(photos, tmp_path):
    (tmp_path / "precious.png").write_bytes(b"mine")
    pack(photos, tmp_path / "out", "folder")
    with open(tmp_path / "out" / "images.jsonl", "a") as file:
        file.write(json.dumps({"file": "../../precious.png"}) + "\n")
    pack(photos, tmp_path / "out", "folder", size=8, force=True)
    assert (tmp_path / "precious.png").read_bytes() == b"mine"


def test_two_at_once_are_refused(photos, tmp_path):
    pytest.importorskip("fcntl")
    seen = []

    def meanwhile(*_):
        with pytest.raises(UserError, match="another process prepares") as caught:
            pack(photos, tmp_path / "out")
        seen.append(caught)

    pack_images(open_pack(photos), tmp_path / "out", Packing("zip", "scale_shortside", 12), 0, meanwhile)
    assert seen


def test_a_set_without_a_usable_image_is_refused_with_the_first_reason(tmp_path):
    root = write_folder(tmp_path / "photos", {"a.png": b"text", "b.png": b""})
    with pytest.raises(
        UserError, match=r"No image in .*photos can be used; the first: a\.png is not an image"
    ):
        pack(root, tmp_path / "out")
