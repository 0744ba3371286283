"""`swapae demo`: what the models in the box do, in pictures, at once."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from swapae.cli.common import Common, CommonOptions, Report, UsageError, claim_folder
from swapae.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

    from swapae.galleries import Sample

OVERVIEW = "overview.png"
PAGES = {
    "swaps": "structures wearing other textures",
    "mix": "from one texture, and one structure, to another; four textures at once",
    "edit": "a texture more or less strongly; cooler and warmer colours",
}
Minutes = Annotated[float | None, arg(metavar="M", help_behavior_hint="(default: no training)")]


def demo(
    *,
    out: Annotated[Path, arg(aliases=["-o"], metavar="DIR")] = Path("demo"),
    train: Minutes = None,
    common: CommonOptions,
) -> Report:
    """Swap, mix and edit with the models in the box, at once; or train a first taste.

    Written are overview.png and, for each model, swaps.png, mix.png, edit.png and the samples that they are
    made of, to try more with.

    Args:
        out: Folder for the pictures.
        train: Train for so many minutes instead, on generated pictures, and write grid.png; each further call
            trains on from there, with --force it begins anew.
    """
    if train is not None:
        from swapae.cli.taste import taste

        if not 0 < train < 10_000:
            raise UsageError(f"--train must be above 0 and below 10,000 minutes, not {train:g}.")
        return taste(out, train, common)
    from swapae import box

    if not box.names():
        raise UserError(
            "this copy of the package has no models to show; --train 3 trains a first taste in three minutes."
        )
    from swapae.galleries import gallery

    galleries = {name: gallery(name) for name in box.names()}
    return _show(out, galleries, common)


def _show(out: Path, galleries: "Mapping[str, Mapping[str, Sample]]", common: Common) -> Report:
    from swapae.images import save_image

    names = sorted(galleries, key=lambda name: any(one.picture is None for one in galleries[name].values()))
    pages = [file_of(name, page) for name in names for page in PAGES]
    samples = [file_of(name, f"samples/{sample}") for name in names for sample in galleries[name]]
    claim_folder(out, [OVERVIEW, *pages, *samples], common.force)
    parts = [_show_one(out, name, galleries[name], common) for name in names]

    from swapae.cli.exhibit import stacked

    save_image(stacked(parts), out / OVERVIEW, force=common.force)
    common.show(f"wrote {out / OVERVIEW}: all of it on one page")
    mine, other = (out / file for file in samples[:2])
    words = ["swapae", "swap", str(mine), str(other), "-m", names[0], "-o", str(out / "mine.png")]
    common.say(f"try more: {shlex.join(words)}")
    written = [OVERVIEW, *pages, *samples]
    return {"output": str(out / OVERVIEW), "outputs": [str(out / file) for file in written], "models": names}


def _show_one(out: Path, name: str, samples: "Mapping[str, Sample]", common: Common) -> "Image":
    """Write the pages and the samples of one model, and return its part of the overview."""
    from swapae import box
    from swapae.cli.exhibit import Exhibit
    from swapae.images import save_image
    from swapae.model import SwappingAutoencoder
    from swapae.sheet import captioned

    about = f"{name}: {box.card_of(name)['about']}"
    common.say(about)
    model = SwappingAutoencoder.from_pretrained(name, device=common.device)
    exhibit = Exhibit.of(model, list(samples.values()))
    pages = exhibit.pages()
    for page, words in PAGES.items():
        save_image(pages[page], out / file_of(name, page), force=common.force)
        common.say(f"wrote {out / file_of(name, page)}: {words}")
    for sample, picture in zip(samples, exhibit.shown, strict=True):
        save_image(picture, out / file_of(name, f"samples/{sample}"), force=common.force)
    common.say(f"wrote {out / name / 'samples'}: the {len(samples)} samples they are made of")
    return captioned(pages["overview"], about, 20)


def file_of(name: str, what: str) -> str:
    """Name a picture of a model, below the demo's folder."""
    return f"{name}/{what}.png"
