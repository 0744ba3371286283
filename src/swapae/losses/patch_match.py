"""How well the small patches of two images match, wherever they lie: a texture loss that nobody has to learn.

The relaxed earth mover's distance of Kolkin et al. 2019 (STROTSS, arXiv:1904.12785, eq. 4–5), between raw
pixel patches instead of a pretrained network's features: each patch of a hybrid should be like some patch of
the image whose texture it wears, and each patch of that image should be found in the hybrid. It pulls where
the patch co-occurrence discriminator only judges, so it teaches from the first step on; and it knows nothing
of what is plausible, so it does not replace the discriminators.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 5  # of a patch, in pixels
HALVINGS = 3  # sizes at which patches are compared: the image's own, a half and a quarter of it
NUM_MADE, NUM_WANTED = 256, 512  # patches of an image at each size
LEAST_SIDE = SIDE << (HALVINGS - 1)  # of an image, in pixels
LEAST = 1e-6  # under the root, whose slope would be endless at 0


def draw_places(generator: torch.Generator) -> Tensor:
    """Draw where patches are cut, rows and columns in [0, 1): `[HALVINGS, NUM_MADE + NUM_WANTED, 2]`.

    At random, for a lattice has a mesh, and of a pattern of the same period it would see one phase.
    """
    return torch.rand(HALVINGS, NUM_MADE + NUM_WANTED, 2, generator=generator, device=generator.device)


def patch_match(made: Tensor, wanted: Tensor, places: Tensor) -> Tensor:
    """Compare the patches of images at three sizes.

    Args:
        made: `[B, 3, H, W]`, gets gradients.
        wanted: `[B, 3, H, W]`, of any content; gets none.
        places: of `draw_places`, on the images' device; the same for all images.

    Returns:
        `[B]`: root mean square difference of a value of a patch and its nearest, the larger of both ways.

    Raises:
        ValueError: no patch fits in at a quarter of the size.
    """
    if min(made.shape[2:]) < LEAST_SIDE:
        raise ValueError(
            f"patch_match needs images of at least {LEAST_SIDE} px a side, not {list(made.shape[2:])}."
        )
    wanted, both_ways = wanted.detach(), []
    for of_made, of_wanted in (level.split([NUM_MADE, NUM_WANTED]) for level in places):
        near = _distances(_patches(made, of_made), _patches(wanted, of_wanted))
        both_ways.append(torch.maximum(near.amin(2).mean(1), near.amin(1).mean(1)))
        made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
    return torch.stack(both_ways).mean(0)


def _patches(images: Tensor, places: Tensor) -> Tensor:
    """Cut patches at `places` `[N, 2]` in [0, 1) of where they fit in: `[B, N, 3·SIDE²]`."""
    line = torch.arange(SIDE, device=images.device)
    rows, columns = (
        (places[:, axis] * (images.shape[2 + axis] - SIDE + 1)).long()[:, None] + line for axis in (0, 1)
    )
    patches = images[:, :, rows[:, :, None], columns[:, None, :]]  # [B, 3, N, SIDE, SIDE]
    return patches.transpose(1, 2).flatten(2)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Compute the root mean square differences of all pairs: `[B, N, D]`, `[B, M, D]` → `[B, N, M]`."""
    squares = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None] - 2 * a @ b.transpose(1, 2)
    return (squares / a.shape[2]).clamp_min(0).add(LEAST).sqrt()
