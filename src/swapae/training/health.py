"""How a training is: numbers that are read off its steps, and what they mean in words.

Nothing here waits for the device: readings are tensors until a line of the log is written.
"""

from collections import deque
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from swapae.codes import Codes

Readings = dict[str, Tensor]


# ── read off a step ──────────────────────────────────────────────────────────────────────────────


def verdicts(judge: str, real: Tensor, **made: Tensor) -> Readings:
    """Sum up what a discriminator says: its mean logits, and how often it is right.

    Args:
        judge: "D" or "patch_D".
        real: logits of real images.
        made: logits of each kind of made ones, by name.

    Returns:
        `{judge}_logit_real`, `{judge}_logit_{kind}`, and `{judge}_accuracy`: the share of real logits above 0
        and the share of made ones below 0, each counting half.
    """
    logits = {kind: one.detach().float() for kind, one in {"real": real, **made}.items()}
    fake = torch.cat([logits[kind].flatten() for kind in made])
    right = (logits["real"] > 0).float().mean() + (fake < 0).float().mean()
    means = {kind: one.mean() for kind, one in logits.items()}
    return {f"{judge}_accuracy": right / 2} | {f"{judge}_logit_{kind}": mean for kind, mean in means.items()}


def is_reading(name: str) -> bool:
    """Whether something that a step gives is a reading, and no term of the objective."""
    return "_logit_" in name or name.endswith("_accuracy") or name.startswith("grad_")


@torch.no_grad()
def gradient_norms(networks: Mapping[str, nn.Module]) -> Readings:
    """Give the Euclidean norm of each network's gradient as `grad_{network}`; one without any has none."""
    norms = {}
    for name, network in networks.items():
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        if gradients:
            norms[f"grad_{name}"] = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norms


# ── read off the sample grid ─────────────────────────────────────────────────────────────────────


def texture_readings(codes: Codes, other: Codes, again: Codes, own: Tensor, hybrid: Tensor) -> Readings:
    """Say what a change of texture alone does to images.

    Args:
        codes: of B images.
        other: the same structures, with the textures of other images.
        again: the codes of `hybrid`, encoded once more.
        own: `codes` decoded, `[B, 3, H, W]`.
        hybrid: `other` decoded.

    Returns:
        `texture_spread`, the mean distance between the textures exchanged: of unit vectors, so 0 to 2;
        `texture_sensitivity`, how far pixels move, in the [-1, 1] range, for each unit of that distance;
        `structure_drift`, how far the structure of a hybrid is from the one it was made of, as a share of how
        far the structures of different images lie apart.
    """
    distance = torch.linalg.vector_norm((other.texture - codes.texture).flatten(1), dim=1)
    moved = (hybrid - own).abs().flatten(1).mean(1)
    drift = _distance(again.structure, codes.structure)
    apart = _distance(codes.structure.roll(1, 0), codes.structure)
    return {
        "texture_spread": distance.mean(),
        "texture_sensitivity": moved.mean() / distance.mean().clamp_min(1e-6),
        "structure_drift": drift / apart.clamp_min(1e-2),
    }


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """The mean distance of the codes `[B, C, h, w]` at the same place."""
    distance: Tensor = torch.linalg.vector_norm(a - b, dim=1)
    return distance.mean()


# ── in words ─────────────────────────────────────────────────────────────────────────────────────

EARLY = 10_000  # images before which a texture that does nothing is no news
LONG = 10  # lines of the log, or readings of grids: what holds for so many is no accident
FEW_GRIDS = 3
SURE = 0.99  # accuracy
UNMOVED = 0.01  # texture sensitivity: a grey level of 256 for a texture as different as they come
SAME = 0.02  # texture spread
LOST = 0.95  # structure drift


class Watch:
    """Follows the log and says, once, what has gone wrong for long; again only if it was well between."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[float]] = {}
        self._images_seen = 0.0
        self._told: set[str] = set()

    def news(self, line: Mapping[str, float]) -> list[str]:
        """Take a line of the log in; give what has become worth saying with it."""
        self.take(line)
        wrong = self.complaints()
        new = [text for name, text in wrong.items() if name not in self._told]
        self._told = set(wrong)
        return new

    def take(self, line: Mapping[str, float]) -> None:
        """Take a line of the log in."""
        self._images_seen = line["images_seen"]
        for name in WATCHED & line.keys():
            self._recent.setdefault(name, deque(maxlen=LONG)).append(line[name])

    def complaints(self) -> dict[str, str]:
        """Give what is wrong at present, each by a name of its own."""
        found = {}
        for name, who, fix in (
            ("D_accuracy", "the image discriminator", "loss.r1"),
            ("patch_D_accuracy", "the patch discriminator", "loss.patch_r1"),
        ):
            values = self._last(name, LONG)
            if values and min(values) >= SURE:
                found[name] = (
                    f"{who} tells real from made nearly without error ({_percent(min(values))} right in each "
                    f"of the last {LONG} lines of the log), so the generator learns little from it: more "
                    f"images, data augmentation or a larger {fix} help."
                )
        return found | (self._textures() if self._images_seen >= EARLY else {})

    def _textures(self) -> dict[str, str]:
        found = {}
        moved, spread, drift = (self._last(name, FEW_GRIDS) for name in TEXTURES)
        if spread and max(spread) < SAME:
            found["texture_spread"] = (
                f"all images have nearly the same texture code ({max(spread):.2g} apart, of at most 2), so "
                "there is nothing to exchange; more varied images, or a larger loss.patch, help."
            )
        elif moved and max(moved) < UNMOVED:
            found["texture_sensitivity"] = (
                f"hybrids ignore the texture: with another one they move by {max(moved):.2g} of the range "
                "-1 to 1; more training, a larger loss.patch or a larger init.texture_gain help."
            )
        if drift and min(drift) > LOST:
            found["structure_drift"] = (
                f"hybrids lose the structure: theirs is {_percent(min(drift))} as far from the one they were "
                "made of as that of any other image; a lower loss.patch or smaller patches help."
            )
        return found

    def _last(self, name: str, count: int) -> list[float]:
        """Give the last `count` values, or none if there are not yet so many."""
        values = list(self._recent.get(name, ()))
        return values[-count:] if len(values) >= count else []


TEXTURES = ("texture_sensitivity", "texture_spread", "structure_drift")
WATCHED = frozenset({"D_accuracy", "patch_D_accuracy", *TEXTURES})


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
