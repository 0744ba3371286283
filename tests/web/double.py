"""A studio without a model, that does as it is told: what the server's tests hand to its worker process."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from swapae.errors import UserError
from swapae.web.errors import UnknownId
from swapae.web.schemas import (
    ClickRequest,
    DirectionInfo,
    ImageInfo,
    MaskInfo,
    ModelInfo,
    NewDirection,
    OpenedRecipe,
    Recipe,
    Rendered,
    RenderRequest,
    SaveRequest,
)

WEBP = b"RIFF\x00\x00\x00\x00WEBP"
# What a render does, by the `seed` of its recipe.
CRASH, SLEEP, SPIN, FAIL, REFUSE, MEMORY = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True)
class Making:
    """Makes a double in the worker's process."""

    seconds: float = 0.0  # of loading
    render: float = 0.0  # of a render
    refusal: str = ""
    exits: bool = False

    def __call__(self) -> "Double":
        """Load nothing, for a while."""
        time.sleep(self.seconds)
        if self.refusal:
            raise UserError(self.refusal)
        if self.exits:
            os._exit(3)
        return Double(self.render)


@dataclass
class Double:
    """Holds images by their content, and counts."""

    render_seconds: float = 0.0
    images: dict[str, ImageInfo] = field(default_factory=dict)
    masks: dict[str, MaskInfo] = field(default_factory=dict)
    own: dict[str, DirectionInfo] = field(default_factory=dict)

    def about(self) -> ModelInfo:
        return ModelInfo(
            name="double",
            title="Double",
            size=64,
            multiple=4,
            places=[16, 16],
            max_side=256,
            structure_channels=8,
            texture_channels=16,
            has_click=True,
            has_noise=True,
            device="cpu",
            backend="torch",
            card="",
            fingerprint="0" * 64,
        )

    def gallery(self) -> list[ImageInfo]:
        return [self._kept(np.full((4, 6, 3), 7, np.uint8))]

    def add_image(self, pixels: np.ndarray) -> ImageInfo:
        return self._kept(pixels)

    def _kept(self, pixels: np.ndarray) -> ImageInfo:
        key = sha256(pixels.tobytes()).hexdigest()
        self.images[key] = ImageInfo(id=key, width=pixels.shape[1], height=pixels.shape[0], sha256=key)
        return self.images[key]

    def _check(self, ids: Sequence[str]) -> None:
        for one in ids:
            if one not in self.images and one not in self.masks:
                raise UnknownId(one, f"there is no image {one[:8]}.")

    def forget_image(self, id: str) -> None:
        self._check([id])
        del self.images[id]

    def thumbnail(self, id: str) -> bytes:
        self._check([id])
        return WEBP + id.encode()

    def add_mask(self, pixels: np.ndarray) -> MaskInfo:
        key = sha256(b"mask" + pixels.tobytes()).hexdigest()
        self.masks[key] = MaskInfo(id=key, width=pixels.shape[1], height=pixels.shape[0])
        return self.masks[key]

    def mask(self, id: str) -> bytes:
        self._check([id])
        return b"PNG" + id.encode()

    def click_mask(self, request: ClickRequest) -> tuple[MaskInfo, bytes]:
        self._check([request.image])
        return self.add_mask(np.zeros((3, 5), np.uint8)), b"PNG"

    def render(self, request: RenderRequest) -> Rendered:
        recipe = request.recipe
        self._check([part.image for part in (*recipe.structures, *recipe.textures)])
        self._check([layer.mask for layer in recipe.layers])
        for move in recipe.directions:
            if move.name not in self.own:
                raise UnknownId(move.name, f"there is no direction {move.name}.")
        start = time.monotonic()
        self._behave(recipe.seed)
        time.sleep(self.render_seconds)
        return Rendered(WEBP + b"picture", "image/webp", 6, 4, time.monotonic() - start)

    def _behave(self, seed: int | None) -> None:
        if seed == CRASH:
            os._exit(9)
        if seed == SLEEP:
            time.sleep(60)
        while seed == SPIN:  # swallows what should stop it
            try:
                time.sleep(60)
            except BaseException:
                pass
        if seed == FAIL:
            raise RuntimeError("secret of the inside")
        if seed == REFUSE:
            raise UserError("a sentence of the studio.")
        if seed == MEMORY:
            raise MemoryError

    def save(self, request: SaveRequest) -> bytes:
        return b"\x89PNG" + self.render(RenderRequest(recipe=request.recipe)).data

    def open_recipe(self, png: bytes) -> OpenedRecipe:
        raise UserError("the file carries no recipe.")

    def directions(self) -> list[DirectionInfo]:
        return list(self.own.values())

    def make_direction(self, request: NewDirection) -> DirectionInfo:
        self._check([*request.toward, *request.away])
        made = DirectionInfo(
            name=request.name,
            of=request.of,
            kind="attribute",
            sigma_degrees=1.0,
            images=2,
            share=None,
            apart=1.0,
            own=True,
        )
        self.own[request.name] = made
        return made

    def forget_direction(self, name: str) -> None:
        if self.own.pop(name, None) is None:
            raise UnknownId(name, f"there is no direction {name}.")

    def direction_file(self, name: str) -> bytes:
        if name not in self.own:
            raise UnknownId(name, f"there is no direction {name}.")
        return name.encode()

    def load_directions(self, data: bytes) -> list[DirectionInfo]:
        raise UserError("the file holds no directions.")


def recipe(image: str, seed: int | None = None, **more: object) -> dict[str, object]:
    """A request to render an image."""
    return {
        "recipe": Recipe.model_validate({"structures": [{"image": image}], "seed": seed, **more}).model_dump()
    }
