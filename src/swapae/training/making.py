"""From images to codes, and from codes to the reconstructions and hybrids that a training looks at."""

import torch
from torch import Tensor

from swapae.codes import Codes
from swapae.losses import ViewsConfig, moved, recolored
from swapae.networks import Encoder, Generator
from swapae.networks.generator import Noise

Read = tuple[Codes, Codes | None]  # of images, and what to reconstruct the first of them from


def swapped(x: Tensor) -> Tensor:
    """Exchange neighbours (0, 1), (2, 3), … of a batch: its own inverse (model-spec §9.1)."""
    if len(x) % 2:
        raise ValueError(f"a batch of {len(x)} does not pair off; use an even one.")
    return torch.unflatten(x, 0, (-1, 2)).flip(1).flatten(0, 1)


def encode(encoder: Encoder, real: Tensor) -> Codes:
    """Encode images `[B, 3, H, W]`."""
    structure, texture = encoder(real)
    return Codes(structure, texture, (real.shape[2], real.shape[3]))


def encode_views(encoder: Encoder, config: ViewsConfig, real: Tensor, draws: Tensor | None) -> Read:
    """Encode images, and of the first half, or all, the views that they are to be reconstructed from.

    Args:
        encoder: sees all in one batch.
        config: shares of images that are changed, and whether all are to be reconstructed.
        real: `[B, 3, H, W]`.
        draws: of `draw_views` `[B, K]`; None where views are off.

    Returns:
        codes of the images, and the codes to reconstruct the first half, or all, from; None without views.
    """
    if draws is None:
        return encode(encoder, real), None
    num = len(real) if config.whole else len(real) // 2
    first, draws = real[:num], draws[:num]
    views = [recolored(config, first, draws), moved(config, first, draws)]
    codes, batch = encode(encoder, torch.cat([real, *views])), len(real)
    of_recolored, of_moved = codes[batch : batch + num], codes[batch + num :]
    return codes[:batch], Codes(of_recolored.structure, of_moved.texture, codes.size)


def reconstruct_and_mix(
    generator: Generator,
    codes: Codes,
    noise: Noise | None = None,
    stop_structure_gradient: bool = False,
    own: Codes | None = None,
) -> tuple[Tensor, Tensor]:
    """Decode the first half as it is, and every image with its neighbour's structure.

    Args:
        generator: decodes both in one batch of 3B/2, which it treats one by one.
        codes: of B images.
        noise: maps `[3B/2 or 1, 1, h, w]`, in layer order.
        stop_structure_gradient: let no gradient of a hybrid reach the structure it was made of.
        own: codes of the first half or more, to reconstruct it from; none takes those of `codes`.

    Returns:
        reconstructions `[B/2, 3, H, W]` and hybrids `[B, 3, H, W]`; hybrid i has the texture of image i.
    """
    half = len(codes) // 2
    of_hybrids = codes.structure.detach() if stop_structure_gradient else codes.structure
    own = codes[:half] if own is None else own[:half]
    structure = torch.cat([own.structure, swapped(of_hybrids)])
    texture = torch.cat([own.texture, codes.texture])
    images = generator(structure, texture, noise)
    return images[:half], images[half:]


def reconstruct_rest(generator: Generator, own: Codes, half: int, noise: Noise | None = None) -> Tensor:
    """Decode what `reconstruct_and_mix` leaves of the codes to reconstruct from, those beyond the first half.

    Args:
        generator: decodes them.
        own: codes of B images.
        half: how many of them were decoded.
        noise: as for `reconstruct_and_mix`; these take the last hybrids'.

    Returns:
        reconstructions `[B − half, 3, H, W]`.
    """
    rest = own[half:]
    if noise is not None:
        noise = [one if one is None or len(one) == 1 else one[-len(rest) :] for one in noise]
    images: Tensor = generator(rest.structure, rest.texture, noise)
    return images
