"""A folder as a source: what is found, in which order, and what happens to files that cannot be read."""

import os
import pickle
import sys

import numpy as np
import pytest
from PIL import Image

from swapae.data.folder import FolderSource
from swapae.errors import UserError


def put(path, color="red", size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("links are not allowed here")


def noise(path, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def cut_short(path):
    """Leave the header whole and lose the second half of the pixels."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_images_are_found_at_any_depth_in_the_order_of_their_relative_paths(tmp_path):
    for name in ("b.jpg", "a/z.png", "a.png", "a/deep/er/1.webp", "B.JPG", "a/10.TIFF", "a/9.Bmp"):
        put(tmp_path / name)
    source = FolderSource(tmp_path)
    assert source.paths == ["B.JPG", "a.png", "a/10.TIFF", "a/9.Bmp", "a/deep/er/1.webp", "a/z.png", "b.jpg"]
    assert source.num_images == 7
    assert source.skipped == []


def test_other_files_and_hidden_ones_are_passed_over(tmp_path):
    for name in ("a.png", ".hidden.png", ".cache/b.png", "c/._d.jpg"):
        put(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    source = FolderSource(tmp_path)
    assert source.paths == ["a.png"]
    assert source.skipped == []


def test_images_are_read_as_colour_by_their_numbers(tmp_path):
    put(tmp_path / "a.png", "red")
    put(tmp_path / "b.png", "blue")
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "c.png")
    Image.new("L", (2, 2), 7).save(tmp_path / "d.png")
    images = FolderSource(tmp_path).read([1, 0, 2, 3, 1])
    assert [image.mode for image in images] == ["RGB"] * 5
    colors = [image.getpixel((0, 0)) for image in images]
    assert colors == [(0, 0, 255), (255, 0, 0), (255, 255, 255), (7, 7, 7), (0, 0, 255)]


def test_links_are_followed_and_what_they_repeat_counts_once(tmp_path):
    outside = put(tmp_path / "outside" / "far.png").parent
    root = tmp_path / "root"
    put(root / "b" / "near.png")
    link(root / "a_file.png", root / "b" / "near.png")
    link(root / "linked", outside)
    link(root / "linked_again", outside)
    assert FolderSource(root).paths == ["a_file.png", "linked/far.png"]


def test_a_circle_of_links_ends(tmp_path):
    put(tmp_path / "a" / "b" / "photo.png")
    link(tmp_path / "a" / "b" / "up", tmp_path / "a")
    link(tmp_path / "self", tmp_path)
    link(tmp_path / "self_again", tmp_path)  # two of them would be 2⁴⁰ ways before the system gives up
    link(tmp_path / "x", tmp_path / "y")
    link(tmp_path / "y", tmp_path / "x")
    assert FolderSource(tmp_path).paths == ["a/b/photo.png"]


def test_files_without_a_sound_header_are_listed_and_skipped(tmp_path):
    put(tmp_path / "good.png")
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").touch()
    link(tmp_path / "lost.png", tmp_path / "gone.png")
    source = FolderSource(tmp_path)
    assert source.paths == ["good.png"]
    assert [path for path, _ in source.skipped] == ["empty.png", "lost.png", "text.jpg"]
    reasons = [reason for _, reason in source.skipped]
    for reason, words in zip(reasons, ("empty file", "does not exist", "not an image"), strict=True):
        assert words in reason


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
def test_a_folder_that_may_not_be_searched_is_listed(tmp_path):
    put(tmp_path / "good.png")
    locked = put(tmp_path / "locked" / "photo.png").parent
    locked.chmod(0)
    try:
        source = FolderSource(tmp_path)
    finally:
        locked.chmod(0o755)
    assert source.paths == ["good.png"]
    assert [path for path, _ in source.skipped] == ["locked"]


def test_a_file_that_fails_later_is_stood_in_for_by_the_next_and_listed_once(tmp_path):
    for number in range(4):
        noise(tmp_path / f"{number}.png", number)
    source = FolderSource(tmp_path)
    cut_short(tmp_path / "1.png")
    cut_short(tmp_path / "2.png")
    (tmp_path / "3.png").unlink()
    sound = source.read([0])[0].tobytes()
    for numbers in ([1], [3, 2], [1]):
        assert {image.tobytes() for image in source.read(numbers)} == {sound}
    assert [path for path, _ in source.skipped] == ["1.png", "2.png", "3.png"]
    reread = FolderSource(tmp_path)
    assert reread.num_images == 3
    assert {image.tobytes() for image in reread.read([2, 1])} == {sound}


def test_when_no_image_can_be_decoded_any_more_it_says_so(tmp_path):
    source = FolderSource(noise(tmp_path / "a.png").parent)
    cut_short(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"No image in .* can be decoded; the last: .*a\.png is damaged"):
        source.read([0])


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        FolderSource(tmp_path / "missing")
    with pytest.raises(UserError, match="There are no images in"):
        FolderSource(tmp_path)
    (tmp_path / "bad.png").write_text("no picture")
    with pytest.raises(UserError, match=r"No image in .* can be read; the first: .*bad\.png is not an image"):
        FolderSource(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        FolderSource(tmp_path / "bad.png")


@pytest.mark.skipif(sys.platform != "linux", reason="file names must be text there")
def test_a_name_that_is_no_text_can_be_read_and_listed(tmp_path):
    strange = put(tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"\xff.png"))
    source = FolderSource(tmp_path)
    assert source.read([0])[0].size == (8, 6)
    strange.write_bytes(b"x")
    with pytest.raises(UserError) as caught:
        FolderSource(tmp_path)
    str(caught.value).encode("utf-8")


def test_a_source_survives_the_way_to_a_worker(tmp_path):
    source = FolderSource(put(tmp_path / "a.png").parent)
    copy = pickle.loads(pickle.dumps(source))
    assert copy.read([0])[0].tobytes() == source.read([0])[0].tobytes()
