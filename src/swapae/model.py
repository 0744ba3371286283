"""`SwappingAutoencoder`: encode, decode, swap, mix; from a folder and to a folder (paper §3).

The model knows images, codes and weights. It knows no trainer, no command line and no discriminator.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor, nn

from swapae import config as configs
from swapae import images as pictures
from swapae.codes import Codes
from swapae.devices import choose_device
from swapae.errors import UserError
from swapae.layers import Blur
from swapae.locate import find_weights
from swapae.networks import (
    Encoder,
    EncoderConfig,
    Generator,
    GeneratorConfig,
    encoder_widths,
    generator_widths,
    head_widths,
    random_noise,
)
from swapae.weights import load_strict, load_tensors, save_tensors

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
FORMAT = "swapae.model/1"

NoiseLike = int | Sequence[Tensor | None] | None
Picture = Image.Image | str | Path


@dataclass(frozen=True)
class ModelConfig:
    """Shape of encoder and generator; the default is the published one for 256² images.

    Widths follow from the capacities unless they are given, as they are for converted checkpoints.
    """

    structure_channels: int = 8  # channels of the structure code
    texture_channels: int = 2048  # length of the texture code
    structure_downsamplings: int = 4  # halvings between image and structure code
    texture_downsamplings: int = 2  # further halvings of the texture branch
    use_antialias: bool = True  # blur before each halving and after each doubling
    encoder_capacity: float = 1.0  # scales the encoder's widths
    encoder_steepness: float = 2.0  # growth of the encoder's widths per halving
    encoder_widths: tuple[int, ...] | None = None  # given widths instead of computed ones
    generator_capacity: float = 1.0  # scales the generator's widths
    generator_widths: tuple[int, ...] | None = None  # given widths after each doubling
    head_blocks: int = 2  # residual blocks at the structure code's size
    head_widths: tuple[int, ...] | None = None  # given widths of those blocks
    use_noise: bool = True  # noise in the upsampling blocks (the head takes it always)

    @property
    def stride(self) -> int:
        """Pixels of the image per place of the structure code."""
        return 2**self.structure_downsamplings

    @property
    def min_side(self) -> int:
        """Shortest side, in pixels, that the encoder takes: `(2^(t+1) − 1) · 2^s` (model-spec §3)."""
        return (2 ** (self.texture_downsamplings + 1) - 1) * self.stride

    def encoder(self) -> EncoderConfig:
        """Spell the encoder's shape out."""
        depth = self.structure_downsamplings + self.texture_downsamplings
        return EncoderConfig(
            structure_channels=self.structure_channels,
            texture_channels=self.texture_channels,
            structure_downsamplings=self.structure_downsamplings,
            texture_downsamplings=self.texture_downsamplings,
            use_antialias=self.use_antialias,
            widths=self.encoder_widths
            or encoder_widths(self.encoder_capacity, self.encoder_steepness, depth, self.texture_channels),
        )

    def generator(self) -> GeneratorConfig:
        """Spell the generator's shape out."""
        first, *rest = generator_widths(self.generator_capacity, self.structure_downsamplings)
        return GeneratorConfig(
            structure_channels=self.structure_channels,
            texture_channels=self.texture_channels,
            use_antialias=self.use_antialias,
            use_noise=self.use_noise,
            head_widths=self.head_widths or head_widths(self.structure_channels, first, self.head_blocks),
            widths=self.generator_widths or tuple(rest),
        )


