"""`swapae convert`: published checkpoints to folders of this program, and back."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import CommonOptions, Flag, Report


def convert(
    src: Annotated[Positional[Path], arg(metavar="SRC")],
    dst: Annotated[Positional[Path], arg(metavar="DST")],
    *,
    no_noise: Flag = False,
    common: CommonOptions,
) -> Report:
    """Convert a published checkpoint to a folder, or a folder back to a .pth file.

    Args:
        src: A checkpoint (.pth), or a folder or run of this program.
        dst: The folder to write; a name that ends in .pth writes a checkpoint in the published layout.
        no_noise: The model was trained without noise in its upsampling blocks, which weights cannot tell.
    """
    return {}
