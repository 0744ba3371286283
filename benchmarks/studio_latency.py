"""Measure the studio's slider: from a move of the mouse to the new frame on screen, beside one decode.

    python -m benchmarks.studio_latency [--model synthetic64] [--quick] [--json]

Starts the real `swapae studio` and drags the strength slider of its page in headless Chromium. Two ways of
dragging: `step` waits for the picture after each move; `drag` moves every 16 ms, as a hand does, and most
moves are overtaken by later ones. `first` is the first frame of a move's strength, which may be a smaller
one, `full` the full one. The floor is one decode of the same codes in the studio's model and backend, in this
process, timed between the drags, so that both meet the same load. `--model 256` is the default model at 256²
with random weights.
"""

import argparse
import contextlib
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import ROOT, facts

LARGE = "256"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
# Notes when each strength was set, which request carries it, and when a frame of it was painted.
WATCH = """() => {
    const sets = new Map(), asked = new Map(), frames = [];
    window.watched = frames;
    addEventListener('input', (event) => {
        if (event.target.type === 'range') sets.set(Number(event.target.value), performance.now());
    }, true);
    const fetched = window.fetch;
    window.fetch = (path, request) => {
        if (String(path).endsWith('/render')) {
            asked.set(request.headers['X-Seq'], JSON.parse(request.body).recipe.strength);
        }
        return fetched(path, request);
    };
    const painted = ([change]) => {
        const {seq, full} = change.target.dataset;
        const strength = asked.get(seq), since = sets.get(strength);
        if (since === undefined) return;
        requestAnimationFrame(() => setTimeout(() => {
            frames.push({strength, full: full === 'true', ms: performance.now() - since});
        }));
    };
    const look = new MutationObserver((all) => painted(all.slice(-1)));
    new MutationObserver(() => {
        const canvas = document.querySelector('canvas.frame');
        if (!canvas || canvas.watched) return;
        canvas.watched = true;
        look.observe(canvas, {attributeFilter: ['data-seq']});
    }).observe(document, {childList: true, subtree: true});
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", action="append", help=f"a model in the box, or {LARGE} (default: both)")
    parser.add_argument("--quick", action="store_true", help="a few moves only")
    parser.add_argument("--json", action="store_true", help="rows of JSON")
    options = parser.parse_args()
    for model in options.model or ["synthetic64", LARGE]:
        row = {"benchmark": "studio_latency", "model": model, **measure(model, options.quick), **facts()}
        print(json.dumps(row) if options.json else told(row), flush=True)


def measure(name: str, quick: bool) -> dict[str, Any]:
    """Drag the slider of one model's studio."""
    from playwright.sync_api import sync_playwright

    moves = {True: (4, 20), False: (30, 90)}[quick]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        model, photos = prepared(name, Path(folder))
        tell(f"studio of {name}: starting")
        with studio(model) as url:
            tell("opening the page")
            browser = play.chromium.launch(executable_path=chromium(), args=list(CHROMIUM))
            page = opened(browser, url, photos)
            tell("loading the model for the floor")
            decode = decoder(model, photos)
            tell("dragging")
            step, floors = stepped(page, decode, moves[0])
            drag = dragged(page, moves[1])
            browser.close()
    return {
        "step_first": shares([frame["ms"] for frame in firsts(step)]),
        "step_full": shares([frame["ms"] for frame in step if frame["full"]]),
        "drag_first": shares([frame["ms"] for frame in firsts(drag)]),
        "drag_frames": len(drag),
        "drag_moves": moves[1],
        "floor_decode": shares(floors),
    }


def tell(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)


def prepared(name: str, folder: Path) -> tuple[str, list[Path]]:
    """Give the model to start, and two photos of its size; a model with a gallery needs none."""
    if name != LARGE:
        return name, []
    import torch

    from swapae import ModelConfig, SwappingAutoencoder

    torch.manual_seed(0)
    SwappingAutoencoder(ModelConfig()).save_pretrained(folder / "model")
    photos = []
    for seed in range(2):
        coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        photos.append(folder / f"{seed}.png")
        Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC).save(photos[-1])
    return str(folder / "model"), photos


