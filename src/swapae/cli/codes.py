"""`swapae encode` and `swapae decode`: codes to a file and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Model, OutFile, Report, RunningOptions
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.codes import Codes
    from swapae.model import SwappingAutoencoder


def encode(
    image: Annotated[Positional[Path], arg(metavar="IMAGE")],
    *,
    model: Model,
    out: OutFile,
    common: RunningOptions,
) -> Report:
    """Write the structure and texture codes of an image to a file.

    Args:
        image: The image to encode.
        out: File to write, in the safetensors format.
    """
    if out.exists() and not common.force:
        raise UserError(f"{out} exists already: use --force to overwrite it.")
    from swapae.images import open_image

    picture = open_image(image)

    from swapae.model import SwappingAutoencoder

    net = SwappingAutoencoder.from_pretrained(model, device=common.device, backend=common.backend)
    codes = net.encode_image(picture)
    codes.save(out, force=common.force)
    common.say(f"wrote {out}")
    return {"output": str(out), **shapes(codes)}


def decode(
    codes: Annotated[Positional[Path], arg(metavar="CODES")],
    *,
    model: Model,
    out: OutFile,
    texture: Annotated[Path | None, arg(metavar="CODES", help_behavior_hint="")] = None,
    noise: Annotated[int | None, arg(metavar="SEED", help_behavior_hint="")] = None,
    common: RunningOptions,
) -> Report:
    """Make the image that a file of codes describes.

    Args:
        codes: File that encode wrote.
        out: File to write.
        texture: File of codes to take the texture from; the default is CODES itself.
        noise: Seed of the noise maps; the default is no noise.
    """
    from swapae.images import check_target, save_image

    check_target(out, common.force)

    from swapae.codes import Codes, paired
    from swapae.model import SwappingAutoencoder

    own = Codes.load(codes)
    other = own if texture is None else Codes.load(texture)
    net = SwappingAutoencoder.from_pretrained(model, device=common.device, backend=common.backend)
    for name, some in ((codes, own), (texture, other)):
        check_fit(some, net, str(name))
    save_image(net.decode_image(paired(own, other.texture), noise), out, force=common.force)
    common.say(f"wrote {out}")
    return {"output": str(out), **shapes(own)}


def check_fit(codes: "Codes", model: "SwappingAutoencoder", name: str) -> None:
    """Refuse codes of another model.

    Raises:
        UserError: the numbers of channels differ; the sentence has both.
    """
    have = codes.structure.shape[1], codes.texture.shape[1]
    want = model.config.structure_channels, model.config.texture_channels
    if have != want:
        raise UserError(
            f"{name} was made by another model: its codes have {have[0]} structure and {have[1]} texture "
            f"channels, this model has {want[0]} and {want[1]}."
        )


def shapes(codes: "Codes") -> Report:
    """What the codes are, for `--json`."""
    return {
        "structure": list(codes.structure.shape),
        "texture": list(codes.texture.shape),
        "size": list(codes.size),
    }
