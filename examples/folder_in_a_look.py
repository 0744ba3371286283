"""Give every photo of a folder the texture of one photo, and keep going past those that cannot be read.

python examples/folder_in_a_look.py photos/ snow.jpg winter/
"""

import sys
from pathlib import Path

from swapae import UserError, open_image, save_image
from swapae.batch import Edit, Editor


def main(photos: str, look: str, out: str, model: str = "clothing") -> list[str]:
    """Write the results to a folder; give what could not be used, each with its reason."""
    editor = Editor(Edit(model, textures=(look,), strength=0.8))
    refused = []
    for path in sorted(Path(photos).iterdir()):
        try:
            save_image(editor(open_image(path)), Path(out, f"{path.stem}.png"))
        except UserError as error:
            refused.append(str(error))
    return refused


if __name__ == "__main__":
    print(*main(*sys.argv[1:]), sep="\n")
