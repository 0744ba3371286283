"""Where the parts of a network lie, told by the names of its tensors alone.

A block is numbered from one end of its network, which says nothing of where it works: the first block of a
discriminator halves maps of 256² in one network, and of 512² in another. Its place does: so many halvings
below the image, so many doublings above the structure code, at maps of so many pixels. Published checkpoints
name blocks so too (model-spec §5, §8.2).
"""

import re
from collections.abc import Callable, Iterable, Mapping

Parts = dict[str, dict[str, str]]  # part, by its place → name of a tensor within it → its full name

NUMBERED = {
    "encoder": re.compile(r"(down_to_structure|at_structure|down_to_texture)\.(\d+)\."),
    "generator": re.compile(r"(head|up)\.(\d+)\."),
    "discriminator": re.compile(r"(blocks)\.(\d+)\."),
    "patch_discriminator": re.compile(r"(blocks)\.(\d+)\."),
}  # the blocks, each a part of its own


def parts(network: str, names: Iterable[str]) -> Parts:
    """Group the tensors of a network into parts, each called by its place in the network."""
    matches = {name: NUMBERED[network].match(name) for name in names}
    counts: dict[str, int] = {}
    for block in filter(None, matches.values()):
        counts[block[1]] = max(counts.get(block[1], 0), int(block[2]) + 1)
    found: Parts = {}
    for name, match in matches.items():
        stem, _, inner = name.partition(".")
        place = _PLACES[network](stem, int(match[2]) if match else 0, counts)
        found.setdefault(place, {})[name[match.end() :] if match else inner] = name
    return found


def _in_encoder(stem: str, i: int, counts: Mapping[str, int]) -> str:
    """Count halvings below the image."""
    if stem == "at_structure":
        return f"structure block {i + 1} of {counts[stem]}"
    structure, texture = counts.get("down_to_structure", 0), counts.get("down_to_texture", 0)
    halvings = {
        "down_to_structure": i,
        "to_structure": structure,
        "down_to_texture": structure + i,
        "to_texture": structure + texture,
    }
    return f"{stem} at 1/{2 ** halvings[stem]}" if stem in halvings else stem


def _in_generator(stem: str, i: int, counts: Mapping[str, int]) -> str:
    """Count doublings above the structure code."""
    if stem == "head":
        return f"head block {i + 1} of {counts['head']}"
    places = {"up": i, "to_rgb": counts.get("up", 0)}
    return f"{stem} from ×{2 ** places[stem]}" if stem in places else stem


def _in_discriminator(stem: str, i: int, counts: Mapping[str, int]) -> str:
    """Name the maps that a block halves; the last one halves those of 8 × 8."""
    top = counts.get("blocks", 0) + 2
    return _at_maps(stem, i, top)


def _in_patch_discriminator(stem: str, i: int, counts: Mapping[str, int]) -> str:
    """Name the maps that a block takes; the last one keeps those of 4 × 4 as they are."""
    return _at_maps(stem, i, counts.get("blocks", 0) + 1)


def _at_maps(stem: str, i: int, top: int) -> str:
    """The first layer belongs to the largest maps: images of another size get a new one."""
    names = {"blocks": "block", "from_rgb": "from_rgb"}
    return f"{names[stem]} at {2 ** (top - i)}²" if stem in names else stem


_PLACES: dict[str, Callable[[str, int, Mapping[str, int]], str]] = {
    "encoder": _in_encoder,
    "generator": _in_generator,
    "discriminator": _in_discriminator,
    "patch_discriminator": _in_patch_discriminator,
}
