"""`swapae grid`: every structure with every texture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from swapae.cli.common import Model, OutFile, Report, RunningOptions
from swapae.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

Images = Annotated[tuple[Path, ...], arg(metavar="IMAGE …")]
GAP = 2  # between cells, in pixels


def grid(
    *,
    structure: Images,
    texture: Images,
    model: Model,
    out: OutFile,
    common: RunningOptions,
) -> Report:
    """Show every structure with every texture, in one picture.

    Args:
        structure: Images, or folders of images, down the left side.
        texture: Images, or folders of images, along the top.
        out: File to write.
    """
    from swapae.images import WHITE, check_target, open_image
    from swapae.sheet import Sheet

    check_target(out, common.force)
    files = expand(structure, "--structure"), expand(texture, "--texture")
    rows, columns = ([open_image(file) for file in some] for some in files)

    from swapae.cli.hybrids import Coder

    coder = Coder.load(model, common.device, common.backend)
    common.note(coder.word_on_size([*rows, *columns]))
    box = max(picture.width for picture in rows), max(picture.height for picture in rows)
    header = [shrink(picture, box) for picture in columns]
    heights = [max(picture.height for picture in header), *(picture.height for picture in rows)]
    sheet = Sheet([box[0]] * (1 + len(columns)), heights, GAP, WHITE)
    sheet.paste_row(0, [None, *header])
    hybrids = coder.rows(rows, columns)
    for number, (picture, row) in enumerate(zip(rows, hybrids, strict=True), 1):
        sheet.paste_row(number, [picture, *row])
        common.say(f"row {number} of {len(rows)}")
    coder.save(sheet.image, out, common.force)
    common.say(f"wrote {out}")
    return {
        "output": str(out),
        "structures": [str(f) for f in files[0]],
        "textures": [str(f) for f in files[1]],
    }


def expand(paths: tuple[Path, ...], option: str) -> list[Path]:
    """Files as they are, folders as the images in them, by name.

    Raises:
        UserError: a folder holds no image, or nothing is named.
    """
    from swapae.images import IMAGE_SUFFIXES

    files: list[Path] = []
    for path in paths:
        inside = (
            sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
            if path.is_dir()
            else [path]
        )
        if not inside:
            raise UserError(f"{path} holds no images.")
        files += inside
    if not files:
        raise UserError(f"{option} needs at least one image.")
    return files


def shrink(picture: "Image", box: tuple[int, int]) -> "Image":
    """The picture no larger than (width, height), its shape kept: a header need not outgrow its column."""
    from swapae.images import resize

    scale = min(1.0, box[0] / picture.width, box[1] / picture.height)
    return resize(picture, (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
