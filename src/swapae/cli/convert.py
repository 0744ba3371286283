"""`swapae convert`: published checkpoints to folders of this program, and back."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Common, CommonOptions, Flag, Report, UsageError
from swapae.errors import UserError


def convert(
    src: Annotated[Positional[str], arg(metavar="SRC")],
    dst: Annotated[Positional[Path], arg(metavar="DST")],
    *,
    no_noise: Flag = False,
    common: CommonOptions,
) -> Report:
    """Convert a published checkpoint to a folder, or a folder back to a .pth file.

    Args:
        src: A published checkpoint, or a model of this program: name, folder, run directory, hub id.
        dst: The folder to write; a name that ends in .pth writes a checkpoint in the published layout.
        no_noise: The model was trained without noise in its upsampling blocks, which weights cannot tell.
    """
    is_export = dst.suffix.lower() == ".pth"
    if dst.exists() and not common.force:
        raise UserError(f"{dst} exists already: use --force to overwrite it, or give another name.")
    return _export(src, dst, no_noise, common) if is_export else _import(src, dst, no_noise, common)


def _import(src: str, dst: Path, no_noise: bool, common: Common) -> Report:
    from swapae.convert import NOTICE, convert_official

    found = convert_official(src, dst, use_noise=not no_noise, force=common.force)
    for note in found.notes:
        common.say(f"note: {note}")
    for network, count in found.num_parameters.items():
        common.say(f"{network}: {count:,} parameters")
    common.say(f"wrote {dst}\n{NOTICE}")
    return {
        "output": str(dst),
        "parameters": found.num_parameters,
        "notes": list(found.notes),
        "notice": NOTICE,
    }


def _export(src: str, dst: Path, no_noise: bool, common: Common) -> Report:
    from swapae.convert import export_official

    if no_noise:
        raise UsageError("--no-noise is for reading a checkpoint: a folder's config says it already.")
    architecture = export_official(src, dst, force=common.force)
    lacks = [name for name in ("discriminator", "patch_discriminator") if getattr(architecture, name) is None]
    if lacks:
        common.say(f"note: without {' and '.join(lacks)}, which {src} does not hold")
    common.say(f"wrote {dst}")
    return {"output": str(dst), "lacks": lacks}
