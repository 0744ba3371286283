"""`Studio`: a model, what it has encoded, and all that a page can ask of it. It knows no HTTP."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from swapae.codes import Codes
from swapae.editing import Direction, attribute, click_mask, place_at
from swapae.editing.files import Maker
from swapae.errors import UserError
from swapae.galleries import Sample
from swapae.images import grid
from swapae.model import SwappingAutoencoder
from swapae.runtime.backends import BackendName
from swapae.web import carried
from swapae.web.about import About, about, directions_of, samples_of
from swapae.web.carried import SavedModel
from swapae.web.compose import Composer, with_strength
from swapae.web.held import held_picture, held_sample, image_info
from swapae.web.library import MEGABYTE, Library, Mask, Recent
from swapae.web.png import text_of, with_text
from swapae.web.render import Renderer, encoded, fitted
from swapae.web.schemas import (
    LONGEST_SIDE,
    ClickRequest,
    DirectionInfo,
    ImageInfo,
    MaskInfo,
    ModelInfo,
    NewDirection,
    OpenedRecipe,
    Rendered,
    RenderRequest,
    SaveRequest,
    StripRequest,
)
from swapae.web.shelf import Shelf
from swapae.weights import digest

LIBRARY = 512 * MEGABYTE
MAX_SIDE = 1024  # pixels
RESULTS = 32 * MEGABYTE  # of frames made lately


class Studio:
    """A model and its library.

    Args:
        model: that encodes and decodes.
        name: of the model.
        gallery: images that are there from the start, and stay.
        directions: those that the model brings along.
        max_library_bytes: of images and masks, without the gallery.
        max_side: of an image, in pixels; larger ones are made smaller.
        facts: what else is known of the model.
    """

    def __init__(
        self,
        model: SwappingAutoencoder,
        name: str,
        *,
        gallery: Mapping[str, Sample] | None = None,
        directions: Iterable[Direction] = (),
        max_library_bytes: int = LIBRARY,
        max_side: int = MAX_SIDE,
        facts: About | None = None,
    ) -> None:
        if not model.config.stride <= max_side <= LONGEST_SIDE:
            raise UserError(
                f"the longest side must be {model.config.stride} to {LONGEST_SIDE} pixels, not {max_side}."
            )
        model.codes_cache = None  # the library is one
        self.model, self.name, self.max_side = model, name, max_side
        self.facts = facts or About(name)
        self.fingerprint = digest(model.state_dict())
        self.library = Library(max_library_bytes)
        self.shelf = Shelf(Maker.of(model), directions)
        self._composer = Composer(model, self.library, self.shelf.named)
        self._renderer = Renderer(model, self._composer)
        self._results: Recent[Rendered] = Recent(RESULTS)
        samples = [held_sample(model, sample) for sample in (gallery or {}).values()]
        self._gallery = [key for held in samples for key in self.library.add(held)]

    @classmethod
    def open(
        cls,
        model: str,
        *,
        device: str = "auto",
        backend: BackendName = "torch",
        directions: Sequence[str | Path] = (),
        max_library_bytes: int = LIBRARY,
        max_side: int = MAX_SIDE,
    ) -> Self:
        """Load a model with its gallery and its directions.

        Args:
            model: as all commands take it.
            device: as `from_pretrained` takes it, like the backend.
            backend: what runs it.
            directions: files of further ones.
            max_library_bytes: as of the class, like `max_side`.
            max_side: of an image.

        Raises:
            UserError: there is no such model, or its files or those of directions are damaged or do not fit.
        """
        net = SwappingAutoencoder.from_pretrained(model, device=device, backend=backend)
        facts = about(model)
        found = directions_of(directions, model, net)
        return cls(
            net,
            facts.name,
            gallery=samples_of(model),
            directions=[one for some in found for one in some],
            max_library_bytes=max_library_bytes,
            max_side=max_side,
            facts=facts,
        )

    def about(self) -> ModelInfo:
        """Tell what the model is."""
        config, size = self.model.config, self.facts.size
        return ModelInfo(
            name=self.name,
            title=self.facts.title,
            size=size,
            multiple=config.stride,
            places=None if size is None else [max(size, config.min_side) // config.stride] * 2,
            max_side=self.max_side,
            structure_channels=config.structure_channels,
            texture_channels=config.texture_channels,
            has_click=True,
            has_noise=config.use_noise,
            device=str(self.model.device),
            backend=self.model.backend,
            card=self.facts.card,
            fingerprint=self.fingerprint,
        )

    # ---- images and masks

    def gallery(self) -> list[ImageInfo]:
        """List the images that came with the model."""
        return [self.image(key) for key in self._gallery]

    def image(self, id: str) -> ImageInfo:
        """Tell of an image.

        Raises:
            UnknownId: it is not there.
        """
        return image_info(id, self.library.image(id))

    def add_image(self, pixels: NDArray[np.uint8]) -> ImageInfo:
        """Encode an image, uint8 `[H, W, 3]`, upright and in sRGB.

        Raises:
            UserError: it is larger than what there is room for.
        """
        picture = fitted(Image.fromarray(pixels), self.max_side)
        shrunk = picture.size != (pixels.shape[1], pixels.shape[0])
        (key,) = self.library.add(held_picture(self.model, picture, shrunk=shrunk))
        return self.image(key)

    def forget_image(self, id: str) -> None:
        """Drop an image.

        Raises:
            UnknownId: it is not there.
            UserError: it is of the gallery.
        """
        self.library.image(id)
        self.library.forget(id)
        self._results.clear()

    def thumbnail(self, id: str) -> bytes:
        """Give a WebP of at most 256 pixels a side.

        Raises:
            UnknownId: the image is not there.
        """
        return self.library.image(id).thumbnail

    def add_mask(self, pixels: NDArray[np.uint8]) -> MaskInfo:
        """Take in a mask, uint8 `[H, W]`: 255 is inside.

        Raises:
            UserError: it is larger than what there is room for.
        """
        gray = np.array(fitted(Image.fromarray(pixels), self.max_side))
        (key,) = self.library.add(Mask(gray))
        return self._mask_info(key)

    def mask(self, id: str) -> bytes:
        """Give a mask as a PNG of 8-bit gray.

        Raises:
            UnknownId: it is not there.
        """
        return encoded(Image.fromarray(self.library.mask(id).pixels), "png")[0]

    def click_mask(self, request: ClickRequest) -> tuple[MaskInfo, bytes]:
        """Make a mask of what is like a place of an image, at the image's size, and give it as a PNG too.

        Raises:
            UnknownId: the image is not there.
        """
        codes = self._composer.codes(request.image)
        (height, width), stride = codes.size, self.model.config.stride
        at = min(request.x * width, width - 1), min(request.y * height, height - 1)
        place = place_at(*at, codes, stride)
        asked = request.threshold, request.softness, request.connected, request.centered
        mask = click_mask(codes, place, *asked)
        places = np.rint(mask[0, 0].float().cpu().numpy() * 255).astype(np.uint8)
        pixels = places.repeat(stride, 0).repeat(stride, 1)[:height, :width]
        (key,) = self.library.add(Mask(np.ascontiguousarray(pixels)))
        return self._mask_info(key), self.mask(key)

    # ---- pictures

    def render(self, request: RenderRequest) -> Rendered:
        """Render a recipe; a quick one may come out smaller than asked for.

        Raises:
            UnknownId: it names what is not there any more.
            UserError: its parts do not go together.
        """
        start = time.perf_counter()
        recipe = request.recipe
        scale = self._renderer.quick_scale(recipe) if request.quality == "fast" else 1.0
        key = recipe.digest(), request.side, request.format, scale
        found = self._results.get(key)
        if found is None:
            picture = fitted(self._renderer.picture(recipe, scale), request.side)
            data, media_type = encoded(picture, request.format)
            seconds = time.perf_counter() - start
            found = Rendered(data, media_type, *picture.size, seconds, full=scale == 1)
            self._results.keep(key, found, len(data))
        return found

    def strip(self, request: StripRequest) -> Rendered:
        """Render a recipe with one direction at several strengths, in one decoding: pictures side by side.

        A direction that the recipe does not have is put behind those it has.

        Raises:
            UserError: as `render`.
        """
        start = time.perf_counter()
        recipes = [with_strength(request.recipe, request.name, strength) for strength in request.strengths]
        scale = self._renderer.scale_of(recipes[0], request.side, len(recipes))
        pictures = [fitted(one, request.side) for one in self._renderer.pictures(recipes, scale)]
        sheet = grid([pictures], gap=0)
        data, media_type = encoded(sheet, request.format)
        return Rendered(data, media_type, *sheet.size, time.perf_counter() - start)

    def save(self, request: SaveRequest) -> bytes:
        """Render a recipe to a PNG that carries it, with all that is needed to go on.

        Raises:
            UserError: as `render`; or it takes too much to be carried.
        """
        recipe = request.recipe
        picture = fitted(self._renderer.picture(recipe), request.side)
        directions = [self.shelf.named(name) for name in carried.names_of(recipe)]
        size = self.library.image(recipe.structures[0].image).codes.size
        text = carried.document(recipe, self.library, directions, self._identity(), [size])
        return with_text(picture, text)

    def open_recipe(self, png: bytes) -> OpenedRecipe:
        """Read a saved recipe, and take in what it carries.

        Raises:
            UserError: the picture carries none, a damaged one, or one of another model.
        """
        found = carried.read(text_of(png), self.model.config, self.max_side)
        names = self.shelf.carry(found.directions)
        self.library.add(*found.images.values(), *found.masks.values())
        known = dict(zip((one.name for one in found.directions), names, strict=True))
        moves = [move.model_copy(update={"name": known[move.name]}) for move in found.recipe.directions]
        return OpenedRecipe(
            recipe=found.recipe.model_copy(update={"directions": moves}),
            images=[self.image(key) for key in found.images],
            masks=[self._mask_info(key) for key in found.masks],
            directions=self.shelf.infos(names),
            notice=self._notice(found.model),
        )

    # ---- directions

    def directions(self) -> list[DirectionInfo]:
        """List them."""
        return self.shelf.all()

    def make_direction(self, request: NewDirection) -> DirectionInfo:
        """Make a direction of two groups of images.

        Raises:
            UnknownId: an image is not there.
            UserError: the name is taken, or nothing tells the groups apart.
        """
        toward, away = ([self._codes(key) for key in keys] for keys in (request.toward, request.away))
        try:
            made = attribute(request.name, toward, away, request.of)
        except ValueError as error:
            raise UserError(str(error)) from error
        return self.shelf.add(made)

    def load_directions(self, data: bytes) -> list[DirectionInfo]:
        """Take in a file of directions, from here or from `swapae directions fit`.

        Raises:
            UserError: it is damaged, or of a model of another shape.
        """
        return self.shelf.infos(self.shelf.load(data))

    def direction_file(self, name: str) -> bytes:
        """Give a direction as a safetensors file, for `swapae edit --directions`.

        Raises:
            UnknownId: there is none of that name.
        """
        return self.shelf.file(name)

    def forget_direction(self, name: str) -> None:
        """Drop a direction of one's own.

        Raises:
            UnknownId: there is none of that name.
            UserError: it is the model's.
        """
        self.shelf.forget(name)
        self._renderer.forget()
        self._results.clear()

    # ---- inside

    def _codes(self, id: str) -> Codes:
        return self.library.image(id).codes

    def _mask_info(self, id: str) -> MaskInfo:
        height, width = self.library.mask(id).pixels.shape
        return MaskInfo(id=id, width=width, height=height)

    def _identity(self) -> SavedModel:
        return SavedModel.of(self.model.config, self.name, self.fingerprint)

    def _notice(self, theirs: SavedModel) -> str:
        if theirs.fingerprint == self.fingerprint:
            return ""
        return (
            f"this picture was made with other weights ('{theirs.name}') of the same shape: it may look "
            "different here."
        )
