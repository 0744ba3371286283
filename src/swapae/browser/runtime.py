"""The runtime in the page: files of the npm package onnxruntime-web, kept in `ort/` beside this module.

`manifest.json` there says of which version each is, and what it must hash to; `swapae.browser.renew` writes
it. WebAssembly lies there packed by gzip, and the page unpacks it: a plain file server would send it at four
times the size. Modules are called `.js`, for servers that know no `.mjs`. docs/adr/0009 says why.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

FOLDER = Path(str(files("swapae.browser"))) / "ort"
MANIFEST = "manifest.json"
# By their names in the Python package onnxruntime.
LICENCES = {"LICENSE": "onnxruntime.LICENSE", "ThirdPartyNotices.txt": "ThirdPartyNotices.txt"}
# The files a page needs, by their names in the npm package's folder `dist`.
WANTED = {
    "ort.wasm.min.mjs": "ort.wasm.min.js",
    "ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.js",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm.gz",
    "ort.webgpu.min.mjs": "ort.webgpu.min.js",
    "ort-wasm-simd-threaded.asyncify.mjs": "ort-wasm-simd-threaded.asyncify.js",
    "ort-wasm-simd-threaded.asyncify.wasm": "ort-wasm-simd-threaded.asyncify.wasm.gz",
}


def manifest() -> dict[str, Any]:
    """Read what the files are: version, and of each its origin and SHA-256 before packing."""
    found: dict[str, Any] = json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))
    return found


def names() -> list[str]:
    """Name the files that a page takes along."""
    return [*WANTED.values(), *LICENCES.values(), MANIFEST]
