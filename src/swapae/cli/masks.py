"""Masks on the command line: read, and kept to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

from swapae.cli.common import UsageError
from swapae.errors import UserError
from swapae.files import shown

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from swapae.cli.hybrids import Coder, Encoded
    from swapae.codes import Codes

Feather = Annotated[
    float, arg(metavar="PX", help="Pixels of the image over which a mask's edge fades to either side.")
]
Where = Literal["plain", "photo", "free"]
Outside = Annotated[
    Where,
    arg(
        help="What is where no mask is: plain, the model's unedited picture of the image, or photo, the "
        "image itself, both to the bit; or free, what the generator makes of it, changed nearby too."
    ),
]


def check_feather(feather: float) -> None:
    """Refuse what is no width.

    Raises:
        UsageError: as said.
    """
    if not 0 <= feather < math.inf:
        raise UsageError(f"--feather must be a number of pixels, 0 or more, not {feather}.")


def read_mask(file: Path) -> "Tensor":
    """Read a mask `[1, 1, H, W]` from a picture.

    Raises:
        UserError: it is no picture, or nothing of it is white.
    """
    from swapae.editing import mask_of
    from swapae.images import open_image

    mask = mask_of(open_image(file))
    if not mask.any():
        raise UserError(f"{shown(file)} is black or transparent everywhere: white marks what is inside.")
    return mask


@dataclass(frozen=True)
class Inside:
    """A picture of which only the parts inside masks are edited."""

    coder: "Coder"
    picture: "Image"
    own: "Encoded"
    masks: "Sequence[Tensor]"
    feather: float

    def decoded(self, codes: "Codes", outside: Where) -> "Image":
        """The picture of edited codes, with what was asked for outside the masks, and its transparency."""
        import torch

        from swapae.editing import decoded_inside
        from swapae.images import put_alpha, split_alpha, to_array, to_pil

        own, model, photo = self.own.codes, self.coder.model, None
        if outside == "photo":
            photo = torch.from_numpy(to_array(split_alpha(self.picture)[0]))[None]
        result = decoded_inside(model, own, codes, self.masks, self.feather, outside, photo)
        return put_alpha(to_pil(result[0].numpy()), self.own.alpha)
