"""The encoder: an image becomes a structure and a texture code (model-spec §3; paper §3.2, appendix B)."""

from dataclasses import dataclass

from torch import Tensor, nn

from swapae.layers import ConvLayer, EqualLinear, ResBlock, SameSizeBlock
from swapae.ops import normalize


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of an encoder; the default is the published one for 256² images (30,584,872 parameters).

    `structure_blocks` is ours, 0 as published: blocks at the structure code's size, which widen what a place
    of it sees. Without, with 2 halvings, that is 19 pixels: too few to tell inside from outside.

    `widths` has `1 + structure_downsamplings + texture_downsamplings` entries: channels at full resolution,
    then after each halving.
    """

    structure_channels: int = 8
    texture_channels: int = 2048
    structure_downsamplings: int = 4
    texture_downsamplings: int = 2
    use_antialias: bool = True
    widths: tuple[int, ...] = (32, 64, 128, 256, 512, 1024, 2048)
    structure_blocks: int = 0

    def __post_init__(self) -> None:
        # With no texture downsampling, `min_side` would be too short for the last block's reflection.
        if min(self.structure_downsamplings, self.texture_downsamplings) < 1:
            raise ValueError(
                f"structure_downsamplings={self.structure_downsamplings} and "
                f"texture_downsamplings={self.texture_downsamplings} must be at least 1."
            )
        if self.structure_blocks < 0:
            raise ValueError(f"structure_blocks={self.structure_blocks} must be at least 0.")
        expected = 1 + self.structure_downsamplings + self.texture_downsamplings
        if len(self.widths) != expected:
            raise ValueError(
                f"encoder widths {self.widths} are {len(self.widths)} numbers; "
                f"{self.structure_downsamplings} structure and {self.texture_downsamplings} texture "
                f"downsamplings need {expected}."
            )
        if min(self.widths) < 1:
            raise ValueError(f"encoder widths {self.widths} must all be at least 1.")

    @property
    def stride(self) -> int:
        """Pixels of the image per place of the structure code."""
        return int(2**self.structure_downsamplings)

    @property
    def min_side(self) -> int:
        """Shortest side, in pixels, that leaves the texture branch a place (model-spec §3)."""
        return int(2 ** (self.texture_downsamplings + 1) - 1) * self.stride


def encoder_widths(
    capacity: float, steepness: float, num_downsamplings: int, texture_channels: int
) -> tuple[int, ...]:
    """Compute the published schedule: `nc(i) = min(texture_channels, round(capacity · steepness^(5+i)))`.

    i counts the halvings, from 0 to `num_downsamplings`.
    """
    return tuple(
        max(1, min(texture_channels, round(capacity * steepness ** (5 + i))))
        for i in range(num_downsamplings + 1)
    )


class Encoder(nn.Module):
    """Encode images `[B, 3, H, W]` in [-1, 1].

    Returns:
        structure: `[B, structure_channels, H/2^s, W/2^s]`, unit length at each place.
        texture: `[B, texture_channels]`, unit length.
    """

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EncoderConfig()
        widths = config.widths
        middle = config.structure_downsamplings
        blur_kernel = (1, 2, 1) if config.use_antialias else (1,)

        self.from_rgb = ConvLayer(3, widths[0], 1)
        self.down_to_structure = nn.Sequential(
            *(
                ResBlock(widths[i], widths[i + 1], blur_kernel, reflection_pad=True)
                for i in range(config.structure_downsamplings)
            )
        )
        self.at_structure = nn.Sequential(
            *(SameSizeBlock(widths[middle]) for _ in range(config.structure_blocks))
        )
        self.to_structure = nn.Sequential(
            ConvLayer(widths[middle], widths[middle], 1),
            ConvLayer(widths[middle], config.structure_channels, 1, activate=False),
        )
        self.down_to_texture = nn.Sequential(
            *(
                ConvLayer(widths[i], widths[i + 1], 3, downsample=True, blur_kernel=(1,), pad=0)
                for i in range(middle, middle + config.texture_downsamplings)
            )
        )
        self.to_texture = EqualLinear(widths[-1], config.texture_channels)

    @property
    def min_side(self) -> int:
        """Shortest side of an image, in pixels; see the config."""
        return self.config.min_side

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        middle = self.middle(images)
        return self.structure_of(middle), self.texture_of(middle)

    def middle(self, images: Tensor) -> Tensor:
        """Compute the features both codes are read from, `[B, widths[s], H/2^s, W/2^s]`."""
        if min(images.shape[2:]) < self.min_side:
            height, width = images.shape[2:]
            raise ValueError(f"the encoder needs sides of at least {self.min_side} px, not {height}×{width}.")
        features: Tensor = self.down_to_structure(self.from_rgb(images))
        return features

    def structure_of(self, middle: Tensor) -> Tensor:
        """Read the structure code off the middle features, each place with its surroundings."""
        return normalize(self.to_structure(self.at_structure(middle)))

    def texture_of(self, middle: Tensor) -> Tensor:
        """Read the texture code off the middle features: valid convolutions, mean over places, linear."""
        return normalize(self.to_texture(self.down_to_texture(middle).mean(dim=(2, 3))))


StyleGAN2ResnetEncoder = Encoder  # the name readers of the published system look for
