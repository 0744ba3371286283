"""The page of an evaluation: all of what was measured, sound and harmless whatever it is called."""

import base64
import io
import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.pages.sound import Sound

from swapae import SwappingAutoencoder
from swapae.data.folder import FolderSource
from swapae.evaluation.gallery import MAX_SIDE, Made, Section, address, section
from swapae.evaluation.page import page
from swapae.evaluation.photos import Photos, evaluate
from swapae.evaluation.report import Report
from swapae.evaluation.shown import of_photos, of_synthetic
from swapae.evaluation.singles import Singles
from swapae.images import to_array
from swapae.metrics.collectors import Batch
from swapae.metrics.loaders import Nets
from swapae.metrics.pairs import PairList
from swapae.metrics.table import choose

HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{body}}\u202e"
SPEED = {
    "device": "cpu",
    "processor": "A processor",
    "backend": "torch",
    "threads": 2,
    "cores": 4,
    "kernels": "avx2",
    "load": 0.5,
    "milliseconds": {"256": {"encode": 12.0, "decode": 1234.56, "swap": 1300.0}, "512": {"encode": 48.0}},
    "skipped": {"512": "not measured: too slow.", "1024": "not measured: too large."},
}


def report(**more: object) -> Report:
    found: Report = {
        "model": "runs/mine",
        "data": "photos",
        "images": 341,
        "unreadable": [],
        "size": 16,
        "pairs": 24,
        "seed": 7,
        "metrics": {"L1": 0.2, "KID-X": 1.0, "KID-X low": 0.5, "KID-X high": 1.5, "ColorNearer": 1.0},
        "standard_errors": {"L1": 0.01, "ColorNearer": 0.0},
        "answers": {
            "copy texture": {"ColorNearer": 0.875, "KID-X": 2.5, "KID-X low": 2.0, "KID-X high": 3.0}
        },
        "versions": {"swapae": "0.1.0", "torch": "2.14.1"},
    }
    return found | more


def cases(figures: dict[str, dict[int, float]], name: str = "Pair", count: int = 9) -> Section:
    def make(number: int) -> Made:
        gray = torch.full((3, 16, 16), number / 8 - 1)
        return f"{name} {number}", name, {"structure": gray, "hybrid": -gray}

    return section("Swaps", "pairs", figures, range(count), make)


