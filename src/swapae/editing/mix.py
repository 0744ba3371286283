"""Several codes to one, by weights (paper §4.3; model-spec §11.3)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from swapae.codes import Codes, blend, check_weights, common_batch
from swapae.editing.interpolate import Path
from swapae.editing.sphere import angle, length, matched, tangent, turned, unit

MOST = 8
ROUNDS = 64  # two textures take one, the corners of a square about five
PRECISE = 5e-6  # radians; rounds end when no code moves farther. In float32 some never come below 2e-6.


def spherical_mean(codes: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Find the point of the sphere that lies in the middle of codes by their weights.

    It has the least weighted mean of squared angles to them (the Karcher mean), at each place of a map for
    itself. Of two codes it is their `slerp`; the generator drops the length of a weighted sum, so the angles
    of that do not keep to the weights.

    Args:
        codes: one to 8 of `[B or 1, C]` or `[B or 1, C, h, w]`; vectors go with maps.
        weights: one for each, none negative; only their proportions matter. What has none is left out.

    Returns:
        codes of length 1.

    Raises:
        ValueError: the codes do not go together, or the weights are no such weights.
    """
    shares = _shares(len(codes), weights)
    used = [(code, share) for code, share in zip(matched(*codes), shares, strict=True) if share > 0]
    points, parts = [unit(code) for code, _ in used], [share for _, share in used]
    mean = _start(points, parts)
    for _ in range(ROUNDS):
        step = _toward_all(mean, points, parts)
        size = length(step)
        mean = turned(mean, mean + step, size)
        if size.max() < PRECISE:
            break
    batch = common_batch(*map(len, codes))
    return mean.to(codes[0].dtype).expand(batch, *mean.shape[1:])


def mix(
    parts: Sequence[Codes],
    textures: Sequence[float] | None = None,
    structures: Sequence[float] | None = None,
    path: Path = "sphere",
) -> Codes:
    """Mix the textures, or the structures, or both, of up to 8 images, or batches of them.

    Args:
        parts: codes; the first gives size and what is not mixed.
        textures: weights, as `spherical_mean` takes them; None keeps the first one's texture.
        structures: the same of structures, which must be of images of one size.
        path: in the middle on the `sphere`, or on the `line`, the weighted sum, as `SwappingAutoencoder.mix`.

    Raises:
        ValueError: the codes do not go together, or the weights are no such weights.

    Example:
        >>> a, b = (Codes(torch.ones(1, 2, 1, 1), torch.eye(2)[[i]], (4, 4)) for i in (0, 1))
        >>> mix([a, b], textures=[3, 1]).texture
        tensor([[0.9239, 0.3827]])
    """
    if not parts:
        raise ValueError("there are no codes to mix.")
    texture, structure = parts[0].texture, parts[0].structure
    if textures is not None:
        texture = _middle([part.texture for part in parts], textures, path)
    if structures is not None:
        structure = _middle([part.structure for part in parts], structures, path)
    batch = common_batch(len(structure), len(texture))
    return Codes(
        structure.expand(batch, *structure.shape[1:]),
        texture.expand(batch, *texture.shape[1:]),
        parts[0].size,
    )


def _middle(codes: Sequence[Tensor], weights: Sequence[float], path: Path) -> Tensor:
    if path == "sphere":
        return spherical_mean(codes, weights)
    return blend(matched(*codes), _shares(len(codes), weights))


def _shares(num_codes: int, weights: Sequence[float]) -> list[float]:
    """Divide weights by their sum."""
    if not 1 <= num_codes <= MOST:
        raise ValueError(f"one to {MOST} codes can be mixed, not {num_codes}.")
    wrong = [weight for weight in weights if not (math.isfinite(weight) and weight >= 0)]
    if wrong:
        raise ValueError(f"{wrong[0]} is no weight of a mix: give numbers from 0 on.")
    check_weights(num_codes, weights)
    largest = max(weights)
    scaled = [weight / largest for weight in weights]  # so that the sum is neither infinite nor 0
    return [weight / sum(scaled) for weight in scaled]


def _start(points: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Begin with the weighted sum or, where all but cancels out, with the weightiest point."""
    weighted = [share * point for point, share in zip(points, shares, strict=True)]
    total = sum(weighted[1:], start=weighted[0])
    heaviest = points[max(range(len(points)), key=lambda i: shares[i])]
    return torch.where(length(total) > 1e-3, unit(total), heaviest)


def _toward_all(mean: Tensor, points: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Sum the ways from `mean` to each point, as vectors whose lengths are angles."""
    step = torch.zeros_like(mean)
    for point, share in zip(points, shares, strict=True):
        step = step + share * angle(mean, point) * tangent(mean, point)
    return step
