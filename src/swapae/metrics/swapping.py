"""What a swap did: whose layout the hybrid has, and how much it heeds its texture code."""

from typing import Any

from torch import Tensor

from swapae.metrics.collectors import Batch, Collector, PerImage, RatioOfSums
from swapae.metrics.selfsim import compare_layouts, layouts


def layout_distance(net: Any, batch: Batch, a: str, b: str) -> Tensor:
    """The self-similarity distances of the images of two roles [B], by the layers of a net."""

    def between(one: Tensor, other: Tensor) -> Tensor:
        return compare_layouts(*(_layouts(net, batch, role) for role in (a, b)))

    return batch.once(("layout distance", net.name), [a, b], between)


def structure_leakage(net: Any) -> Collector:
    """How far the hybrid's layout went over from the structure image's (0) to the texture image's (1).

    With s(x, y) the self-similarity distance, the leakage of a pair is

        s(hybrid, structure) / (s(hybrid, structure) + s(hybrid, texture)),

    0 for a hybrid laid out just as the structure image, 1 for one laid out as the texture image, ½ for one
    that is as far from both, and ½ by definition if all three are the same. The figure is the mean over
    pairs. Beside it stands `StructureNearer`, the share with s(hybrid, structure) < s(hybrid, texture),
    with its interval.
    """

    def measure(batch: Batch) -> dict[str, Tensor]:
        own = layout_distance(net, batch, "structure", "hybrid")
        other = layout_distance(net, batch, "hybrid", "texture")
        both = own + other
        leakage = (own / both.clamp(min=1e-12)).where(both > 1e-12, 0.5)
        return {
            f"StructureLeakage-{net.name}": leakage,
            f"StructureNearer-{net.name}": (own < other).double(),
        }

    shares = [f"StructureNearer-{net.name}"]
    return PerImage(("hybrid", "structure", "texture"), measure, shares)


def texture_sensitivity(lpips: Any) -> Collector:
    """How far the output moves per unit of texture change.

    Of each pair two images are decoded from the structure image's structure: one with its own texture code
    t_s, the other, which is the hybrid, with the texture image's t_t. The figure is

        Σ LPIPS(hybrid, unswapped) / Σ |t_t - t_s|

    over all pairs. Texture codes have unit length, so the change lies between 0 and 2, and a model that
    leaves its texture code unheeded has sensitivity 0.
    """

    def measure(batch: Batch) -> tuple[Tensor, Tensor]:
        hybrid, unswapped = (batch.images[role].clamp(-1, 1) for role in ("hybrid", "unswapped"))
        return lpips.distance(hybrid, unswapped).detach(), batch.images["texture_change"]

    roles = ("hybrid", "unswapped", "texture_change")
    return RatioOfSums(f"TextureSensitivity-{lpips.name}", roles, measure)


def _layouts(net: Any, batch: Batch, role: str) -> Tensor:
    look = batch.rows(("look", net.name), role, net.look)
    return batch.once(("layouts", net.name), [role], lambda images: layouts(look["columns"]))
