"""How well edits do what they say, measured where the truth can be rendered.

    python -m benchmarks.edit_measures flicker [-m synthetic64] [--scenes 6]
    python -m benchmarks.edit_measures attributes [-m synthetic64] [--group 24] [--tests 12]

`flicker`: things that turn, things about which the lamp is carried, and grainy films of things at rest, 24
frames of a second, edited as a video. The mean change from frame to frame, in levels of 255, of the input, of
the output, and of what the output should have been; and the change of the output's error, which a true edit
would not have.

`attributes`: directions from two groups of pictures that differ in one thing, applied to pictures of neither,
by strengths in units of the gap between the groups; the groups are of the same scenes, or of others.
The change of the decoded picture is compared with true changes, rendered for 21 values of that thing: the
nearest one says how far the edit moved it, and how much of the edit's change it explains.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.edit_scenes import ATTRIBUTES, levels, lit, pictures, spun, tensors, with_attribute
from swapae import Codes, SwappingAutoencoder
from swapae.data.synthetic import Scene, Structure, Texture, sample_scenes
from swapae.editing import Direction, apply, attribute
from swapae.editing.directions import Kind
from swapae.video import Frame, Look, edited_frames

SEED = 20_251_125  # of scenes that no training draws
RATE = 24
STRENGTHS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)  # in gaps between the groups
NUM_VALUES = 21
Answer = dict[str, object]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["flicker", "attributes"])
    parser.add_argument("-m", "--model", default="synthetic64")
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--motions", nargs="*", choices=list(MOTIONS), default=list(MOTIONS))
    parser.add_argument("--group", type=int, default=24)
    parser.add_argument("--tests", type=int, default=12)
    options = parser.parse_args(arguments)
    model = SwappingAutoencoder.from_pretrained(options.model, device="cpu")
    if options.what == "flicker":
        rows = flicker(model, options.scenes, options.motions)
    else:
        rows = attributes(model, options.group, options.tests)
    for row in rows:
        print(json.dumps(row), flush=True)


# ── flicker ──────────────────────────────────────────────────────────────────────────────────────


def flicker(model: SwappingAutoencoder, num_scenes: int, motions: Sequence[str]) -> Iterator[Answer]:
    """Edit films of scenes in several ways, and tell how much each flickers."""
    scenes = sample_scenes(SEED, range(2 * num_scenes))
    own, other = scenes.structure[:num_scenes], scenes.texture[num_scenes:]
    for motion, change in ((one, MOTIONS[one]) for one in motions):
        films = [film(own[[i]], scenes.texture[[i]], change) for i in range(num_scenes)]
        still = films
        if motion == GRAINY:
            draw = np.random.default_rng(SEED)
            films = [(one + draw.normal(0, GRAIN, one.shape)).clip(0, 255).astype(np.uint8) for one in films]
        asked = [pictures(own[[i]], other[[i]]) for i in range(num_scenes)]
        true_swaps = [film(own[[i]], other[[i]], change) for i in range(num_scenes)]
        for way in WAYS:
            rows = []
            for taken, plain, photo, swap in zip(films, still, asked, true_swaps, strict=True):
                texture = model.encode(tensors(photo)).texture
                rows.append(changes(taken, WAYS[way](model, taken, texture), swap if way in SWAPS else plain))
            yield {"motion": motion, "way": way} | {key: mean([row[key] for row in rows]) for key in rows[0]}


def film(
    structure: Structure, texture: Texture, change: Callable[[Structure, float], Structure]
) -> np.ndarray:
    """Render a second of it, `[24, H, W, 3]`."""
    return np.concatenate([pictures(change(structure, i / RATE), texture) for i in range(RATE)])


GRAINY, GRAIN = "nothing moves, a grainy film", 8.0  # levels
MOTIONS: dict[str, Callable[[Structure, float], Structure]] = {
    "thing turns": lambda structure, share: spun(structure, 0.25 * share),
    "lamp moves": lambda structure, share: lit(structure, 0.2 * share),
    GRAINY: lambda structure, share: structure,
}


def edited(look: Callable[[Tensor], Look]) -> "Callable[[SwappingAutoencoder, np.ndarray, Tensor], Tensor]":
    """Make a way to edit a film as a video is edited."""

    def way(model: SwappingAutoencoder, taken: np.ndarray, texture: Tensor) -> Tensor:
        frames = (
            Frame(Image.fromarray(one), Fraction(i, RATE), Fraction(1, RATE)) for i, one in enumerate(taken)
        )
        made = edited_frames(model, frames, look(texture))
        return torch.stack([torch.from_numpy(np.array(frame.picture)).float() for frame in made])

    return way


def fresh_noise(model: SwappingAutoencoder, taken: np.ndarray, texture: Tensor) -> Tensor:
    """Edit each frame for itself, with noise of its own, as one would without `swapae video`."""
    own = model.encode(tensors(taken))
    made = [model.decode(Codes(own.structure[[i]], texture, own.size), noise=i) for i in range(len(taken))]
    return levels(torch.cat(made)).permute(0, 2, 3, 1)


WAYS: dict[str, Callable[[SwappingAutoencoder, np.ndarray, Tensor], Tensor]] = {
    "a photo's texture, noise anew in each frame": fresh_noise,
    "a photo's texture, noise that stands still": edited(lambda t: Look([t], noise=0)),
    "a photo's texture, no noise": edited(lambda t: Look([t])),
    "own texture of each frame": edited(lambda t: Look()),
    "own texture, gaussian 0.1 s": edited(lambda t: Look(smooth=0.1)),
    "own texture, gaussian 0.5 s": edited(lambda t: Look(smooth=0.5)),
    "own texture, exponential 0.5 s": edited(lambda t: Look(smooth=0.5, window="exponential")),
}
SWAPS = {way for way in WAYS if way.startswith("a photo")}


def changes(taken: np.ndarray, made: Tensor, true: np.ndarray) -> dict[str, float]:
    """Mean changes from frame to frame, in levels."""
    before, after = torch.from_numpy(taken).float(), torch.from_numpy(true).float()
    step = {
        name: film.diff(dim=0).abs().mean().item()
        for name, film in (("input", before), ("output", made), ("truth", after), ("error", made - after))
    }
    return step | {"beyond_input": step["output"] - step["input"]}


# ── attributes ───────────────────────────────────────────────────────────────────────────────────


def attributes(model: SwappingAutoencoder, num_group: int, num_tests: int) -> Iterator[Answer]:
    """Make directions of groups that are known to differ in one thing, and tell what they move."""
    scenes = sample_scenes(SEED + 1, range(2 * num_group + num_tests))
    tests = Scene(scenes.structure[2 * num_group :], scenes.texture[2 * num_group :])
    for name in ATTRIBUTES:
        kinds = ("texture", "layout") if name == "big" else ("texture", "structure")
        made = {
            (kind, groups): made_of_groups(model, scenes, name, kind, num_group, groups == "alike")
            for kind in kinds
            for groups in ("alike", "of other scenes")
        }
        found = moved(model, tests, name, list(made.values()))
        for ((kind, groups), direction), row in zip(made.items(), found, strict=True):
            yield {
                "attribute": name,
                "kind": kind,
                "groups": groups,
                "gap": round(direction.gap or 0, 2),
            } | row


def made_of_groups(
    model: SwappingAutoencoder, scenes: Scene, name: str, kind: Kind, num: int, is_alike: bool
) -> Direction:
    """Find a direction between two groups: of the same scenes with one thing changed, or of others."""
    groups = []
    for first, value in zip((0, 0 if is_alike else num), ATTRIBUTES[name], strict=True):
        rows = slice(first, first + num)
        some = with_attribute(scenes.structure[rows], scenes.texture[rows], name, value)
        groups.append(model.encode(tensors(pictures(*some))))
    return attribute(name, toward=[groups[1]], away=[groups[0]], kind=kind)


def moved(
    model: SwappingAutoencoder, tests: Scene, name: str, directions: Sequence[Direction]
) -> list[Answer]:
    """Apply directions to scenes whose thing is in the middle, and find the true changes nearest to it."""
    low, high = ATTRIBUTES[name]
    middle, gap = (low + high) / 2, high - low
    values = np.linspace(middle - gap, middle + gap, NUM_VALUES)
    values = values.clip(0, 1) if name == "glossy" else values.clip(-2, 2)
    found: list[dict[float, list[tuple[float, float]]]] = [{s: [] for s in STRENGTHS} for _ in directions]
    for i in range(len(tests)):
        one = tests.structure[[i]], tests.texture[[i]]
        true = [pictures(*with_attribute(*one, name, value)) for value in (middle, *values)]
        rendered = tensors(np.concatenate(true))
        own = model.encode(rendered[:1])
        plain, ways = model.decode(own), (rendered[1:] - rendered[:1]).flatten(1)
        for direction, row in zip(directions, found, strict=True):
            for strength in STRENGTHS:  # in gaps: 1 goes from the middle of one group to that of the other
                edited = model.decode(apply(own, direction, strength * (direction.gap or 1)))
                change = (edited - plain).flatten(1)
                errors = (change - ways).square().sum(1)
                best = int(errors.argmin())
                explained = 1 - (errors[best] / change.square().sum()).item()
                row[strength].append(((values[best] - middle) / gap, explained))
    return [_summary(row) for row in found]


def _summary(row: dict[float, list[tuple[float, float]]]) -> Answer:
    signs = [np.sign(share) == np.sign(s) for s, pairs in row.items() for share, _ in pairs]
    return {
        "moved": {f"{s:+g}": round(mean([share for share, _ in pairs]), 3) for s, pairs in row.items()},
        "right_way": round(mean([float(one) for one in signs]), 3),
        "explained": {f"{s:+g}": round(mean([e for _, e in pairs]), 3) for s, pairs in row.items()},
    }


def mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers))


if __name__ == "__main__":
    main()
