"""Measure the page of `swapae export --web` in headless Chromium, beside ONNX Runtime and PyTorch in Python.

    python -m benchmarks.browser_page [--model synthetic64] [--sides 64 256 512] [--repeats 7] [--json]

First how much a visitor loads, and how long it takes from the address to the first swap, with an empty cache
and with a full one. Then, side by side and one thread each, the least time of taking in a photo (in the page:
reading its file, encoding, a small picture of it) and of a decode, which is what every move of the slider
takes. `--backend webgpu` runs the page by that, on what adapter Chromium finds (`--flags` hands it options).
"""

import argparse
import functools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.machine import facts

CHROMIUM = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
SHOWN = "() => globalThis.swapae?.live.frame && !swapae.live.isWorking"
TAKE_IN = """async (side) => {
    const canvas = new OffscreenCanvas(side, side), context = canvas.getContext('2d');
    const all = context.createImageData(side, side);
    all.data.forEach((_, at) => all.data[at] = at % 4 === 3 ? 255 : (at * 7919) % 256);
    context.putImageData(all, 0, 0);
    const file = new File([await canvas.convertToBlob()], 'noise.png', {type: 'image/png'});
    const start = performance.now();
    const photo = await swapae.photos.add(file);
    const seconds = (performance.now() - start) / 1000;
    const recipe = {...swapae.state.get().recipe, structures: [{image: photo.id, weight: 1}]};
    return {seconds, decode: (await swapae.api.floats(recipe)).seconds};
}"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as `python -m http.server` does, without its log."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def opening(context: Any, url: str) -> tuple[Any, dict[str, Any]]:
    """Open the page: seconds to the first swap, bytes over the wire, requests."""
    page = context.new_page()
    page.set_default_timeout(600_000)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_function(SHOWN)
    seconds = time.perf_counter() - start
    # What the worker loads is not told to the page's session; the browser's own record has all of it.
    ask = "() => performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)"
    workers = [worker.evaluate(ask) for worker in page.workers]
    return page, {"seconds": seconds, "bytes": int(sum(sizes) + sum(workers)), "backend": _backend(page)}


def _backend(page: Any) -> str:
    return str(page.get_attribute("#private", "data-backend"))


def least(repeats: int, call: Callable[[], object]) -> float:
    """The least of the times of some calls, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def in_python(name: str, folder: Path, side: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Encode and decode by torch and by ONNX Runtime, one thread each."""
    import onnxruntime
    import torch

    from swapae import SwappingAutoencoder

    torch.set_num_threads(1)
    model = SwappingAutoencoder.from_pretrained(name, device="cpu")
    model.codes_cache = None
    images = torch.rand(1, 3, side, side) * 2 - 1
    codes = model.encode(images)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    encoder, generator = (
        onnxruntime.InferenceSession(str(folder / f"{graph}.onnx"), options)
        for graph in ("encoder", "generator")
    )
    fed = {"structure": codes.structure.numpy(), "texture": codes.texture.numpy()[:, :, None, None]}
    return {
        "torch": (least(repeats, lambda: model.encode(images)), least(repeats, lambda: model.decode(codes))),
        "onnxruntime": (
            least(repeats, lambda: encoder.run(None, {"images": images.numpy()})),
            least(repeats, lambda: generator.run(None, fed)),
        ),
    }


def measure(arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield rows."""
    from playwright.sync_api import sync_playwright

    with served(folder) as url, sync_playwright() as play:
        flags = CHROMIUM + (arguments.flags or ["--disable-gpu"])
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        context = browser.new_context()
        address = f"{url}?backend={arguments.backend}"
        page, first = opening(context, address)
        yield {"row": "opening, nothing cached", **first}
        page.close()
        page, again = opening(context, address)
        yield {"row": "opening again", **again}
        for side in arguments.sides:
            rows = in_python(arguments.model, folder, side, arguments.repeats)
            taken = [page.evaluate(TAKE_IN, side) for _ in range(arguments.repeats + 1)][1:]
            rows["page"] = min(one["seconds"] for one in taken), min(one["decode"] for one in taken)
            for what, (encode, decode) in rows.items():
                yield {"row": f"{side}², {what}", "encode": encode, "decode": decode}
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="synthetic64")
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 256, 512])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--backend", default="", help="wasm or webgpu; what the page chooses unless given")
    parser.add_argument("--flags", nargs="*", help="of Chromium, as --flags=--enable-unsafe-webgpu")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    from swapae.cli.main import main as swapae

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page"
        if swapae(["export", arguments.model, "--web", str(page), "--quiet"]):
            sys.exit(1)
        print(json.dumps(facts()) if arguments.json else facts())
        for row in measure(arguments, page):
            print(json.dumps(row) if arguments.json else row, flush=True)


if __name__ == "__main__":
    main()
