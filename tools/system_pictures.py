"""Pictures of docs/system, by a model in the box: `python -m tools.system_pictures` writes them anew.

The model is the one of known swaps, so that what is shown can be told right from wrong.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from swapae import Codes, SwappingAutoencoder, gallery
from swapae.images import to_array, to_pil
from swapae.losses import cut, draw_windows
from swapae.losses.patches import Windows
from swapae.sheet import Sheet, captioned

FOLDER = Path(__file__).parents[1] / "docs" / "images"
MODEL = "synthetic64"
NAMES = ["capsule-zebra", "star-prism-rust", "cylinder-camouflage", "octahedron-honeycomb", "sphere-marble"]
SIDE = 128  # pixels a cell on the page


def main() -> None:
    """Write all of them."""

    model = SwappingAutoencoder.from_pretrained(MODEL, device="cpu")
    samples = gallery(MODEL)
    images = [sample.picture for name in NAMES if (sample := samples[name]).picture is not None]
    codes = [model.encode_image(image) for image in images]
    save(codes_picture(model, images, codes), "system_codes.webp")
    save(strength_picture(model, images, codes), "system_strength.webp")
    save(losses_picture(model, images, codes), "system_losses.webp")


def codes_picture(model: SwappingAutoencoder, images: list[Image.Image], codes: list[Codes]) -> Image.Image:
    """Show images, their structure codes as colours, their texture codes as 16 × 16 dots, reconstructions."""
    structures = three_channels(torch.cat([one.structure for one in codes]))
    textures = [one.texture[0].reshape(1, 16, 16).expand(3, -1, -1) * 4 for one in codes]
    return in_rows(
        {
            "images": images,
            "structure codes: 16 x 16 places, 8 channels shown as 3": [dots(one) for one in structures],
            "texture codes: 256 numbers, without any place": [dots(one) for one in textures],
            "decoded again": [model.decode_image(one) for one in codes],
        }
    )


def three_channels(structure: Tensor) -> Tensor:
    """Show `[B, C, h, w]` by its three main axes over all places, each from −1 to 1."""
    flat = structure.transpose(0, 1).flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    axes = torch.linalg.svd(flat, full_matrices=False).U[:, :3]
    shown = axes.T @ flat
    low, high = shown.amin(1, keepdim=True), shown.amax(1, keepdim=True)
    shape = (3, len(structure), *structure.shape[2:])
    return (2 * (shown - low) / (high - low) - 1).reshape(shape).transpose(0, 1)


def strength_picture(
    model: SwappingAutoencoder, images: list[Image.Image], codes: list[Codes]
) -> Image.Image:
    """Show one structure on its way to two other textures."""
    strengths = [0.0, 0.25, 0.5, 0.75, 1.0]
    own, rows = codes[0], {}
    for other, name in ((codes[3], NAMES[3]), (codes[2], NAMES[2])):
        between = [own.texture.lerp(other.texture, amount) for amount in strengths]
        rows[f"strengths from 0 to 1 of the texture of {name}"] = [
            model.decode_image(Codes(own.structure, texture, own.size)) for texture in between
        ]
    return in_rows(rows)


def losses_picture(model: SwappingAutoencoder, images: list[Image.Image], codes: list[Codes]) -> Image.Image:
    """Show what each loss is given: an image beside its reconstruction, patches of two images."""
    own, other = codes[1], codes[3]
    rebuilt = model.decode_image(own)
    hybrid = model.decode_image(Codes(own.structure, other.texture, own.size))
    windows = draw_windows(1, 3, 0.125, 0.25, torch.Generator().manual_seed(7))
    reference, found = patches(images[3], windows), patches(hybrid, windows)
    return in_rows(
        {
            "L1: image, reconstruction, what is left between": [
                images[1],
                rebuilt,
                between(images[1], rebuilt),
            ],
            "D: an image, a reconstruction, a hybrid: real?": [images[3], rebuilt, hybrid],
            "patches of the image that gave its texture": [outlined(images[3], windows), *reference],
            "patches of the hybrid: from the same image?": [outlined(hybrid, windows), *found],
        }
    )


def patches(image: Image.Image, windows: Windows) -> list[Image.Image]:
    """Cut patches of 32² from an image."""
    return [to_pil(one.numpy()) for one in cut(tensor(image), windows, 32)[0]]


def outlined(image: Image.Image, windows: Windows) -> Image.Image:
    """Draw where patches are cut."""
    shown = enlarged(image).convert("RGB")
    draw = ImageDraw.Draw(shown)
    for scale, offset in zip(windows.scale[0].tolist(), windows.offset[0].tolist(), strict=True):
        middle = [(1 + o) / 2 * SIDE for o in offset]
        half = [s / 2 * SIDE for s in scale]
        corners = [middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]]
        draw.rectangle(corners, outline="white", width=2)
    return shown


def between(a: Image.Image, b: Image.Image) -> Image.Image:
    """Show the absolute difference, black where there is none."""
    return to_pil((tensor(a) - tensor(b)).abs().clamp(max=2).sub(1)[0].numpy())


def tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(to_array(image)))[None]


def dots(image: Tensor) -> Image.Image:
    """Enlarge `[3, h, w]` in [-1, 1] without blurring it."""
    return to_pil(image.clamp(-1, 1).numpy()).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def enlarged(image: Image.Image) -> Image.Image:
    return image if image.width == SIDE else image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def in_rows(rows: dict[str, list[Image.Image]]) -> Image.Image:
    """Set rows below each other, each with words above."""
    strips = []
    for words, cells in rows.items():
        sheet = Sheet([SIDE] * len(cells), [SIDE], 4, (255, 255, 255))
        sheet.paste_row(0, [enlarged(cell) for cell in cells])
        strips.append(captioned(sheet.image, words))
    whole = Sheet([max(one.width for one in strips)], [one.height for one in strips], 6, (255, 255, 255))
    for i, strip in enumerate(strips):
        padded = Image.new("RGB", (whole.widths[0], strip.height), "white")
        padded.paste(strip, (0, 0))
        whole.paste_row(i, [padded])
    return whole.image


def save(picture: Image.Image, name: str) -> None:
    picture.save(FOLDER / name, quality=88, method=6)
    print(FOLDER / name, picture.size)


if __name__ == "__main__":
    main()
