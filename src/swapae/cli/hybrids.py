"""A loaded model and the pictures it has encoded: encode once, decode many times, keep transparency."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image

from swapae import box
from swapae.codes import Codes
from swapae.editing.interpolate import interpolate
from swapae.images import put_alpha, save_image, split_alpha, to_pil
from swapae.model import SwappingAutoencoder
from swapae.runtime.backends import BackendName

FAR = 2  # times the side of a model's images; a model of 64² holds to 128, and fails at 256 (LOG.md)


@dataclass(frozen=True)
class Encoded:
    """An image's codes, and its transparency (L) where it has any."""

    codes: Codes
    alpha: Image | None


@dataclass(frozen=True)
class Coder:
    """Pictures in, pictures out."""

    model: SwappingAutoencoder

    @staticmethod
    def load(name: str, device: str, backend: BackendName = "torch") -> "Coder":
        """The model that MODEL names, on the device that `--device` names, run by what `--backend` names."""
        return Coder(SwappingAutoencoder.from_pretrained(name, device=device, backend=backend))

    def word_on_size(self, pictures: Sequence[Image]) -> str | None:
        """Say that a picture is far larger than what the model has seen; None if none is, or nobody knows."""
        weights = self.model.loaded_from
        side = None if weights is None else box.image_size(weights.parent)
        width, height = max((picture.size for picture in pictures), key=min)
        if side is None or min(width, height) <= FAR * side:
            return None
        return (
            f"note: the model was trained on images of {side}×{side}, and one of these is {width}×{height}; "
            "made smaller first, it may come out better"
        )

    def encode(self, picture: Image) -> Encoded:
        """Encode one picture; transparent parts are seen over white."""
        return Encoded(self.model.encode_image(picture), split_alpha(picture)[1])

    def hybrid(self, structure: Encoded, texture: Encoded, strength: float = 1.0) -> Image:
        """The first picture with the second's texture (model-spec §11.1), at the first's size."""
        return self.edited(
            structure, interpolate(structure.codes, texture.codes, texture=strength, path="line")
        )

    def edited(self, image: Encoded, codes: Codes) -> Image:
        """The picture that an image's edited codes describe, with its transparency."""
        return put_alpha(self.model.decode_image(codes), image.alpha)

    def rows(self, structures: Sequence[Image], textures: Sequence[Image]) -> Iterator[list[Image]]:
        """Every picture with every texture: a row for each structure, computed when it is asked for."""
        own = (self.model.encode_image(picture) for picture in structures)
        others = [self.model.encode_image(picture) for picture in textures]
        for picture, images in zip(structures, self.model.grid(own, others), strict=True):
            alpha = split_alpha(picture)[1]
            yield [put_alpha(to_pil(image), alpha) for image in images.float().cpu().numpy()]

    def reconstruction(self, image: Encoded) -> Image:
        """The picture decoded from its own codes."""
        return self.hybrid(image, image)

    @staticmethod
    def save(picture: Image, file: Path, force: bool) -> None:
        """Write a picture as its suffix says."""
        save_image(picture, file, force=force)
