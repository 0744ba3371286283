"""The shape of a model: of an encoder and a generator that fit each other."""

from dataclasses import dataclass

from swapae.networks.encoder import EncoderConfig, encoder_widths
from swapae.networks.generator import GeneratorConfig, generator_widths, head_widths


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
    structure_blocks: int = 0  # encoder's blocks at the structure code's size, ours: it sees further
    use_noise: bool = True  # noise in the upsampling blocks (the head takes it always)

    def __post_init__(self) -> None:
        for name in ("structure_channels", "texture_channels", "head_blocks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        for name in ("encoder_capacity", "encoder_steepness", "generator_capacity"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)} must be more than 0.")
        self.encoder()  # it checks itself
        generator = self.generator()
        for name, widths, expected in (
            ("generator_widths", generator.widths, self.structure_downsamplings),
            ("head_widths", generator.head_widths, self.head_blocks),
        ):
            if len(widths) != expected:
                raise ValueError(f"{name} {widths} are {len(widths)} numbers; this model needs {expected}.")

    @property
    def stride(self) -> int:
        """Pixels of the image per place of the structure code."""
        return self.encoder().stride

    @property
    def min_side(self) -> int:
        """Shortest side, in pixels, that the encoder takes."""
        return self.encoder().min_side

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
            structure_blocks=self.structure_blocks,
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
