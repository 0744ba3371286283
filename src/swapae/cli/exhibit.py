"""What a model does with the samples of its gallery, in pictures: swaps, mixes, edits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image, fromarray
from torch import Tensor

from swapae.codes import Codes, paired
from swapae.editing import interpolate, mix
from swapae.errors import UserError
from swapae.galleries import Sample
from swapae.images import WHITE, grid, resize, to_array, to_pil
from swapae.model import SwappingAutoencoder
from swapae.sheet import Sheet, captioned

CELL = 96  # pixels of a picture on a page, at least
GAP = 12  # pixels between parts of a page
NUM_STRUCTURES, NUM_TEXTURES, NUM_WITH_TRUTH = 5, 11, 5
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
STRENGTHS = (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
GAINS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
NUM_NEEDED = 12

Cells = Sequence[Image | None]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A model and a gallery of `NUM_NEEDED` samples, encoded once.

    - samples: of the gallery.
    - shown: each as a picture.
    - codes: of all of them.
    """

    model: SwappingAutoencoder
    samples: Sequence[Sample]
    shown: Sequence[Image]
    codes: Codes

    @classmethod
    def of(cls, model: SwappingAutoencoder, samples: Sequence[Sample]) -> "Exhibit":
        """Encode, or decode, what there is.

        Raises:
            UserError: the samples are too few.
        """
        if len(samples) < NUM_NEEDED:
            raise UserError(
                f"the gallery has {len(samples)} samples, {NUM_NEEDED} are needed to show a model."
            )
        codes = Codes.cat([sample.codes(model) for sample in samples])
        return cls(model, samples, [sample.show(model) for sample in samples], codes)

    def pages(self) -> dict[str, Image]:
        """All pages by name; `overview` has them together."""
        swaps, morphs, corners, edit = self.swaps(), self.morphs(), self.corners(), self.edit()
        overview = stacked([swaps, beside([stacked([morphs, edit]), corners])])
        return {
            "swaps": swaps,
            "mix": beside([morphs, corners]),
            "edit": edit,
            "overview": overview,
        }

    # ---- pages

    def swaps(self) -> Image:
        """Structures × textures by the model and, where it is known, as they truly are."""
        has_truth = true_swaps(self.samples[:1], self.samples[:1]) is not None
        num_textures = NUM_WITH_TRUTH if has_truth else NUM_TEXTURES
        first = NUM_STRUCTURES if has_truth else NUM_NEEDED - NUM_TEXTURES
        rows, columns = range(NUM_STRUCTURES), range(first, first + num_textures)
        header: Cells = [None, *(self.shown[column] for column in columns)]
        textures = self.codes.texture[list(columns)]
        made = [[self.shown[row], *self.decoded([paired(self.codes[row], textures)])] for row in rows]
        text = "rows keep their structure (left), columns give their texture (top)"
        text += "" if has_truth else "; the same on both sides is its reconstruction"
        page = captioned(enlarged([header, *made]), text)
        swaps = true_swaps([self.samples[i] for i in rows], [self.samples[i] for i in columns])
        if swaps is None:
            return page
        true = [[self.shown[row], *swaps[row]] for row in rows]
        return beside([page, captioned(enlarged([header, *true]), "the true swaps, rendered")])

    def morphs(self) -> Image:
        """A strip along which the texture changes, and one along which the structure does."""
        a, b = 1, self.farthest(1)
        one, other = self.codes[a], self.codes[b]
        textures = [interpolate(one, other, texture=step, path="line") for step in STEPS]
        structures = [interpolate(one, other, structure=step, texture=0, path="line") for step in STEPS]
        strips = {
            "one structure, from its own texture to another": self.decoded(textures),
            "one texture, from its own structure to another": self.decoded(structures),
        }
        rows = ([self.shown[a], *pictures, self.shown[b]] for pictures in strips.values())
        return stacked([captioned(enlarged([row]), text) for text, row in zip(strips, rows, strict=True)])

    def corners(self) -> Image:
        """One structure in four textures, one in each corner, mixed by weights between them."""
        four = [5, 6, 7, 8]
        shares = [(1 - y, y, 1 - x, x) for y in STEPS for x in STEPS]
        weights = [[top * left, top * right, low * left, low * right] for top, low, left, right in shares]
        parts = [self.codes[i] for i in four]
        mixed = [mix(parts, textures=some, path="line") for some in weights]
        made = self.decoded([paired(self.codes[0], one.texture) for one in mixed])
        rows = [made[i : i + len(STEPS)] for i in range(0, len(made), len(STEPS))]
        return captioned(enlarged(rows), "one structure, four textures mixed by weights")

    def edit(self) -> Image:
        """A texture more or less strongly; and all that the gallery knows of warm and cool colours."""
        own, other, warmed = self.codes[2], self.codes[self.farthest(2)], self.codes[3]
        strong = [interpolate(own, other, texture=amount, path="line") for amount in STRENGTHS]
        warmth = self.warmth()
        moved = [paired(warmed, warmed.texture + gain * warmth) for gain in GAINS]
        strips = {
            "how strongly another texture is taken": (self.decoded(strong), STRENGTHS),
            "cooler and warmer: a direction found in the gallery": (self.decoded(moved), GAINS),
        }
        return stacked([captioned(labelled(*strip), words) for words, strip in strips.items()])

    # ---- their parts

    def decoded(self, parts: Sequence[Codes]) -> list[Image]:
        """Decode several codes at once."""
        images = self.model.decode(Codes.cat(parts))
        return [to_pil(image) for image in images.float().cpu().numpy()]

    def farthest(self, which: int) -> int:
        """The sample whose texture differs most from that of one."""
        textures = self.codes.texture
        return int((textures - textures[[which]]).norm(dim=1).argmax())

    def warmth(self) -> Tensor:
        """The direction from cool to warm textures `[1, C]`: a third of the gallery minus another third."""
        order = np.argsort([_warmth(picture) for picture in self.shown], kind="stable").tolist()
        third = len(order) // 3
        warm, cool = self.codes.texture[order[-third:]], self.codes.texture[order[:third]]
        return warm.mean(0, keepdim=True) - cool.mean(0, keepdim=True)


