"""A first taste of training: a few minutes on the generated domain, then a picture beside the truth."""

from pathlib import Path
from typing import TYPE_CHECKING

from swapae.cli.common import Common, Report
from swapae.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

    from swapae.training.loop import RunSummary

NUM_STRUCTURES = NUM_TEXTURES = 5
UNSEEN_SEED = 1  # training draws its scenes from seed 0
SIZE, ENLARGE = 64, 2
FEW_IMAGES = 600  # below this, hybrids are one grey
NOTICE = """\
This is a first taste, not a trained model: trained for {minutes:g} min on generated pictures.
Expect blurred forms that begin to take colours over; a real model trains for hours or days."""


def taste(out: Path, minutes: float, common: Common) -> Report:
    """Train for some minutes more in `out/run`, and draw `out/grid.png`; with force it begins anew.

    Raises:
        UserError: the picture is there, but not from here.
    """
    run, picture = out / "run", out / "grid.png"
    if picture.exists() and not (run / "config.yaml").exists() and not common.force:
        raise UserError(
            f"{picture} was not made by the demo: use --force to overwrite it, or -o for another place."
        )
    common.say(NOTICE.format(minutes=minutes))
    summary = _train(run, minutes, common)

    from swapae.images import save_image

    save_image(comparison(str(run), common.device), picture, force=True)
    common.say(f"trained on {summary.images_seen:,} images so far; run it again to train on")
    if summary.images_seen < FEW_IMAGES:
        common.say("so few teach next to nothing: the machine is slow or busy, give it more minutes")
    common.say("left: structures (first column) wearing textures (first row); right: the true swaps")
    common.show(f"wrote {picture}")
    return {"output": str(picture), "run": str(run), "images_seen": summary.images_seen}


def _train(run: Path, minutes: float, common: Common) -> "RunSummary":
    from swapae.cli.progress import Countdown
    from swapae.cli.stopping import stop_on_interrupt
    from swapae.cli.train import begin_anew
    from swapae.config import with_overrides
    from swapae.presets import PRESETS
    from swapae.training.loop import train
    from swapae.training.report import Quiet

    often = {"log_images": 32, "snapshot_images": 10**9, "checkpoint_images": 10**9, "total_images": 10**9}
    config = with_overrides(PRESETS["synthetic64"](), often)
    if common.force:
        begin_anew(run, config, "synthetic", common.device)
    clock = Countdown(60 * minutes)
    reporter = Quiet() if common.quiet else clock
    with stop_on_interrupt(common.quiet) as asked:
        summary = train(
            config,
            "synthetic",
            run,
            device=common.device,
            reporter=reporter,
            stop=lambda: asked() or clock.is_over(),
        )
        if asked():
            raise KeyboardInterrupt(f"saved at {summary.images_seen:,} images; the same command goes on.")
    return summary


def comparison(model: str, device: str) -> "Image":
    """Structures × textures by the model and, beside, as they truly are: scenes that training never drew."""
    from PIL.Image import fromarray

    from swapae.cli.hybrids import Coder
    from swapae.data.synthetic import render, sample_scenes, structure_of, texture_of
    from swapae.images import grid, resize

    coder = Coder.load(model, device)
    scenes = sample_scenes(UNSEEN_SEED, range(100))
    forms, stuffs = structure_of(scenes), texture_of(scenes)
    rows = first_of_each(forms.form.tolist(), range(50), NUM_STRUCTURES)
    columns = first_of_each(stuffs.material.tolist(), range(50, 100), NUM_TEXTURES)
    structures, textures = (
        [fromarray(pixels) for pixels in render(forms[some], stuffs[some], SIZE)] for some in (rows, columns)
    )
    encoded = [coder.encode(picture) for picture in textures]
    header: list[Image | None] = [None, *textures]
    made, true = [header], [header]
    for row, picture in zip(rows, structures, strict=True):
        own = coder.encode(picture)
        made.append([picture, *(coder.hybrid(own, other) for other in encoded)])
        swaps = render(forms[[row]], stuffs[columns], SIZE)
        true.append([picture, *(fromarray(pixels) for pixels in swaps)])
    sheet = grid([[grid(made), grid(true)]], gap=12)
    return resize(sheet, (ENLARGE * sheet.width, ENLARGE * sheet.height))


def first_of_each(kinds: "Sequence[int]", places: range, count: int) -> list[int]:
    """The first `count` of the places that hold different kinds."""
    found: dict[int, int] = {}
    for place in places:
        found.setdefault(kinds[place], place)
    return list(found.values())[:count]