def cells(text: str, row: str) -> list[str]:
    """The words in the cells of the row that begins with a word."""
    (line,) = re.findall(rf'<tr><th scope="row">{re.escape(row)}\b.*?</tr>', text)
    return [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<td.*?</td>", line)]


def test_the_table_has_every_figure_with_its_interval_and_the_trivial_answers() -> None:
    text = page(report(), [])
    Sound(text)
    assert cells(text, "L1") == ["↓ low", "0.2000 0.1804 – 0.2196", "–"]
    assert cells(text, "KID-X") == ["↓ low", "1.0000 0.5000 – 1.5000", "2.5000 2.0000 – 3.0000"]
    assert cells(text, "ColorNearer") == ["↑ high", "1.0000 0.8620 – 1.0000", "0.8750"]
    assert "KID-X low" not in text
    assert "mean absolute difference" in text
    for row, value in (("model", "runs/mine"), ("seed of the pairs", "7"), ("torch", "2.14.1")):
        assert cells(text, row) == [value]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", cells(text, "date")[0])
    assert "341 images · 24 pairs · 16 × 16 pixels" in text


def test_times_stand_in_a_row_each_and_what_is_missing_says_why() -> None:
    text = page(report(speed=SPEED), [])
    Sound(text)
    assert re.findall(r'<th scope="col" class="n">(\d+ × \d+)', text) == [
        "256 × 256",
        "512 × 512",
        "1024 × 1024",
    ]
    assert cells(text, "encode") == ["12.0", "48.0", "–"]
    assert cells(text, "swap") == ["1,300.0", "–", "–"]
    assert "1024 × 1024: not measured: too large." in text
    assert "cpu: A processor, 2 threads on 4 cores, backend torch, kernels avx2, load before 0.5." in text
    assert "Speed" not in page(report(), [])


def test_cases_come_in_order_with_pictures_that_say_what_they_are_and_their_own_figures() -> None:
    figures = {"ColorNearer": {n: float(n < 5) for n in range(9)}, "Color": {n: float(n) for n in range(9)}}
    text = page(report(), [cases(figures)])
    found = Sound(text)
    assert re.findall("<h3>(.*?)</h3>", text) == ["Best", "Median", "Worst"]
    assert re.findall("<b>(.*?)</b>", text) == [f"Pair {n}" for n in (0, 1, 2, 3, 4, 5, 8, 7, 6)]
    assert "9 pairs in the order of Color (colours of the swap" in text
    assert "low is better): the best has 0.0000, the median 4.0000, the worst 8.0000." in text
    assert '<div class="ranked"><dt>Color</dt><dd>8.0000</dd></div>' in text
    assert text.count("<dt>ColorNearer</dt><dd>yes</dd>") == 5
    images = found.all("img")
    assert [image["alt"] for image in images[:2]] == ["structure, Pair 0", "hybrid, Pair 0"]
    assert len(images) == 18
    head, data = str(images[2]["src"]).split(",")
    assert head == "data:image/png;base64"
    seen = torch.from_numpy(to_array(Image.open(io.BytesIO(base64.b64decode(data)))))
    assert torch.allclose(seen, torch.full((3, 16, 16), 1 / 8 - 1), atol=1 / 255)


def test_without_a_figure_of_single_pairs_the_first_are_shown_and_it_is_said() -> None:
    for figures in ({}, {"ColorNearer": dict.fromkeys(range(30), 1.0)}):
        text = page(report(), [cases(figures, count=30)])
        assert "No metric that looks at single pairs was chosen: these are the first of the list." in text
        assert re.findall("<b>(.*?)</b>", text) == [f"Pair {n}" for n in range(12)]
    nothing = page(report(metrics={}), [cases({}, count=0)])
    Sound(nothing)
    assert "There are no pairs." in nothing
    assert "Nothing was measured." in nothing


def test_foreign_text_is_shown_and_never_obeyed() -> None:
    figures = {HOSTILE: {n: float(n) for n in range(9)}}
    hostile = report(
        model=HOSTILE,
        data=HOSTILE,
        unreadable=[HOSTILE] * 200,
        metrics={HOSTILE: 1.0},
        answers={HOSTILE: {HOSTILE: 1.0}},
        speed=SPEED | {"processor": HOSTILE, "skipped": {"1024": HOSTILE}},
        versions={HOSTILE: HOSTILE},
    )
    text = page(hostile, [cases(figures, name=HOSTILE)])
    found = Sound(text)
    assert not found.all("script")
    assert len(found.all("img")) == 18
    assert "\u202e" not in text
    assert "… and 100 more, in report.json." in text
    addresses = [value for _, own in found.elements for at in ("src", "href") if (value := own.get(at))]
    assert {address.partition(":")[0].partition("-")[0] for address in addresses if address[0] != "#"} == {
        "data"
    }
    assert not re.search(r"https?:|url\(|@import", text)
    (policy,) = [meta["content"] for meta in found.all("meta") if meta.get("http-equiv")]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_every_table_has_headers_and_can_be_scrolled_by_keys() -> None:
    found = Sound(page(report(speed=SPEED), []))
    assert all(header.get("scope") in ("row", "col") for header in found.all("th"))
    regions = [own for own in found.all("div") if own.get("role") == "region"]
    assert len(regions) == len(found.all("table")) == 3
    assert all(own["tabindex"] == "0" and own["aria-label"] for own in regions)


def test_links_lead_to_parts_of_the_page() -> None:
    found = Sound(page(report(speed=SPEED), [cases({})]))
    targets = {own["id"] for own in found.all("h2")}
    assert {str(own["href"])[1:] for own in found.all("a")} == targets
    assert targets == {"figures", "speed", "swaps", "measured"}


def test_small_pictures_are_kept_to_the_bit_and_large_ones_are_shrunk() -> None:
    noise = torch.rand(3, 24, 20) * 2.2 - 1.1
    kind, data = address(noise).split(";base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (kind, picture.size) == ("data:image/png", (20, 24))
    assert (torch.from_numpy(to_array(picture)) - noise.clamp(-1, 1)).abs().max() < 1 / 255
    kind, data = address(torch.zeros(3, 2 * MAX_SIDE, MAX_SIDE)).split(";base64,")
    assert kind == "data:image/webp"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (MAX_SIDE // 2, MAX_SIDE)


# ── what is shown is what was measured ───────────────────────────────────────────────────────────


def decoded(uri: str) -> torch.Tensor:
    return torch.from_numpy(to_array(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))))


def test_shown_photos_are_those_that_were_measured(photo: object, tiny_model: Path, tmp_path: Path) -> None:
    for number in range(7):
        path = photo(f"set/{number}.png", (24, 24), number)  # type: ignore[operator]
    (tmp_path / "set" / "2.png").write_bytes(path.read_bytes()[:300])  # numbers and places differ
    model = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    photos, singles = Photos.of(FolderSource(tmp_path / "set"), 24), Singles()
    choices = choose(["color", "l1"])
    _, pairs = evaluate(
        model, photos, choices, Nets(), lambda n: PairList.draw("set", n, 5), collected=singles.take
    )
    swaps, reconstructions = of_photos(model, photos, pairs, singles)
    assert (swaps.figure, reconstructions.figure) == ("Color", "L1")
    for case in (case for group in reconstructions.groups.values() for case in group):
        pictures = {name: decoded(uri) for name, uri in case.pictures.items()}
        assert torch.equal(
            pictures["image"], torch.from_numpy(to_array(Image.open(tmp_path / "set" / case.detail)))
        )
        error = (pictures["image"] - pictures["reconstruction"]).abs().mean().item()
        assert error == pytest.approx(case.figures["L1"], abs=2e-3)
    case = swaps.groups["best"][0]
    number = int(case.name.removeprefix("Pair "))
    assert case.figures["Color"] == min(singles.swaps["Color"].values()) == singles.swaps["Color"][number]
    names = case.detail.split(" in the texture of ")
    images = [torch.from_numpy(to_array(Image.open(tmp_path / "set" / name)))[None] for name in names]
    hybrid = model.swap(images[0], images[1]).clamp(-1, 1)[0]
    assert (decoded(case.pictures["hybrid"]) - hybrid).abs().max() < 2 / 255
    assert list(case.pictures) == ["structure", "texture", "hybrid"]


def test_shown_swaps_stand_beside_their_truth_and_a_system_need_not_reconstruct() -> None:
    asked: list[int] = []

    def system(batch: Batch) -> dict[str, torch.Tensor]:
        asked.extend(batch.numbers.tolist())
        return {"hybrid": batch.images["texture"]}

    values = {number: (0.5 * number) % 7 for number in range(100)}
    singles = Singles(swaps={"hybrid_lpips": values})
    swaps, reconstructions = of_synthetic(system, 100, 0, "held_out", 16, singles)
    assert len(asked) == len(set(asked)) == 12  # no more are made than are shown
    assert reconstructions.note == "There are no reconstructions."
    case = swaps.groups["worst"][0]
    assert list(case.pictures) == ["structure", "texture", "hybrid", "true swap"]
    assert case.pictures["hybrid"] == case.pictures["texture"] != case.pictures["true swap"]
    assert case.figures["hybrid_lpips"] == max(values.values())


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_page_opens_without_an_error_a_request_or_scrolling_sideways(
    browser: object, width: int, scheme: str, tmp_path: Path
) -> None:
    figures = {"Color": {n: float(n) for n in range(9)}, "x" * 80: {n: float(n) for n in range(9)}}
    long = report(model="m" * 300, data=HOSTILE, speed=SPEED)
    path = tmp_path / "report.html"
    path.write_text(page(long, [cases(figures, name="n" * 200)]), encoding="utf-8")
    view = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)  # type: ignore[attr-defined]
    said: list[str] = []
    asked: list[str] = []
    view.on("console", lambda message: said.append(message.text))
    view.on("request", lambda request: asked.append(request.url))
    view.goto(path.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert view.evaluate("[...document.images].every(image => image.complete && image.naturalWidth === 16)")
    color = json.loads(
        view.evaluate(
            "JSON.stringify(getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number))"
        )
    )
    assert (sum(color) < 200) == (scheme == "dark")
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert said == []
    view.close()
