"""Scores of swaps whose true answer is known: the synthetic benchmark (docs/synthetic-benchmark.md).

Everything is measured by one LPIPS, d, on outputs rounded to 8 bits as saved pictures are. A batch holds by
role: the `structure` and the `texture` image, the `truth` of their swap, and what a system made: the
`hybrid`, the `reconstruction` of the structure image, and `interpolated`, its answer to `between`, a true
picture on the way to an `other` texture of the same material.
"""

from torch import Tensor

from swapae.metrics.answers import TRIVIAL
from swapae.metrics.collectors import Batch, Collector, PerImage
from swapae.metrics.lpips import LPIPS
from swapae.metrics.pixels import psnr
from swapae.metrics.table import Better, Figure

ABOUT: dict[str, Figure] = {
    "hybrid_nearer_truth": Figure(
        "high", "share of pairs whose hybrid is nearer the true swap than either image"
    ),
    "hybrid_lpips": Figure("low", "perceptual distance of hybrid and true swap"),
    "hybrid_psnr": Figure("high", "signal-to-noise ratio of hybrid and true swap in decibels"),
    "reconstruction_lpips": Figure("low", "perceptual distance of reconstruction and structure image"),
    "interpolation_lpips": Figure("low", "perceptual distance of in-between and true in-between"),
}
FIGURES: dict[str, Better] = {name: figure.better for name, figure in ABOUT.items()}
SWAP = ("structure", "texture", "truth", "hybrid")


def scores(lpips: LPIPS) -> list[Collector]:
    """Collectors of all figures; those for which a batch has no images stay away.

    - `hybrid_nearer_truth`: share of pairs in which d(hybrid, truth) is less than d(structure, truth) and
      d(texture, truth).
    - `hybrid_lpips`, `hybrid_psnr`: mean d(hybrid, truth), and mean PSNR in decibels.
    - `reconstruction_lpips`: mean d(reconstruction, structure).
    - `interpolation_lpips`: mean d(interpolated, between).
    """

    def distance(batch: Batch, a: str, b: str) -> Tensor:
        return batch.once(lpips.name, [a, b], lambda one, other: lpips.distance(one, other).detach())

    def swap(batch: Batch) -> dict[str, Tensor]:
        error = distance(batch, "hybrid", "truth")
        either = distance(batch, "structure", "truth").minimum(distance(batch, "texture", "truth"))
        return {
            "hybrid_nearer_truth": (error < either).float(),
            "hybrid_lpips": error,
            "hybrid_psnr": psnr(batch.images["hybrid"], batch.images["truth"]),
        }

    def reconstruction(batch: Batch) -> dict[str, Tensor]:
        return {"reconstruction_lpips": distance(batch, "reconstruction", "structure")}

    def interpolation(batch: Batch) -> dict[str, Tensor]:
        return {"interpolation_lpips": distance(batch, "interpolated", "between")}

    return [
        PerImage(SWAP, swap),
        PerImage(("reconstruction", "structure"), reconstruction),
        PerImage(("interpolated", "between"), interpolation),
    ]


def answered(batch: Batch, answer: str) -> Batch:
    """The batch as if a trivial answer had made its outputs."""
    make = TRIVIAL[answer]
    images = batch.images
    made = {"hybrid": make(images["structure"], images["texture"])}
    made["reconstruction"] = make(images["structure"], images["structure"])
    if batch.has(["other"]):
        made["interpolated"] = make(images["structure"], images["other"])
    return batch.replaced(**{role: rounded(picture) for role, picture in made.items()})


def rounded(images: Tensor) -> Tensor:
    """Images as they are once saved and read again: clamped, at 8 bits, in [-1, 1]."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