class SwappingAutoencoder(nn.Module):
    """Split images into structure and texture, and make images of any such pair.

    Images are float `[B, 3, H, W]` in [-1, 1], of any size. Nothing is random unless a noise seed is given: the
    same input gives the same output.

    Example:
        >>> model = SwappingAutoencoder(ModelConfig(encoder_capacity=0.1, generator_capacity=0.1))
        >>> codes = model.encode(torch.zeros(2, 3, 128, 200))
        >>> model.decode(codes).shape
        torch.Size([2, 3, 128, 200])
    """

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ModelConfig()
        self.encoder = Encoder(config.encoder())
        self.generator = Generator(config.generator())

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.generator.to_rgb.bias.device

    @torch.no_grad()
    def encode(self, images: Tensor) -> Codes:
        """Encode `[B, 3, H, W]` in [-1, 1]; other sizes than multiples of the stride are padded by reflection."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images must be [B, 3, H, W], not {tuple(images.shape)}.")
        structure, texture = self.encoder(self._padded(images.to(self.device)))
        return Codes(structure, texture, (images.shape[2], images.shape[3]))

    @torch.no_grad()
    def decode(self, codes: Codes, noise: NoiseLike = None) -> Tensor:
        """Decode to images `[B, 3, H, W]` of the codes' size, about [-1, 1] (not clamped).

        Args:
            codes: structure `[B, Cs, h, w]`, texture `[B, Ct]` or a map `[B, Ct, h', w']`.
            noise: None for none; a seed; or one map `[B or 1, 1, h, w]` a layer, in layer order.
        """
        structure = codes.structure.to(self.device)
        maps = self._noise(noise, structure)
        images: Tensor = self.generator(structure, codes.texture.to(self.device), maps)
        height, width = codes.size
        return images[:, :, :height, :width]

    def swap(
        self, structure_images: Tensor, texture_images: Tensor, strength: float = 1.0, noise: NoiseLike = None
    ) -> Tensor:
        """Give the first images the texture of the second.

        Args:
            structure_images: `[B, 3, H, W]`; the output has their size.
            texture_images: `[B, 3, H', W']`; either batch may be 1.
            strength: 0 keeps the own texture (a reconstruction), 1 takes the other's; in between they are
                interpolated, beyond extrapolated (model-spec §11.1).
        """
        return self.mix(structure_images, [structure_images, texture_images], [1 - strength, strength], noise)

    def mix(
        self,
        structure_images: Tensor,
        texture_images: Sequence[Tensor],
        weights: Sequence[float],
        noise: NoiseLike = None,
    ) -> Tensor:
        """Give images a blend of several textures, `Σ wᵢ · textureᵢ` (the generator normalises it).

        Args:
            structure_images: `[B, 3, H, W]`.
            texture_images: batches `[B or 1, 3, Hᵢ, Wᵢ]`.
            weights: a weight for each of them.
        """
        if len(texture_images) != len(weights) or not weights:
            raise ValueError(f"{len(texture_images)} texture batches need as many weights, not {len(weights)}.")
        own = self.encode(structure_images)
        textures = [
            own.texture if images is structure_images else self.encode(images).texture
            for images in texture_images
        ]
        return self.decode(paired(own, blend(textures, weights)), noise)

    # ---- photographs in, photographs out

    def encode_image(self, image: Picture) -> Codes:
        """Encode one picture or file."""
        color, _ = pictures.split_alpha(_opened(image))
        return self.encode(torch.from_numpy(pictures.to_array(color))[None])

    def decode_image(self, codes: Codes, noise: NoiseLike = None) -> Image.Image:
        """Decode codes of one image to a picture."""
        return pictures.to_pil(self.decode(codes[0], noise)[0].float().cpu().numpy())

    def swap_images(
        self,
        structure: Picture,
        texture: Picture,
        strength: float = 1.0,
        noise: NoiseLike = None,
    ) -> Image.Image:
        """Give picture or file `structure` the texture of `texture`, at its own size, its alpha kept.

        Example:
            >>> hybrid = model.swap_images("church.jpg", "sunset.jpg", strength=0.8)  # doctest: +SKIP
        """
        layout = _opened(structure)
        own = self.encode_image(layout)
        other = self.encode_image(texture)
        blended = blend([own.texture, other.texture], [1 - strength, strength])
        hybrid = self.decode_image(Codes(own.structure, blended, own.size), noise)
        return pictures.put_alpha(hybrid, pictures.split_alpha(layout)[1])

    # ---- folders

    def save_pretrained(self, folder: str | Path, *, force: bool = False) -> None:
        """Write `config.json` and `model.safetensors`; existing ones are kept unless `force`."""
        folder = Path(folder)
        for name in (WEIGHTS_FILE, CONFIG_FILE):
            if (folder / name).exists() and not force:
                raise UserError(f"{folder / name} exists already; give another folder, or --force to overwrite it.")
        metadata = {"format": FORMAT, "config": json.dumps(configs.to_dict(self.config))}
        save_tensors(folder / WEIGHTS_FILE, self.state_dict(), metadata, force=force)
        configs.save(self.config, folder / CONFIG_FILE)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        device: str = "auto",
        revision: str | None = None,
        local_files_only: bool = False,
    ) -> Self:
        """Load a model.

        Args:
            name: a folder or run directory that `save_pretrained` or training wrote, or a hub id `user/name`.
            device: "auto", "cpu", "cuda", "mps" or any torch device.
            revision: branch, tag or commit of the hub repository.
            local_files_only: never download.

        Raises:
            UserError: when there is no such model, or its files are damaged or do not fit.
        """
        weights = find_weights(name, WEIGHTS_FILE, revision=revision, local_files_only=local_files_only)
        tensors, metadata = load_tensors(weights)
        config = config_in(metadata, weights)
        with torch.device("meta"):  # draws no random weights only to throw them away
            model = cls(config)
        model.to_empty(device="cpu")
        for module in model.modules():
            if isinstance(module, Blur):
                module.reset_parameters()
        load_strict(model, tensors, str(weights))
        return model.to(choose_device(device)).eval()

    # ---- inside

    def _padded(self, images: Tensor) -> Tensor:
        """Pad right and bottom by repeated reflection, to the stride and to the shortest side the encoder takes."""
        height, width = (self._padded_side(side) for side in images.shape[2:])
        if (height, width) == tuple(images.shape[2:]):
            return images
        rows = torch.from_numpy(pictures.reflect_indices(images.shape[2], height)).to(images.device)
        columns = torch.from_numpy(pictures.reflect_indices(images.shape[3], width)).to(images.device)
        return images.index_select(2, rows).index_select(3, columns)

    def _padded_side(self, side: int) -> int:
        return max(-(-side // self.config.stride) * self.config.stride, self.config.min_side)

    def _noise(self, noise: NoiseLike, structure: Tensor) -> Sequence[Tensor | None] | None:
        """Turn a seed into maps; drawn on the CPU, so that every device gets the same ones."""
        if not isinstance(noise, int):
            return noise
        shapes = self.generator.noise_shapes(structure.shape[2], structure.shape[3])
        maps = random_noise(shapes, torch.Generator().manual_seed(noise))
        return [one.to(structure.device) for one in maps]


def blend(textures: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Compute `Σ wᵢ · textureᵢ` over batches of equal size or of 1; a weight of 0 leaves its texture out."""
    parts = [weight * texture for texture, weight in zip(textures, weights, strict=True) if weight != 0]
    return sum(parts[1:], start=parts[0]) if parts else torch.zeros_like(textures[0])


def paired(codes: Codes, texture: Tensor) -> Codes:
    """Give `codes` another texture; either side may be a batch of 1."""
    structure = codes.structure
    if len(structure) != len(texture) and 1 not in (len(structure), len(texture)):
        raise ValueError(
            f"{len(structure)} structures and {len(texture)} textures do not pair: give equal batches, or one of 1."
        )
    batch = max(len(structure), len(texture))
    return Codes(
        structure.expand(batch, -1, -1, -1),
        texture.expand(batch, *[-1] * (texture.ndim - 1)),
        codes.size,
    )


def config_in(metadata: Mapping[str, str], source: Path) -> ModelConfig:
    """Read the config that travels inside a weights file."""
    if metadata.get("format") != FORMAT:
        raise UserError(
            f"{source} is not a model of this program ({FORMAT}); `swapae convert` reads published checkpoints."
        )
    try:
        data = json.loads(metadata["config"])
    except (KeyError, ValueError) as error:
        raise UserError(f"{source} holds no readable config; save the model again.") from error
    return configs.from_dict(ModelConfig, data)


def _opened(image: Picture) -> Image.Image:
    return pictures.open_image(image) if isinstance(image, str | Path) else image
