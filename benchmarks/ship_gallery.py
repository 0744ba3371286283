"""A dozen samples for a model in the box: renders that no training draws, or codes of validation photos."""

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.data.source import Source
from swapae.data.synthetic import FORMS, MATERIALS, VERSION, render, sample_scenes
from swapae.errors import UserError
from swapae.evaluation.photos import Photos
from swapae.files import write_text
from swapae.galleries import CODES, FORMAT, LIST
from swapae.images import save_image
from swapae.metrics.lpips import LPIPS
from swapae.model import SwappingAutoencoder

NUM_SAMPLES = 12
MOST_DRAWS = 2000
BATCH = 32

Entry = dict[str, object]


# ── rendered ─────────────────────────────────────────────────────────────────────────────────────


def write_rendered(folder: Path, size: int, name: str, first: Sequence[str] = ()) -> list[Entry]:
    """Write the first scenes of a sequence of their own whose forms and materials all differ, as PNGs.

    The samples named `first` come first.
    """
    seed = sequence_of(name)
    entries: list[Entry] = []
    for index in different(seed, NUM_SAMPLES):
        scene = sample_scenes(seed, [index])
        form, material = FORMS[scene.structure.form[0]], MATERIALS[scene.texture.material[0]]
        file = f"{form}-{material}.png".replace("_", "-")
        save_image(Image.fromarray(render(scene.structure, scene.texture, size)[0]), folder / file)
        about = f"{form}, {material}".replace("_", " ")
        source = {"generator": VERSION, "seed": seed, "index": index, "form": form, "material": material}
        entries.append({"name": file.removesuffix(".png"), "about": about, "file": file, "source": source})
    entries = put_first(entries, first)
    write_list(folder, entries)
    return entries


def sequence_of(name: str) -> int:
    """Name a sequence of scenes, far from the small numbers that people give to trainings."""
    return int.from_bytes(sha256(f"swapae gallery {name}".encode()).digest()[:8], "big")


def different(seed: int, count: int) -> list[int]:
    """The first places of a sequence where neither form nor material has been seen before."""
    forms: set[int] = set()
    materials: set[int] = set()
    found: list[int] = []
    for start in range(0, MOST_DRAWS, BATCH):
        scenes = sample_scenes(seed, range(start, start + BATCH))
        kinds = zip(scenes.structure.form.tolist(), scenes.texture.material.tolist(), strict=True)
        for index, (form, material) in enumerate(kinds, start):
            if form not in forms and material not in materials and len(found) < count:
                forms.add(form)
                materials.add(material)
                found.append(index)
        if len(found) == count:
            return found
    raise RuntimeError(f"{MOST_DRAWS} scenes hold no {count} that differ in form and material.")


# ── codes of photos ──────────────────────────────────────────────────────────────────────────────


def write_codes(
    folder: Path,
    size: int,
    model: SwappingAutoencoder,
    source: Source,
    lpips: LPIPS,
    first: Sequence[str] = (),
) -> list[Entry]:
    """Write codes of photos that are well reconstructed and as different as can be, in half precision.

    Of each class (folder) the half with the smaller LPIPS is taken. Of these the best comes first, then
    always the one that is farthest, in both codes, from those that are there; of a class no more than
    its share. Then the samples named `first` are put before the others.
    """
    codes, errors, paths = measured(model, Photos.of(source, size), lpips)
    if len(paths) < 2 * NUM_SAMPLES:
        raise UserError(f"{source.name} has {len(paths)} usable photos; a gallery is chosen from 24 or more.")
    kinds = [Path(path).parent.name or "photo" for path in paths]
    better = torch.tensor(better_halves(errors.tolist(), kinds))
    shares = [kinds[number] for number in better.tolist()]
    chosen = better[spread(codes.structure[better], codes.texture[better], shares, NUM_SAMPLES)]
    Codes(codes.structure[chosen].half(), codes.texture[chosen].half(), codes.size).save(folder / CODES)
    entries: list[Entry] = []
    for place, number in enumerate(chosen.tolist()):
        kind = kinds[number]
        same = sum(str(entry["about"]) == kind for entry in entries)
        about = f"{kind}-{same + 1}" if same else kind
        origin = {"photo": "/".join(Path(paths[number]).parts[-2:]), "lpips": round(errors[number].item(), 4)}
        entries.append({"name": about, "about": kind, "place": place, "source": origin})
    entries = put_first(entries, first)
    write_list(folder, entries)
    return entries


def measured(model: SwappingAutoencoder, photos: Photos, lpips: LPIPS) -> tuple[Codes, Tensor, list[str]]:
    """Encode all photos: their codes, the LPIPS of their reconstructions `[N]`, and their paths."""
    codes: list[Codes] = []
    errors: list[Tensor] = []
    read = [(number, photos.read(number)) for number in photos.numbers]
    usable = [(number, image) for number, image in read if image is not None]
    for start in range(0, len(usable), BATCH):
        images = torch.stack([image for _, image in usable[start : start + BATCH]])
        codes.append(model.encode(images))
        made = model.decode(codes[-1]).clamp(-1, 1).float().cpu()
        with torch.no_grad():
            errors.append(lpips.distance(made, images))
    if not codes:
        raise UserError(f"{photos.source.name} has no image that can be read.")
    paths = getattr(photos.source, "paths", None)
    named = [str(paths[number]) if paths else f"{number:05}" for number, _ in usable]
    return Codes.cat(codes), torch.cat(errors), named


def better_halves(errors: Sequence[float], kinds: Sequence[str]) -> list[int]:
    """The places with the smaller errors, half of each kind, rounded up; the smallest error first."""
    found: list[int] = []
    for kind in dict.fromkeys(kinds):
        members = sorted((error, place) for place, error in enumerate(errors) if kinds[place] == kind)
        found += [place for _, place in members[: -(-len(members) // 2)]]
    return sorted(found, key=lambda place: (errors[place], place))


def spread(structure: Tensor, texture: Tensor, kinds: Sequence[str], count: int) -> Tensor:
    """Choose by farthest-point traversal, from the first on: places `[count]`.

    The distance is the sum of both codes' own, each in units of its mean over all pairs. A kind is full when
    it has `count` / number of kinds, rounded up; it goes on only when all are full.
    """
    most = -(-count // len(set(kinds)))
    distance = sum((_distances(codes.flatten(1)) for codes in (structure, texture)), torch.zeros(()))
    chosen = [0]
    while len(chosen) < count:
        nearest = distance[chosen].amin(dim=0)
        have = Counter(kinds[place] for place in chosen)
        is_full = torch.tensor([have[kind] >= most for kind in kinds])
        if not is_full.all():
            nearest = nearest.masked_fill(is_full, -1)
        nearest[chosen] = -2
        chosen.append(int(nearest.argmax()))
    return torch.tensor(chosen)


def _distances(codes: Tensor) -> Tensor:
    found = torch.cdist(codes.double(), codes.double())
    return found / found.mean().clamp_min(1e-12)


def put_first(entries: Sequence[Entry], pair: Sequence[str]) -> list[Entry]:
    """Put a pair before all others, for a page opens with the first two; those that are there, that is."""
    names = [*pair, *(str(entry["name"]) for entry in entries)]
    return sorted(entries, key=lambda entry: names.index(str(entry["name"])))


def write_list(folder: Path, entries: Sequence[Entry]) -> None:
    """Write what `swapae.gallery` reads."""
    listed = {"format": FORMAT, "samples": entries}
    write_text(folder / LIST, json.dumps(listed, indent=1, ensure_ascii=False) + "\n")
