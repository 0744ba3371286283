"""The pairs of the synthetic benchmark (docs/synthetic-benchmark.md), a function of (seed, number, split).

Its scenes come from sequences of their own, which no training ever draws from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from swapae.data.synthetic.materials import MATERIALS
from swapae.data.synthetic.noise import Array
from swapae.data.synthetic.renderer import Pixels, render
from swapae.data.synthetic.sample import Split, sample_scenes
from swapae.data.synthetic.scene import Scene, Texture, blend

BENCHMARK_VERSION = 1  # of the pairs; a change to any of them is a new version, see the pinned digest
STRENGTHS = (0.25, 0.5, 0.75)  # of the interpolations, in turn

_BLOCK = 64  # places of the sequence that belong to one pair


@dataclass(frozen=True)
class Swaps:
    """N pairs before they are rendered.

    - numbers: their places in the list.
    - structure, texture: the scenes; form and material both differ in every pair.
    - other: a texture of the structure scene's own material, towards which is interpolated.
    - strength: how far [N].
    """

    numbers: tuple[int, ...]
    structure: Scene
    texture: Scene
    other: Scene
    strength: Array


def draw_swaps(numbers: Sequence[int], seed: int = 0, split: Split = "seen") -> Swaps:
    """Draw the pairs of these numbers.

    Args:
        numbers: places in the endless list.
        seed: names the list.
        split: "seen" has the forms and materials of training, "held_out" only those that it never saw.
    """
    sequence, first = _sequence(seed, split), [number * _BLOCK for number in numbers]
    structure = sample_scenes(sequence, first, split)
    texture = sample_scenes(sequence, _partners(structure, sequence, first, split), split)
    other = _of_same_material(structure, sequence, [place + _BLOCK - 1 for place in first], split)
    strength = np.array([STRENGTHS[number % len(STRENGTHS)] for number in numbers], dtype=np.float32)
    return Swaps(tuple(numbers), structure, texture, other, strength)


def render_swaps(swaps: Swaps, size: int) -> dict[str, Pixels]:
    """The pictures by role [N, size, size, 3]: structure, texture, truth, other, between."""
    own, stuff = swaps.structure.structure, swaps.structure.texture
    return {
        "structure": render(own, stuff, size),
        "texture": render(swaps.texture.structure, swaps.texture.texture, size),
        "truth": render(own, swaps.texture.texture, size),
        "other": render(swaps.other.structure, swaps.other.texture, size),
        "between": render(own, _between(stuff, swaps.other.texture, swaps.strength), size),
    }


def _sequence(seed: int, split: Split) -> int:
    """The number of a sequence, far from the small ones that people give to trainings."""
    name = f"swapae synthetic benchmark {BENCHMARK_VERSION} {split} {seed}"
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")


def _partners(structure: Scene, sequence: int, first: Sequence[int], split: Split) -> list[int]:
    """For each scene the first place of its block whose form and material both differ."""
    found = [-1] * len(first)
    for step in range(1, _BLOCK - 1):
        rows = [row for row, place in enumerate(found) if place < 0]
        if not rows:
            return found
        candidates = sample_scenes(sequence, [first[row] + step for row in rows], split)
        differs = (candidates.structure.form != structure.structure.form[rows]) & (
            candidates.texture.material != structure.texture.material[rows]
        )
        for row, is_partner in zip(rows, differs, strict=True):
            found[row] = first[row] + step if is_partner else -1
    if -1 in found:
        raise RuntimeError(f"pair {first[found.index(-1)] // _BLOCK} found no partner in {_BLOCK} draws.")
    return found


def _of_same_material(structure: Scene, sequence: int, places: Sequence[int], split: Split) -> Scene:
    """Scenes at these places whose materials are those of the structure scenes."""
    parts = [
        sample_scenes(sequence, [place], split, materials=[MATERIALS[kind]])
        for place, kind in zip(places, structure.texture.material, strict=True)
    ]
    structures, textures = [part.structure for part in parts], [part.texture for part in parts]
    return Scene(type(structures[0]).cat(structures), type(textures[0]).cat(textures))


def _between(a: Texture, b: Texture, strength: Array) -> Texture:
    rows = [blend(a[[i]], b[[i]], float(s)) for i, s in enumerate(strength)]
    return Texture.cat(rows)
