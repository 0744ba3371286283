"""`swapae data prepare` from the command line, and a training on what it made."""

import json

import pytest
from tests.data.packs.tools import encoded, write_folder

from swapae.cli.main import main


@pytest.fixture
def photos(tmp_path):
    return write_folder(
        tmp_path / "photos", {f"{i}.jpg": encoded(i, (40, 30), "JPEG") for i in range(5)} | {"x.png": b""}
    )


def prepared(*arguments):
    return main(["data", "prepare", *map(str, arguments), "--workers", "0"])


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "lmdb"])
def test_what_is_packed_is_said_and_can_be_checked(kind, photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert prepared(photos, "-o", out, "--format", kind, "--size", 16) == 0
    text = capsys.readouterr().out
    assert "left out: x.png is an empty file, not an image." in text
    assert f"{out} holds 5 images" in text
    assert f"swapae train {out}" in text
    assert main(["data", "check", str(out), "--json", "--workers", "0"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"], report["usable"], report["formats"]) == (5, 5, {"PNG": 5})
    assert report["shorter_side"]["max"] == 16


def test_a_training_takes_it(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert prepared(photos, "-o", out, "--size", 32, "--encode", "jpeg", "--quality", 90) == 0
    words = ["train", str(out), "-o", str(tmp_path / "run"), "--preset", "tiny32", "--total-images", "4"]
    assert main([*words, "--batch-size", "4", "--device", "cpu", "--quiet"]) == 0
    assert json.loads((tmp_path / "run" / "data.json").read_text())["num_images"] == 5
    capsys.readouterr()


def test_json_is_one_object(photos, tmp_path, capsys):
    assert prepared(photos, "-o", tmp_path / "out", "--json", "--quiet") == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert (report["kind"], report["num_images"]) == ("zip", 5)
    assert report["errors"] == [{"file": "x.png", "reason": "x.png is an empty file, not an image."}]


def test_ctrl_c_says_how_it_goes_on(photos, tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("swapae.data.packing.job.each", stop)
    assert prepared(photos, "-o", tmp_path / "out") == 130
    assert "out is not complete; the same command goes on." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resize", "scale_width"], "--resize needs --size"),
        (["--size", "8", "--encode", "keep"], "does not go with --size"),
        (["--size", "0"], "--size must be 1 or more"),
        (["--quality", "101"], "--quality must be 1 to 100, not 101"),
        (["--shard-mb", "0"], "--shard-mb must be 1 or more"),
        (["--format", "rar"], "rar"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_written(arguments, words, photos, tmp_path, capsys):
    assert prepared(photos, "-o", tmp_path / "out", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "lmdb"])
def test_check_finds_what_is_not_as_it_was_packed(kind, photos, tmp_path, capsys):
    """Every image is exchanged for another sound one of the same length: only a hash can tell."""
    out = tmp_path / "out"
    write_folder(photos, {f"{i}.bmp": encoded(i, (16, 16), "BMP") for i in range(6, 9)})
    assert prepared(photos, "-o", out, "--format", kind, "--encode", "keep") == 0
    path = {"folder": "images/7.bmp", "zip": "images.zip", "tar": "shard-00000.tar", "lmdb": "data.mdb"}[kind]
    data = bytearray((out / path).read_bytes())
    place = data.index(encoded(7, (16, 16), "BMP")) + 100
    data[place] ^= 1
    (out / path).write_bytes(data)
    capsys.readouterr()
    assert main(["data", "check", str(out), "--json", "--workers", "0"]) == 0
    (reject,) = json.loads(capsys.readouterr().out)["unreadable"]
    assert "7.bmp" in reject["file"]
    assert ("checksum" if kind == "zip" else "is not as it was packed") in reject["reason"]


def test_check_finds_what_is_gone_and_a_changed_list(photos, tmp_path, capsys):
    out = tmp_path / "out"
    assert prepared(photos, "-o", out, "--format", "folder") == 0
    (out / "images" / "2.png").unlink()
    capsys.readouterr()
    assert main(["data", "check", str(out), "--json", "--workers", "0"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["unreadable"] == [
        {"file": "images/2.png", "reason": "images/2.png was packed and is gone."}
    ]
    with open(out / "images.jsonl", "a") as file:
        file.write("{}\n")
    assert main(["data", "check", str(out), "--workers", "0"]) == 1
    assert "is not as it was written" in capsys.readouterr().err
