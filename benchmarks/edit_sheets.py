"""Pictures of every edit by the models in the box, beside the truth where one can be rendered.

    python -m benchmarks.edit_sheets [-o docs/images] [-m synthetic64]

It writes edits_*.webp, which docs/editing.md shows, in about a minute of one core. Run it again when the
weights of a model in the box change. Beside rows of truth stand decibels: the peak signal-to-noise ratio of
the edited pictures to the true ones, and that of the picture left as it is.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from benchmarks.edit_cells import gray, mixed_textures, named, near, photo, pil
from benchmarks.edit_scenes import (
    SIZE,
    between,
    clothed,
    grown,
    lit,
    pictures,
    spun,
    tensors,
    with_attribute,
)
from swapae import Codes, SwappingAutoencoder, gallery
from swapae.cli.exhibit import beside, enlarged, labelled, stacked
from swapae.data.synthetic import Scene, blend, sample_scenes, silhouette
from swapae.editing import (
    Layer,
    apply,
    attribute,
    click_mask,
    interpolate,
    joined,
    kept_outside,
    mix,
    painted,
    place_at,
    principal,
    pushed,
    refine,
    region_mask,
    transplanted,
)
from swapae.editing.directions import Kind
from swapae.images import save_image, to_pil
from swapae.sheet import captioned
from swapae.video import Frame, Look, edited_frames

SEED = 20_251_126  # of scenes that no training draws
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
NUM_FITTED = 256  # pictures in which principal directions are found
NUM_GROUP = 24  # pictures of a group
THRESHOLD = 0.4  # of a click, in structures beside their mean
QUALITY = 88

ATTRIBUTES: tuple[tuple[str, Kind, tuple[float, float], str], ...] = (
    ("warm", "texture", (-1.0, 1.0), "cool and warm light"),
    ("glossy", "texture", (0.0, 1.0), "matte and glossy"),
    ("big", "layout", (0.7, 1.05), "small and big"),
)


@dataclass(frozen=True, eq=False)
class Desk:
    """A model, and how it turns codes into what sheets are made of."""

    model: SwappingAutoencoder

    def codes(self, scene: Scene) -> Codes:
        return self.model.encode(tensors(pictures(scene.structure, scene.texture)))

    def shown(self, *codes: Codes) -> list[Image.Image]:
        made = torch.cat([self.model.decode(one) for one in codes])
        return [to_pil(image.numpy()) for image in made.float().cpu()]

    @property
    def stride(self) -> int:
        return self.model.config.stride


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/images"))
    parser.add_argument("-m", "--model", default="synthetic64", help="of the generated domain")
    parser.add_argument("--photos", default="clothing", help="a model whose gallery is of photos")
    parser.add_argument("--only", nargs="*", choices=list(SHEETS), default=list(SHEETS))
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    desk = Desk(SwappingAutoencoder.from_pretrained(options.model, device="cpu"))
    total = 0
    for name in options.only:
        sheet = clothing(options.photos) if name == "clothing" else SHEETS[name](desk)
        file = options.out / f"edits_{name}.webp"
        save_image(sheet, file, force=True, quality=QUALITY)
        total += file.stat().st_size
        print(f"{file}: {sheet.width}x{sheet.height}, {file.stat().st_size / 1024:.0f} kB", flush=True)
    print(f"{total / 1024:.0f} kB in all")


def scene(number: int, form: str, material: str) -> Scene:
    """A scene of a form and a material; others of the same number have the same other draws."""
    return sample_scenes(SEED, [number], forms=[form], materials=[material])


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────


def interpolation(desk: Desk) -> Image.Image:
    """Texture and structure on the way to another's, and past it, beside the true ways."""
    a, b = scene(0, "vase", "stripes"), scene(5, "vase", "stripes")
    own, other = desk.codes(a), desk.codes(b)
    made = desk.shown(*(interpolate(own, other, texture=t) for t in STEPS))
    true = [photo(a.structure, blend(a.texture, b.texture, t)) for t in STEPS[:5]]
    far = grown(lit(a.structure, 0.3), 0.72)
    far = type(far)(**{**far.__dict__, "place": far.place + np.float32([[0.28, 0.1]])})
    there = desk.codes(Scene(far, a.texture))
    moved = desk.shown(*(interpolate(own, there, structure=t, texture=0.0) for t in STEPS[:5]))
    ways = [photo(between(a.structure, far, t), a.texture) for t in STEPS[:5]]
    return stacked(
        [
            captioned(labelled(made, STEPS), "texture, from its own (0) to another's (1), and past it"),
            captioned(enlarged([true]), f"the true way, rendered: {near(made, true, made[:1])}"),
            captioned(labelled(moved, STEPS[:5]), "structure: place, size and light, from one to another"),
            captioned(enlarged([ways]), f"the true way, rendered: {near(moved, ways, moved[:1])}"),
        ]
    )