@contextlib.contextmanager
def studio(model: str) -> Iterator[str]:
    """Run the studio; give its address once it takes work."""
    import urllib.request

    command = [sys.executable, "-m", "swapae", "studio", "-m", model, "--port", "0", "--no-browser"]
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, text=True)
        try:
            end = time.monotonic() + 300
            while running.poll() is None and time.monotonic() < end:
                said.seek(0)
                found = re.search(r"http://127\.0\.0\.1:\d+", said.read())
                with contextlib.suppress(OSError):
                    if found and urllib.request.urlopen(f"{found.group()}/readyz", timeout=5).status == 200:
                        break
                time.sleep(0.2)
            else:
                said.seek(0)
                raise SystemExit(f"the studio did not start: {said.read()}")
            yield found.group()
        finally:
            running.terminate()
            running.wait(30)


def chromium() -> str:
    """Find the system's Chromium."""
    import shutil

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return path or sys.exit("there is no Chromium on this machine.")


def opened(browser: Any, url: str, photos: list[Path]) -> Any:
    """Open the page, with two photos on it."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(300_000)
    page.add_init_script(f"({WATCH})()")
    page.goto(url)
    page.wait_for_selector(".screen.swap")
    for side, photo in zip(("structure", "texture"), photos, strict=False):
        with page.expect_file_chooser() as chooser:
            page.click(f".side.{side} .photo.add")
        chooser.value.set_files(photo)
        page.wait_for_function(f"() => document.querySelector('.side.{side} .photo.chosen')")
    rested(page)
    return page


def rested(page: Any) -> None:
    """Wait until the full picture of the last move is there."""
    page.wait_for_timeout(30)
    page.wait_for_function("() => !document.querySelector('.stage.working, .stage.empty')")
    page.wait_for_timeout(60)


def rail(page: Any) -> tuple[float, float, float]:
    """Give left end, width and middle height of the slider."""
    box = page.locator(".slider.strength input[type=range]").bounding_box()
    return box["x"] + 12, box["width"] - 24, box["y"] + box["height"] / 2


def stepped(page: Any, decode: Any, count: int) -> tuple[list[dict[str, Any]], list[float]]:
    """Move, wait, and time a decode in between; give all frames, and milliseconds of decodes."""
    left, width, middle = rail(page)
    floors = []
    page.mouse.move(left + 0.5 * width, middle)
    page.mouse.down()
    for at in range(count):
        page.mouse.move(left + width * (0.12 + 0.76 * ((at * 0.381966) % 1)), middle)
        rested(page)
        began = time.perf_counter()
        decode()
        floors.append(1000 * (time.perf_counter() - began))
    page.mouse.up()
    return page.evaluate("watched.splice(0)"), floors


def dragged(page: Any, count: int) -> list[dict[str, Any]]:
    """Move every 16 ms; give all frames that came."""
    left, width, middle = rail(page)
    page.mouse.down()
    for at in range(count):
        page.mouse.move(left + width * (0.05 + 0.9 * at / count), middle)
        page.wait_for_timeout(16)
    page.mouse.up()
    rested(page)
    found: list[dict[str, Any]] = page.evaluate("watched.splice(0)")
    return found


def decoder(model: str, photos: list[Path]) -> Any:
    """Give a function that decodes once what the page shows, in a model loaded as the studio loads it."""
    import torch

    from swapae import Codes, SwappingAutoencoder, gallery

    loaded = SwappingAutoencoder.from_pretrained(model)
    pair = photos or [sample.show(loaded) for sample in list(gallery(model).values())[:2]]
    own, other = (loaded.encode_image(one) for one in pair)
    hybrid = Codes(own.structure, other.texture, own.size)

    def decode() -> None:
        with torch.inference_mode():
            loaded.decode(hybrid)

    decode()
    return decode


def firsts(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the first frame of each strength."""
    seen: dict[float, dict[str, Any]] = {}
    for frame in frames:
        seen.setdefault(frame["strength"], frame)
    return list(seen.values())


def shares(times: list[float]) -> dict[str, float] | None:
    """Give p50 and p95 in milliseconds, and of how many."""
    if not times:
        return None
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"p50": round(statistics.median(ordered), 1), "p95": round(p95, 1), "of": len(ordered)}


def told(row: dict[str, Any]) -> str:
    """Say a row in words."""
    lines = [f"{row['model']}, ms from the move to the frame on screen (p50, p95, number)"]
    for name in ("step_first", "step_full", "drag_first", "floor_decode"):
        found = row[name]
        lines.append(
            f"  {name:14}" + (f"{found['p50']:8} {found['p95']:8} {found['of']:4}" if found else "  none")
        )
    return "\n".join([*lines, f"  {row['drag_frames']} frames of {row['drag_moves']} moves in the drag"])


if __name__ == "__main__":
    main()
