"""Swap two photos by a studio that runs (`swapae studio`), with Python's own library alone.

python examples/studio_client.py church.jpg sunset.jpg hybrid.png
"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen


def main(structure: str, texture: str, out: str, studio: str = "http://127.0.0.1:7860") -> None:
    """Write the swap of two image files to a third."""

    def post(route: str, body: bytes, kind: str) -> bytes:
        request = Request(f"{studio}/api/v1/{route}", body, {"Content-Type": kind})
        with urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    files = [Path(name).read_bytes() for name in (structure, texture)]
    a, b = (json.loads(post("images", file, "application/octet-stream"))["id"] for file in files)
    recipe = {"structures": [{"image": a}], "textures": [{"image": b}], "strength": 0.8}
    asked = json.dumps({"recipe": recipe, "format": "png"}).encode()
    Path(out).write_bytes(post("render", asked, "application/json"))


if __name__ == "__main__":
    main(*sys.argv[1:])
