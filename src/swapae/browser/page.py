"""The folder that `swapae export --web` writes: that of `--onnx`, and a page that runs it.

index.html  css/  js/  favicon.svg    the page
page.json                             what it is about: title, card, samples, bytes of what it loads
ort/                                  the runtime, with its licence
samples/                              pictures, and codes where photos may not be passed on
"""

import json
import shutil
from pathlib import Path
from typing import Any

from swapae.browser import runtime, samples
from swapae.browser.parts import parts
from swapae.export.folder import CARD
from swapae.export.folder import OUR_FILES as GRAPH_FILES
from swapae.export.onnx_card import without_pictures
from swapae.files import write_text
from swapae.web.about import About

FORMAT = "swapae.page/1"
PAGE = "page.json"
OUR_FILES = GRAPH_FILES | {"index.html", "css", "js", "favicon.svg", PAGE, "ort", samples.FOLDER}
# The longest side that a photo is worked on at, in pixels, by what computes it.
MOST_SIDES = {"wasm": 1024, "webgpu": 1536}

USE = """
## As a page

`index.html` swaps and mixes in the browser, on its visitor's own machine: photos stay there, and nothing is
loaded from elsewhere. Any server of files will do, at any path:

```sh
python -m http.server
```

`ort/` holds {package} {version} (MIT; its licence and the notices of others lie beside it).
"""


def write_page(
    folder: Path, config: dict[str, Any], about: About, shown: list[samples.Shown]
) -> dict[str, Any]:
    """Add the page to a folder in which the graphs are, and return what page.json says.

    Args:
        folder: that of `swapae.export.folder.write_folder`.
        config: what that returned.
        about: the model's name, title and card.
        shown: the samples.
    """
    for name, source in parts().items():
        _copy(source, folder / name)
    for name in runtime.names():
        _copy(runtime.FOLDER / name, folder / "ort" / name)
    told = samples.write(folder, shown)
    graphs = {name: config[name]["file"] for name in ("encoder", "generator")}
    page = {
        "format": FORMAT,
        "name": about.name,
        "title": about.title or about.name,
        "card": without_pictures(about.card),
        **graphs,
        "most": MOST_SIDES,
        "samples": told,
        "codes": samples.CODES if (folder / samples.CODES).is_file() else None,
        "bytes": _bytes(
            folder, [*graphs.values(), "config.json", *(f"ort/{name}" for name in runtime.WANTED.values())]
        ),
    }
    card = (folder / CARD).read_text(encoding="utf-8")
    write_text(folder / CARD, card + USE.format_map(runtime.manifest()))
    write_text(folder / PAGE, json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    return page


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


def _bytes(folder: Path, names: list[str]) -> dict[str, int]:
    return {name: (folder / name).stat().st_size for name in names}
