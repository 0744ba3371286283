"""What each metric measures: functions that make a collector of a net."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from swapae.metrics import pixels
from swapae.metrics.accumulators import Moments, Part, Samples
from swapae.metrics.collectors import Batch, BetweenSets, Collector, Figures, PerImage
from swapae.metrics.frechet import frechet_distance
from swapae.metrics.kernel import kernel_distance
from swapae.metrics.manifold import precision_recall
from swapae.metrics.palette import histograms, transport
from swapae.metrics.sifid import sifid
from swapae.metrics.swapping import layout_distance

# ── reconstruction: model-spec §11.5, per data set ───────────────────────────────────────────────

RECONSTRUCTION = ("reconstruction", "photo")


def l1(net: None) -> Collector:
    """Mean absolute difference of reconstructions from their images."""
    return PerImage(RECONSTRUCTION, lambda batch: {"L1": pixels.l1(*_pick(batch, RECONSTRUCTION))})


def psnr(net: None) -> Collector:
    """Signal-to-noise ratio of reconstructions."""
    return PerImage(RECONSTRUCTION, lambda batch: {"PSNR": pixels.psnr(*_pick(batch, RECONSTRUCTION))})


def ms_ssim(net: None) -> Collector:
    """Structural similarity of reconstructions, named by the scales that fit."""

    def measure(batch: Batch) -> dict[str, Tensor]:
        a, b = _pick(batch, RECONSTRUCTION)
        return {pixels.ms_ssim_name(*a.shape[2:]): pixels.ms_ssim(a, b)}

    return PerImage(RECONSTRUCTION, measure)


def lpips(net: Any) -> Collector:
    """Perceptual distance of reconstructions from their images."""
    return PerImage(
        RECONSTRUCTION, lambda batch: {net.name: net.distance(*_pick(batch, RECONSTRUCTION)).detach()}
    )


# ── swaps as a set: are they pictures of the kind? ───────────────────────────────────────────────


def fid(net: Any) -> Collector:
    """Fréchet distance of hybrids to the structure images of their pairs, as the article has it."""

    def formula(a: Part, b: Part) -> Figures:
        assert isinstance(a, Moments)
        assert isinstance(b, Moments)
        return {f"FID-{net.name}": frechet_distance(a, b)}

    return BetweenSets(("hybrid", "structure"), _pooled(net), Moments, formula)


def kid(net: Any) -> Collector:
    """Kernel distance of hybrids to all images of the data set, with its interval."""

    def formula(a: Part, b: Part) -> Figures:
        found = kernel_distance(_rows(a), _rows(b))
        name = f"KID-{net.name}"
        return {name: found.value, f"{name} low": found.low, f"{name} high": found.high}

    return BetweenSets(("hybrid", "photo"), _pooled(net), Samples, formula)


def precision_and_recall(net: Any) -> Collector:
    """Precision and recall of hybrids among all images of the data set."""

    def formula(a: Part, b: Part) -> Figures:
        precision, recall = precision_recall(_rows(a), _rows(b))
        return {f"Precision-{net.name}": precision, f"Recall-{net.name}": recall}

    return BetweenSets(("hybrid", "photo"), _pooled(net), Samples, formula)


# ── each swap by itself: whose stuff, whose layout, whose colours? ───────────────────────────────


def sifid_of(net: Any) -> Collector:
    """Distance of each hybrid's small things to the texture image's, at two depths."""

    def measure(batch: Batch) -> dict[str, Tensor]:
        sides: list[dict[str, Tensor]] = [
            batch.once(("early", net.name), [role], net.early) for role in ("hybrid", "texture")
        ]
        return {f"SIFID-{net.name}-{tap}": sifid(sides[0][tap], sides[1][tap]) for tap in sides[0]}

    return PerImage(("hybrid", "texture"), measure)


def self_similarity(net: Any) -> Collector:
    """Distance of each hybrid's layout to the structure image's."""
    return PerImage(
        ("hybrid", "structure"),
        lambda batch: {f"SelfSim-{net.name}": layout_distance(net, batch, "structure", "hybrid")},
    )


def color(net: None) -> Collector:
    """Distance of each hybrid's colours to the texture image's; the share nearer those than the others."""

    def measure(batch: Batch) -> dict[str, Tensor]:
        to_texture, to_structure = (
            color_distance_of(batch, *pair) for pair in (("hybrid", "texture"), ("structure", "hybrid"))
        )
        return {"Color": to_texture, "ColorNearer": (to_texture < to_structure).double()}

    return PerImage(("hybrid", "structure", "texture"), measure, shares=["ColorNearer"])


def color_distance_of(batch: Batch, a: str, b: str) -> Tensor:
    """The colour distances of the images of two roles [B]."""

    def between(one: Tensor, other: Tensor) -> Tensor:
        sides = (
            batch.rows("colours", role, lambda images: {"shares": histograms(images)}) for role in (a, b)
        )
        return transport(*(side["shares"] for side in sides))

    return batch.once("colour distance", [a, b], between)


# ── what they share ──────────────────────────────────────────────────────────────────────────────


def _pick(batch: Batch, roles: Sequence[str]) -> list[Tensor]:
    return [batch.images[role].clamp(-1, 1) for role in roles]


def _pooled(net: Any) -> Callable[[Batch, str], Tensor]:
    def features(batch: Batch, role: str) -> Tensor:
        return batch.rows(("look", net.name), role, net.look)["pooled"]

    return features


def _rows(part: Part) -> Tensor:
    assert isinstance(part, Samples)
    return part.read()[1]
