"""The image discriminator: StyleGAN2's residual one, a logit per image (model-spec §5)."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from swapae.layers import ConvLayer, EqualLinear, ResBlock


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Shape of an image discriminator; the default is the published one for 256² images."""

    image_size: int = 256  # side of the square images, in pixels; the linear layer locks it
    capacity: float = 1.0  # scales the widths of all but the smallest maps
    max_channels: int = 512  # cap on every width; the published networks have 512
    use_antialias: bool = True  # blur before each halving
    widths: tuple[int, ...] | None = None  # given widths, from the image's size down to 4²

    def __post_init__(self) -> None:
        if self.image_size < 8:
            raise ValueError(f"image_size={self.image_size} is too small for a discriminator; use 8 or more.")
        expected = int(math.log2(self.top_size)) - 1
        if self.widths is not None and len(self.widths) != expected:
            raise ValueError(
                f"discriminator widths {self.widths} are {len(self.widths)} numbers; "
                f"image_size={self.image_size} needs {expected}."
            )
        if self.widths is not None and min(self.widths) < 1:
            raise ValueError(f"discriminator widths {self.widths} must all be at least 1.")

    @property
    def top_size(self) -> int:
        """The power of two nearest to the image size, at which the first block's width is looked up."""
        return int(2 ** round(math.log2(self.image_size)))

    def channels_at(self, size: int) -> int:
        """Channels at a map of `size` (model-spec §5): 512 up to 8², then `m = 2 · capacity` scales them."""
        if self.widths is not None:
            return self.widths[int(math.log2(self.top_size // size))]
        m = 2 * self.capacity
        if size <= 8:
            width = 512
        elif size <= 32:
            width = min(512, int(512 * m))
        else:
            width = int(16384 / size * m)
        return max(1, min(width, self.max_channels))


class Discriminator(nn.Module):
    """Judge images `[B, 3, S, S]`; give logits `[B, 1]`, high for real ones. No minibatch statistics."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        blur_kernel = (1, 3, 3, 1) if config.use_antialias else (1,)
        top = config.top_size
        sizes = [top // 2**i for i in range(int(math.log2(top)) - 1)]  # S … 8, 4

        self.from_rgb = ConvLayer(3, config.channels_at(top), 1)
        self.blocks = nn.Sequential(
            *(
                ResBlock(config.channels_at(size), config.channels_at(size // 2), blur_kernel)
                for size in sizes[:-1]
            )
        )
        last = config.channels_at(4)
        side = int(4 * config.image_size / top)  # 3 for 768² images
        self.final_conv = ConvLayer(last, last, 3)
        self.final_linear = nn.Sequential(
            EqualLinear(last * side**2, last, activation="fused_lrelu"),
            EqualLinear(last, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        size = self.config.image_size
        if images.shape[2:] != (size, size):
            raise ValueError(
                f"the discriminator takes images of {size}×{size}, not {images.shape[2]}×{images.shape[3]}."
            )
        features = self.final_conv(self.blocks(self.from_rgb(images)))
        logits: Tensor = self.final_linear(features.flatten(1))
        return logits