def true_swaps(structures: Sequence[Sample], textures: Sequence[Sample]) -> list[list[Image]] | None:
    """Render every structure in every texture; None where samples are not of this program's generator."""
    from swapae.data.synthetic import VERSION, render, sample_scenes, structure_of, texture_of

    everyone = [*structures, *textures]
    widths = [one.picture.width for one in everyone if one.picture is not None]
    if len(widths) < len(everyone) or any(one.source.get("generator") != VERSION for one in everyone):
        return None
    scenes = [sample_scenes(_number(one, "seed"), [_number(one, "index")]) for one in everyone]
    forms = [structure_of(scene) for scene in scenes[: len(structures)]]
    stuffs = [texture_of(scene) for scene in scenes[len(structures) :]]
    return [[fromarray(render(form, stuff, widths[0])[0]) for stuff in stuffs] for form in forms]


def _number(sample: Sample, key: str) -> int:
    return int(str(sample.source[key]))


def _warmth(picture: Image) -> float:
    """How much redder than blue a picture is, on the average."""
    array = to_array(picture)
    return float(array[0].mean() - array[2].mean())


def enlarged(rows: Sequence[Cells]) -> Image:
    """Lay out square pictures, no smaller than `CELL`."""
    return grid([[None if cell is None else _enlarged(cell) for cell in row] for row in rows])


def labelled(cells: Sequence[Image], numbers: Sequence[float]) -> Image:
    """Lay out a row, with a number above each picture."""
    pairs = zip(cells, numbers, strict=True)
    return grid([[captioned(_enlarged(cell), f"{number:g}", 11) for cell, number in pairs]])


def _enlarged(picture: Image) -> Image:
    side = max(CELL, picture.width)
    return resize(picture, (side, side))


def stacked(parts: Sequence[Image]) -> Image:
    """Put pictures below each other, at the left."""
    width = max(part.width for part in parts)
    return grid([[_filled(part, width, part.height)] for part in parts], gap=GAP)


def beside(parts: Sequence[Image]) -> Image:
    """Put pictures beside each other, at the top."""
    height = max(part.height for part in parts)
    return grid([[_filled(part, part.width, height) for part in parts]], gap=GAP)


def _filled(picture: Image, width: int, height: int) -> Image:
    """The picture with white to its right and below."""
    sheet = Sheet([picture.width, width - picture.width], [picture.height, height - picture.height], 0, WHITE)
    sheet.paste_row(0, [picture])
    return sheet.image
