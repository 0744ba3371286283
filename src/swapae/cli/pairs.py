"""`swapae pairs`: reconstruct and swap arranged pairs, as the article evaluates (model-spec §11.1)."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Model, OutFolder, Report, RunningOptions, claim_folder
from swapae.errors import UserError

KINDS = ("structure", "style", "rec", "swap")


def pairs(
    folder: Annotated[Positional[Path], arg(metavar="DIR")],
    *,
    model: Model,
    out: OutFolder,
    common: RunningOptions,
) -> Report:
    """Reconstruct and swap the pairs of a folder.

    Args:
        folder: Folder with input_structure/ and input_style/, whose images pair by file name.
        out: Folder for NAME_structure.png, NAME_style.png, NAME_rec.png and NAME_swap.png.
    """
    from swapae.images import open_image

    names = matched(folder)
    claim_folder(out, [f"{Path(name).stem}_{kind}.png" for name in names for kind in KINDS], common.force)

    from swapae.cli.hybrids import Coder

    coder = Coder.load(model, common.device, common.backend)
    for number, name in enumerate(names, 1):
        structure = open_image(folder / "input_structure" / name)
        style = open_image(folder / "input_style" / name)
        own, other = coder.encode(structure), coder.encode(style)
        made = (structure, style, coder.reconstruction(own), coder.hybrid(own, other))
        for kind, picture in zip(KINDS, made, strict=True):
            coder.save(picture, out / f"{Path(name).stem}_{kind}.png", common.force)
        common.say(f"{number} of {len(names)}: {name}")
    common.say(f"wrote {len(names)} pairs to {out}")
    return {"folder": str(out), "pairs": names}


def matched(folder: Path) -> list[str]:
    """The file names that both halves have.

    Raises:
        UserError: a half is missing or empty, an image has no partner, or two would write the same files.
    """
    first, second = (_images(folder / half) for half in ("input_structure", "input_style"))
    lonely = sorted(set(first) ^ set(second))
    if lonely:
        half = "input_structure" if lonely[0] in second else "input_style"
        more = f" (and {len(lonely) - 1} more without a partner)" if len(lonely) > 1 else ""
        raise UserError(f"{folder / half} has no {lonely[0]}{more}: images pair by file name.")
    stems = [Path(name).stem for name in first]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UserError(
            f"two images in {folder} are called {twice[0]}: their results would have the same name."
        )
    return first


def _images(folder: Path) -> list[str]:
    from swapae.images import IMAGE_SUFFIXES

    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}: pairs lie in input_structure/ and input_style/.")
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not names:
        raise UserError(f"{folder} holds no images.")
    return names
