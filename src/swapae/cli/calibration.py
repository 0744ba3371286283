"""Pictures by which fewer bits are chosen and measured: the model's gallery, or photos of the user's."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae import box
from swapae.cli.encoding import USUAL_SIZE
from swapae.data.open import open_source
from swapae.data.stream import epoch_order
from swapae.errors import UserError
from swapae.evaluation.photos import Photos
from swapae.export.reduced import FEWEST
from swapae.galleries import gallery
from swapae.images import split_alpha, to_array
from swapae.locate import find_weights
from swapae.model import WEIGHTS_FILE, SwappingAutoencoder

MOST = 32  # pictures
MADE_UP = 8, 6  # pictures, and places of a side from which they are interpolated


def pictures_of(name: str, model: SwappingAutoencoder, folder: Path | None) -> tuple[list[Tensor], str]:
    """Give pictures `[1, 3, S, S]` in [-1, 1], of a size the model trained on, and a word for them.

    Args:
        name: of the model.
        model: decodes the pictures of a gallery that has codes alone.
        folder: of photos, in place of the gallery.

    Raises:
        UserError: fewer than 4 photos in the folder can be read.
    """
    place = find_weights(name, WEIGHTS_FILE).parent
    side = _side(box.image_size(place) or USUAL_SIZE, model)
    if folder is not None:
        return _photos(folder, side), f"photos of {folder.name}"
    if (place / box.GALLERY).is_dir():
        pictures = [
            sample.picture or model.decode_image(sample.codes(model)) for sample in gallery(place).values()
        ][:MOST]
        arrays = [torch.from_numpy(to_array(split_alpha(picture)[0]))[None] for picture in pictures]
        if len(arrays) >= FEWEST:
            return [F.interpolate(one, (side, side), mode="area") for one in arrays], "the model's gallery"
    return _made_up(side), MADE_UP_WORD


MADE_UP_WORD = "made-up pictures"


def _side(size: int, model: SwappingAutoencoder) -> int:
    """Give a side near `size` that needs no padding."""
    stride = model.config.stride
    return max(round(size / stride) * stride, -(-model.config.min_side // stride) * stride)


def _photos(folder: Path, side: int) -> list[Tensor]:
    photos = Photos.of(open_source(str(folder), resolution=side), side, MOST)
    order = epoch_order(0, 0, len(photos.numbers))[:MOST].tolist()
    found = [photos.read(photos.numbers[number]) for number in order]
    readable = [photo[None] for photo in found if photo is not None]
    if len(readable) < FEWEST:
        raise UserError(f"{folder} has {len(readable)} readable photos; --calibrate takes {FEWEST} or more.")
    return readable


def _made_up(side: int) -> list[Tensor]:
    num, places = MADE_UP
    coarse = torch.rand(num, 3, places, places, generator=torch.Generator().manual_seed(0)) * 2 - 1
    pictures = F.interpolate(coarse, (side, side), mode="bicubic").clamp(-1, 1)
    return [pictures[i : i + 1] for i in range(num)]