def mixes(desk: Desk) -> Image.Image:
    """Textures mixed by weights, beside the true mixes; a swap of the mix."""
    own = scene(1, "twisted_box", "tartan")
    others = [scene(number, "sphere", "tartan") for number in (2, 3, 4)]
    parts = [desk.codes(one) for one in (own, *others)]
    weights = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 1, 1))
    made = desk.shown(*(mix(parts, textures=[0, *share]) for share in weights))
    true = [photo(own.structure, mixed_textures([one.texture for one in others], share)) for share in weights]
    given = [photo(one.structure, one.texture) for one in (own, *others)]
    words = [" : ".join(f"{w}" for w in share) for share in weights]
    return stacked(
        [
            captioned(enlarged([given]), "the structure, and three textures"),
            captioned(named(made, words), "mixed by weights"),
            captioned(
                enlarged([true]), f"the true mixes, rendered: {near(made, true, desk.shown(parts[0]))}"
            ),
        ]
    )


def directions(desk: Desk) -> Image.Image:
    """Principal directions, found without labels, and attributes of two groups beside the truth."""
    fitted = sample_scenes(SEED + 2, range(NUM_FITTED))
    codes = [
        desk.codes(Scene(fitted.structure[i : i + 64], fitted.texture[i : i + 64]))
        for i in range(0, NUM_FITTED, 64)
    ]
    own = desk.codes(scene(6, "capsule", "marble"))
    rows = []
    for direction in principal(codes, ["texture", "structure"], num=3):
        made = desk.shown(*(apply(own, direction, strength) for strength in STRENGTHS))
        rows.append(captioned(labelled(made, STRENGTHS), f"{direction.name}, by strength"))
    return beside([stacked(rows[:3]), stacked(rows[3:])])


def attributes(desk: Desk) -> Image.Image:
    """Attributes of two groups of pictures, alike in all else, beside what they should do."""
    rows = []
    drawn = sample_scenes(SEED + 3, range(NUM_GROUP))
    start = scene(7, "torus", "lacquer")
    shares = (-1.5, -0.5, -0.25, 0.0, 0.25, 0.5, 1.5)
    blank = Image.new("RGB", (SIZE, SIZE), "white")  # there is no truth at the ends
    for name, kind, ends, words in ATTRIBUTES:
        groups = [
            desk.codes(Scene(*with_attribute(drawn.structure, drawn.texture, name, end))) for end in ends
        ]
        direction = attribute(name, toward=[groups[1]], away=[groups[0]], kind=kind)
        gap = direction.gap or 1.0
        values = [sum(ends) / 2 + share * (ends[1] - ends[0]) for share in shares]
        scenes = [with_attribute(start.structure, start.texture, name, value) for value in values[1:-1]]
        own = desk.codes(Scene(*scenes[2]))
        made = desk.shown(*(apply(own, direction, share * gap) for share in shares))
        true = [photo(*one) for one in scenes]
        told = near(made[1:-1], true, made[3:4])
        rows += [
            captioned(labelled(made, shares), f"{words}: by shares of the way between the groups"),
            captioned(enlarged([[blank, *true, blank]]), f"the true way, rendered: {told}"),
        ]
    return stacked(rows)


