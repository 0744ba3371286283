"""The page of a run: sound whatever is missing, harmless whatever it holds, alone on its disk."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from tests.pages.sound import Sound
from tests.training.tools import micro

from swapae.training.history import History
from swapae.training.html_report import MAX_SKIPPED, page, write_report
from swapae.training.run import RunFolder
from swapae.training.samples import KINDS, grid_path

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{config}}\u2028\u202e"


def make_run(
    root: Path, num_lines: int, num_grids: int = 0, skipped: int = 0, data: str = "photos"
) -> RunFolder:
    run = RunFolder(root)
    run.snapshots.mkdir(parents=True)
    lines = [
        {"images_seen": 8 * i, "seconds": i, "images_per_second": 2.0, "G_l1": 1 / i, "D_real": 0.5, "new": i}
        for i in range(1, num_lines + 1)
    ]
    run.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    bad = [{"file": f"{data}{i}.jpg", "reason": f"{data} is damaged."} for i in range(skipped)]
    run.data.write_text(json.dumps({"data": data, "folder": "/x", "num_images": 1234, "skipped": bad}))
    for i in range(num_grids):
        for kind in KINDS:
            picture = Image.new("RGB", (64, 32), (40 * i % 256, 90, 200))
            picture.save(grid_path(run.snapshots, 16 * (i + 1), kind))
    return run


def text_of(run: RunFolder) -> str:
    return page(run, micro(total_images=100), History.of(run.log))


def test_a_page_shows_progress_curves_samples_data_and_config(tmp_path: Path) -> None:
    text = text_of(make_run(tmp_path / "run", num_lines=5, num_grids=3, skipped=2))
    found = Sound(text)
    assert "40 of 100 images · 0:05 spent · 2 images a second · 0:30 left" in text
    titles = re.findall("<h3>(.*?)</h3>", text)
    assert titles == ["Reconstruction", "Image discriminator: losses", "Images a second", "new"]
    assert len(found.all("svg")) == 4
    assert [image["src"] for image in found.all("img")] == ["snapshots/images_00000048.png"]
    (slider,) = found.all("input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "2", "2")
    assert [option["value"] for option in found.all("option")] == list(KINDS)
    for expected in (
        "photos0.jpg",
        "photos is damaged.",
        "1,234",
        "model.texture_channels",
        "loss.r1_interval",
    ):
        assert expected in text
    assert "images between two lines of the log" in text  # what a field means


@pytest.mark.parametrize("missing", ["log.jsonl", "data.json", "snapshots", "all"])
def test_a_page_lacks_what_the_run_lacks_and_no_more(missing: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", num_lines=2)
    run.snapshots.rmdir()
    for path in (run.log, run.data):
        if missing in (path.name, "all"):
            path.unlink()
    text = text_of(run)
    Sound(text)
    assert "No samples have been drawn yet." in text
    assert ("The log has no line yet." in text) == (missing in ("log.jsonl", "all"))
    assert ("There is no data report." in text) == (missing in ("data.json", "all"))


@pytest.mark.parametrize("damage", ["", "[]", '{"skipped": [1], "num_images": 1, "data": 1}', "{", "null"])
def test_a_damaged_data_report_is_as_none(damage: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", num_lines=1)
    run.data.write_text(damage)
    assert "There is no data report." in text_of(run)


def test_foreign_text_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "<b>run", num_lines=2, num_grids=1, skipped=2, data=HOSTILE)
    (run.snapshots / "images_00000099<img>.png").touch()
    (run.root / "log.jsonl").write_text(json.dumps({"images_seen": 8, HOSTILE: 1.0}) + "\n")
    text = text_of(run)
    found = Sound(text)
    assert len(found.all("script")) == 2
    assert [image["src"] for image in found.all("img")] == ["snapshots/images_00000016.png"]
    assert "<b>" not in text
    assert "alert(1)</script>" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 4
    assert "\u202e" not in text.partition("<h2>Data")[2]


def test_nothing_is_loaded_from_outside_and_no_script_runs_but_the_page_s_own(tmp_path: Path) -> None:
    text = text_of(make_run(tmp_path / "run", num_lines=2, num_grids=1))
    found = Sound(text)
    addresses = [
        value
        for _, attributes in found.elements
        for name in ("src", "href")
        if (value := attributes.get(name))
    ]
    assert {address.partition(":")[0].partition("/")[0] for address in addresses} == {"data", "snapshots"}
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    (policy,) = [meta["content"] for meta in found.all("meta") if meta.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "script-src 'sha256-" in policy


def test_a_long_log_and_many_bad_files_give_a_page_of_bounded_size(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", num_lines=20_000, skipped=MAX_SKIPPED + 234)
    text = text_of(run)
    assert len(text) < 700_000
    assert "… and 234 more, in data.json." in text


def test_warnings_stand_on_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", num_lines=1)
    lines = [{"images_seen": 8 * i, "D_accuracy": 1.0} for i in range(1, 12)]
    run.log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert '<p class="warning" role="status">the image discriminator tells real from made' in text_of(run)


def test_the_report_is_written_whole(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", num_lines=3)
    before = sorted(run.root.iterdir())
    write_report(run, micro(), History.of(run.log))
    assert sorted(run.root.iterdir()) == sorted([*before, run.root / "report.html"])
    Sound(run.report.read_text(encoding="utf-8"))


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_page_opens_from_disk_without_an_error_or_a_request(
    browser: object, width: int, scheme: str, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "a <b>run", num_lines=500, num_grids=3, skipped=3, data=HOSTILE + "x" * 300)
    write_report(run, micro(), History.of(run.log))
    view = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)  # type: ignore[attr-defined]
    said: list[str] = []
    asked: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("dialog", lambda dialog: said.append(dialog.message))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(run.report.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")  # no scrolling sideways
    picture = view.locator("#samples img")
    assert picture.get_attribute("src") == "snapshots/images_00000048.png"
    view.locator("#samples input").focus()
    view.keyboard.press("Home")
    assert picture.get_attribute("src") == "snapshots/images_00000016.png"
    view.locator("#samples select").select_option("_random_raw")
    assert picture.get_attribute("src") == "snapshots/images_00000016_random_raw.webp"
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    chart = view.locator("section", has_text="Reconstruction").first
    assert chart.locator("output").inner_text() == "0.002002"
    chart.locator("svg").hover(position={"x": 20, "y": 40})
    assert float(chart.locator("output").inner_text()) > 0.0021
    grid_path(run.snapshots, 48, "_random_raw").unlink()
    view.keyboard.press("Escape")
    view.locator("#samples input").fill("2")
    view.locator("figcaption", has_text="the file is not there any more").wait_for()
    assert all(url.startswith((tmp_path.as_uri(), "data:")) for url in asked)
    assert [text for text in said if "ERR_FILE_NOT_FOUND" not in text] == []
    view.close()
