"""Draw forms wearing materials: every row is a structure, every column a texture. The README's picture.

python examples/true_swaps.py docs/images/forms_materials.png
"""

import sys

from PIL import Image

from swapae.data.synthetic import render, sample_scenes, structure_of, texture_of
from swapae.images import grid, save_image

ROWS = ("twisted_box", "torus", "star_prism", "mushroom")
COLUMNS = ("wood", "marble", "cloth", "zebra", "honeycomb", "stripes", "leopard")
SIZE = 128


def main(path: str, size: int = SIZE) -> None:
    """Write the picture to `path`, with solids of `size` pixels."""
    structures = [structure_of(sample_scenes(3, [i], forms=[name])) for i, name in enumerate(ROWS)]
    textures = [texture_of(sample_scenes(5, [i], materials=[name])) for i, name in enumerate(COLUMNS)]
    rows: list[list[Image.Image | None]] = [
        [Image.fromarray(render(structure, texture, size)[0]) for texture in textures]
        for structure in structures
    ]
    save_image(grid(rows, gap=4), path, force=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "true_swaps.png")
