"""`swapae data check` on a folder with everything that is odd."""

import html
import json
import os
import re
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.data.packs.tools import encoded, write, write_folder
from tests.pictures import landscape

from swapae.cli.main import main

EVIL = "<img src=x onerror=alert(1)>&\"'.png"


@pytest.fixture
def odd(tmp_path):
    """One usable image of every kind, and four that cannot be used."""
    root = write_folder(tmp_path / "photos", {"cut.png": encoded(0, (60, 60))[:-300], "empty.jpg": b""})
    photo = landscape(96, 72, falloff=1.6)
    photo.save(root / "a.png")
    photo.resize((80, 60)).save(root / "b_again.jpg", quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    landscape(90, 60, 1, 1.6).save(root / "rotated.jpg", exif=exif)
    landscape(64, 64, 2, 1.6).convert("L").save(root / "gray.png")
    clear = landscape(64, 64, 3, 1.6).convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 20, 20))
    clear.save(root / "clear.png")
    (root / "tiny.webp").write_bytes(encoded(5, (20, 300), "WEBP"))
    Image.new("L", (1, 80_000)).save(root / "narrow.png")
    (root / "text.gif").write_text("no picture")
    (root / "notes.txt").write_text("nobody looks at this")
    return root


def checked(capsys, *arguments):
    assert main(["data", "check", *map(str, arguments), "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert len(out.splitlines()) == 1
    return json.loads(out)


def test_json_names_everything(odd, capsys):
    report = checked(capsys, odd, "--size", "48", "--workers", "0")
    assert report["files"] == 10
    assert report["usable"] == 6
    reasons = {entry["file"]: entry["reason"] for entry in report["unreadable"]}
    assert list(reasons) == ["cut.png", "empty.jpg", "narrow.png", "text.gif"]
    assert reasons["cut.png"].startswith("cut.png is damaged or cut short")
    assert reasons["narrow.png"].startswith("narrow.png is too narrow: 1x80000 would become 48x3840000")
    assert report["too_small"] == [{"file": "tiny.webp", "size": [20, 300]}]
    assert report["rotated"] == [{"file": "rotated.jpg", "orientation": 6}]
    assert report["gray"] == ["gray.png"]
    assert report["alpha"] == ["clear.png"]
    assert report["near_duplicates"] == [["a.png", "b_again.jpg"]]
    assert report["formats"] == {"PNG": 3, "JPEG": 2, "WEBP": 1}
    assert report["shorter_side"] == {"min": 20, "median": 62.0, "max": 72}
    assert report["needed"] == "scale_shortside 48, crop 48"


def test_any_number_of_processes_and_any_pack_tell_the_same(odd, tmp_path, capsys):
    report = checked(capsys, odd, "--workers", "0")
    assert report["needed"] is None
    assert (
        checked(capsys, odd, "--preset", "tiny32", "--workers", "0")["needed"]
        == "scale_shortside 32, crop 32"
    )
    assert "narrow.png" not in {entry["file"] for entry in report["unreadable"]}
    assert checked(capsys, odd, "--workers", "2") == report
    files = {path.name: path.read_bytes() for path in sorted(odd.iterdir()) if path.suffix != ".txt"}
    word = write("zip", tmp_path / "pack", files)
    assert checked(capsys, word, "--workers", "0") | {"data": str(odd)} == report


def test_the_text_is_a_summary(odd, capsys):
    assert main(["data", "check", str(odd), "--size", "48", "--workers", "0"]) == 0
    out = capsys.readouterr().out
    for words in (
        "photos: 10 files",
        "6 usable (3 PNG, 2 JPEG, 1 WEBP)",
        "4 cannot be used",
        "1 is damaged or cut short and cannot be decoded",
        "1 is an empty file",
        "text.gif is not an image that can be read",
        "1 too small for scale_shortside 48, crop 48 (they would be enlarged; the first: tiny.webp)",
        "1 rotated by EXIF (they are turned upright; the first: rotated.jpg)",
        "1 gray (the first: gray.png)",
        "1 with transparent parts (they are laid over white; the first: clear.png)",
        "1 near-duplicates of others, in 1 group (the first: b_again.jpg looks like a.png)",
    ):
        assert words in out


def test_many_rejects_are_counted_and_the_first_named(tmp_path, capsys):
    root = write_folder(tmp_path / "photos", {f"{i:02}.png": b"" for i in range(25)} | {"z.png": encoded()})
    assert main(["data", "check", str(root), "--workers", "0"]) == 0
    out = capsys.readouterr().out
    assert "25 is an empty file" in out
    assert out.count(".png is an empty file") == 10
    assert "… and 15 more; --json and --html name them all" in out


@pytest.mark.skipif(sys.platform == "win32", reason="such names are forbidden there")
def test_the_page_loads_nothing_and_escapes_every_name(odd, tmp_path, capsys):
    (odd / "tiny.webp").rename(odd / EVIL.replace(".png", ".webp"))
    (odd / "text.gif").rename(odd / EVIL.replace(".png", ".gif"))
    strange = os.fsdecode(b"\xff.png")
    (odd / "gray.png").rename(odd / strange)
    page = tmp_path / "report" / "check.html"
    report = checked(capsys, odd, "--size", "48", "--html", page, "--workers", "0")
    assert report["html"] == str(page)
    text = page.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert text.count(html.escape(EVIL.removesuffix(".png"))) >= 3
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == 1 + 1 + 1 + 1 + 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"https?:|<script|<link(?! rel=.icon. href=.data:,.)|url\(|@import", text)
    assert "default-src 'none'" in text
    for words in ("Too small for", "Rotated by EXIF: 1 file", "Near-duplicates: 1 group", "\\udcff.png"):
        assert words in text


def test_a_page_that_exists_is_kept_without_force(odd, tmp_path, capsys):
    page = tmp_path / "check.html"
    page.write_text("mine")
    assert main(["data", "check", str(odd), "--html", str(page), "--workers", "0"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert page.read_text() == "mine"
    assert main(["data", "check", str(odd), "--html", str(page), "--workers", "0", "--force"]) == 0
    assert "wrote" in capsys.readouterr().out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_wrong_usage_is_told(odd, capsys):
    for arguments, words in (
        ((odd, "--size", "3", "--preset", "tiny32"), "not both"),
        ((odd, "--size", "0"), "1 or more"),
        ((odd, "--preset", "tiny23"), "Did you mean 'tiny32'?"),
        ((odd, "--workers", "-1"), "0 or more"),
    ):
        assert main(["data", "check", *map(str, arguments)]) == 2
        assert words in capsys.readouterr().err
    assert main(["data", "check", str(odd / "missing")]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_a_folder_without_images_is_no_error(tmp_path: Path, capsys):
    (tmp_path / "empty").mkdir()
    report = checked(capsys, tmp_path / "empty", "--html", tmp_path / "page.html")
    assert (report["files"], report["usable"], report["shorter_side"]) == (0, 0, {})
