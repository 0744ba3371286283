"""The card of an exported folder: what it is, where from, under which licence, how to use it."""

from __future__ import annotations

import re
from dataclasses import dataclass

USE = """\
Without PyTorch, by `pip install swapae-onnx` (or the whole program, `pip install 'swapae[onnx]'`):

```python
from swapae_onnx import SwappingAutoencoder

model = SwappingAutoencoder.from_pretrained("this-folder")
model.swap_images("structure.png", "texture.png", strength=0.8).save("hybrid.png")
```

```sh
python -m swapae_onnx swap structure.png texture.png -m this-folder -o hybrid.png
```

The graphs run wherever ONNX Runtime does. Any batch, height and width:

- `encoder.onnx`: `images [B, 3, H, W]` in [-1, 1], sides multiples of `stride` and at least `min_side` →
  `structure [B, Cs, H/stride, W/stride]`, `texture [B, Ct]`
- `generator.onnx`: `structure`, `texture [B, Ct, h', w']` (a vector is a map of 1×1) → `images [B, 3, H, W]`
- `generator_noise.onnx`: the same with noise maps; its weights are read from `generator.onnx` beside it

`config.json` has the numbers.
"""


@dataclass(frozen=True)
class Source:
    """What is known of a model beside its weights."""

    name: str  # as the user gave it
    version: str  # of the program that exports
    image_size: int | None = None  # side of the images it was trained on
    card: str = ""  # its own, as Markdown


def onnx_card(source: Source) -> str:
    """Write the card."""
    head = "".join(f"{line}\n" for line in licence_lines(source.card))
    size = (
        f" It was trained on images of {source.image_size}×{source.image_size}." if source.image_size else ""
    )
    return (
        f"---\n{head}library_name: onnx\npipeline_tag: image-to-image\n"
        "tags: [swapping-autoencoder, onnx]\n---\n\n"
        f"# {title(source.name)}, as ONNX\n\n"
        f"A swapping autoencoder, written by `swapae export` (swapae {source.version}) from `{source.name}`."
        f"{size} {_licence(source)}\n\n{USE}"
    )


def licence_lines(card: str) -> list[str]:
    """Give the lines by which the head of a model's card names its licence."""
    head = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    return [] if head is None else re.findall(r"^license\w*:.*$", head[1], re.MULTILINE)


def without_pictures(card: str) -> str:
    """Leave out the pictures of a card, which stay with the model."""
    return re.sub(r"^!\[[^\n]*\]\([^\n]*\)\n+", "", card, flags=re.MULTILINE)


def title(name: str) -> str:
    """Give the last part of what the user called the model."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] or name


def _licence(source: Source) -> str:
    if not source.card:
        return "It came without a card: its licence is that of the model it was made of."
    return "Data, licence and limits are those of the model, whose own card is [MODEL.md](MODEL.md)."
