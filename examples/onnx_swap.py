"""Swap without PyTorch: a folder that `swapae export MODEL --onnx exported` wrote, run by ONNX Runtime.

python examples/onnx_swap.py exported church.jpg sunset.jpg hybrid.png
"""

import sys
from pathlib import Path

from swapae_onnx import Codes, SwappingAutoencoder, save_image


def main(folder: str, structure: str, texture: str, out: str) -> None:
    """Write swaps of two image files at half, full and more than full strength; each file is encoded once."""
    model = SwappingAutoencoder.from_pretrained(folder)
    own, other = model.encode_image(structure), model.encode_image(texture)
    for strength in (0.5, 1.0, 1.25):
        mixed = (1 - strength) * own.texture + strength * other.texture
        picture = model.decode_image(Codes(own.structure, mixed, own.size))
        save_image(picture, Path(out).with_stem(f"{Path(out).stem}_{strength:g}"))


if __name__ == "__main__":
    main(*sys.argv[1:])