def regions(desk: Desk) -> Image.Image:
    """A texture painted through a mask, a region pushed, and a mask of one click, beside the truth."""
    own, stuff = scene(8, "cushion", "granite"), scene(9, "sphere", "zebra")
    codes, other = desk.codes(own), desk.codes(stuff)
    cover = torch.from_numpy(silhouette(own.structure, SIZE))[:, None]
    region = region_mask(cover, codes, desk.stride)
    made = desk.model.decode(painted(codes, [Layer(other.texture, region)]))
    plain = desk.model.decode(codes)
    pixels = region_mask(cover, codes, desk.stride, detail=desk.stride)
    kept = kept_outside(plain, made, pixels)
    true = photo(own.structure, clothed(own.texture, stuff.texture))
    cells = [
        photo(own.structure, own.texture),
        photo(stuff.structure, stuff.texture),
        gray(cover),
        *pil(plain, kept),
        true,
    ]
    words = ["image", "texture", "mask", "the model's image", "painted", "truth, rendered"]
    paint = captioned(named(cells, words), f"paint: {near([cells[4]], [true], [cells[3]])}")

    fitted = sample_scenes(SEED + 2, range(128))
    along = principal([desk.codes(fitted)], ["structure"], num=1)[0]
    half = torch.zeros(1, 1, SIZE, SIZE)
    half[..., : SIZE // 2] = 1
    mask = region_mask(half, codes, desk.stride, feather=6)
    ways = [pushed(codes, along.vector * along.sigma, strength, mask) for strength in (-3, -1.5, 1.5, 3)]
    push = captioned(
        named([gray(half), *desk.shown(*ways)], ["mask", "-3", "-1.5", "1.5", "3"]),
        f"{along.name} pushed in the left half, feathered",
    )
    clicks, told = [], []
    for number, form in ((10, "vase"), (11, "hex_prism"), (12, "torus")):
        cells, overlap = _clicked(desk, scene(number, form, "rust"))
        clicks += cells
        told += ["image", f"overlap {overlap:.2f}", "truth"]
    click = captioned(named(clicks, told), f"a mask by one click, centered, threshold {THRESHOLD}")
    return stacked([paint, push, click])


def _clicked(desk: Desk, one: Scene) -> tuple[list[Image.Image], float]:
    """An image with a dot, the mask of a click there, the true outline; and how far the two overlap."""
    codes = desk.codes(one)
    cover = silhouette(one.structure, SIZE)[0]
    y, x = (int(v) for v in np.argwhere(cover == 1)[int((cover == 1).sum()) // 2])
    place = place_at(x, y, codes, desk.stride)
    true = torch.from_numpy(cover)[None, None] > 0.5
    found = click_mask(codes, place, THRESHOLD, connected_only=True, centered=True)
    inside = torch.nn.functional.interpolate(found, size=SIZE) > 0.5
    overlap = ((inside & true).sum() / (inside | true).sum()).item()
    dotted = photo(one.structure, one.texture)
    ImageDraw.Draw(dotted).ellipse((x - 2, y - 2, x + 2, y + 2), fill=(255, 40, 40), outline=(255, 255, 255))
    return [dotted, gray(found), gray(true.float())], overlap


def photos(desk: Desk) -> Image.Image:
    """Two pictures in one, and codes refined."""
    a, b = scene(13, "star_prism", "honeycomb"), scene(14, "mushroom", "crackle")
    one, two = desk.codes(a), desk.codes(b)
    wide = desk.shown(joined(one, two, desk.stride, overlap=6))[0]
    cover = region_mask(torch.from_numpy(silhouette(b.structure, SIZE))[:, None], two, desk.stride, feather=4)
    put = desk.shown(transplanted(one, two, cover), transplanted(one, two, cover, with_texture=True))
    given = [photo(one.structure, one.texture) for one in (a, b)]
    pair = beside(
        [
            captioned(enlarged([given]), "two images"),
            captioned(
                wide.resize((wide.width * 3 // 2, wide.height * 3 // 2), Image.Resampling.BICUBIC), "joined"
            ),
            captioned(named(put, ["layout", "with texture"]), "the second's thing in the first"),
        ]
    )
    hard = tensors(pictures(a.structure, a.texture))
    steps = {name: refine(desk.model, hard, quality=name) for name in ("draft", "normal")}
    start = steps["draft"]
    made = [
        *pil(hard, desk.model.decode(desk.model.encode(hard))),
        *desk.shown(*(s.codes for s in steps.values())),
    ]
    words = ["image", f"encoder {start.start.item():.3f}"]
    words += [f"{name} {found.error.item():.3f}" for name, found in steps.items()]
    return stacked([pair, captioned(named(made, words), "refined codes, with their error")])


def film(desk: Desk) -> Image.Image:
    """Frames of a video, beside the true ones."""
    a, b = scene(15, "hex_prism", "checker"), scene(16, "sphere", "terrazzo")
    turns = [0.25 * i / 24 for i in range(24)]
    taken = [photo(spun(a.structure, t), a.texture) for t in turns]
    texture = desk.codes(b).texture
    frames = (Frame(one, Fraction(i, 24), Fraction(1, 24)) for i, one in enumerate(taken))
    made = [frame.picture for frame in edited_frames(desk.model, frames, Look([texture]))]
    true = [photo(spun(a.structure, t), b.texture) for t in turns]
    some = range(0, 24, 4)
    rows = {
        "frames of a video: a thing that turns": taken,
        "with the texture of another picture": made,
        f"the true video, rendered: {near(made, true, taken)}": true,
    }
    return stacked(
        [beside([captioned(enlarged([[photo(b.structure, b.texture)]]), "texture")])]
        + [captioned(enlarged([[film[i] for i in some]]), words) for words, film in rows.items()]
    )


def clothing(name: str) -> Image.Image:
    """The same edits on photos, where nobody knows the truth."""
    desk = Desk(SwappingAutoencoder.from_pretrained(name, device="cpu"))
    samples = list(gallery(name).values())
    every = [sample.codes(desk.model) for sample in samples]
    a, b, c = every[0], every[4], every[8]
    middle = place_at(a.size[1] // 2, a.size[0] // 2, a, desk.stride)
    region = click_mask(a, middle, THRESHOLD, connected_only=True, centered=True)
    steps = (0.0, 0.5, 1.0, 1.5)
    rows = {
        "texture, and past it": (desk.shown(*(interpolate(a, b, texture=t) for t in steps)), steps),
        "structure": (desk.shown(*(interpolate(a, b, structure=t, texture=0.0) for t in steps)), steps),
        "another's texture, and past it": (desk.shown(*(interpolate(c, a, texture=t) for t in steps)), steps),
    }
    parts = [captioned(labelled(*row), words) for words, row in rows.items()]
    some = [
        *desk.shown(a, b),
        gray(region),
        *desk.shown(painted(a, [Layer(b.texture, region)]), mix([a, b, c], [1, 1, 1])),
    ]
    words = ["image", "texture", "click", "painted", "three mixed"]
    return stacked(
        [beside(parts), captioned(named(some, words), "painted through the mask of one click; mixed")]
    )


SHEETS: dict[str, Callable[[Desk], Image.Image]] = {
    "interpolation": interpolation,
    "mixes": mixes,
    "directions": directions,
    "attributes": attributes,
    "regions": regions,
    "photos": photos,
    "video": film,
    "clothing": lambda desk: clothing("clothing"),
}


if __name__ == "__main__":
    main()
