"""`swapae card`: a model card, from what a model's files and its training say and what people tell."""

from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from swapae.cli.common import Common, CommonOptions, Flag, Report
from swapae.errors import UserError

Words = Annotated[str | None, arg(metavar="WORDS", help_behavior_hint="")]
Sentences = Annotated[tuple[str, ...], arg(metavar="WORDS …", help_behavior_hint="")]
Files = Annotated[tuple[Path, ...], arg(metavar="FILE …", help_behavior_hint="")]
Page = Annotated[Path | None, arg(aliases=["-o"], metavar="README.md", help_behavior_hint="")]


def card(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    *,
    out: Page = None,
    license: Annotated[str | None, arg(metavar="ID", help_behavior_hint="(default: unknown)")] = None,
    about: Words = None,
    data: Words = None,
    data_license: Annotated[str | None, arg(metavar="ID", help_behavior_hint="(default: unknown)")] = None,
    machine: Words = None,
    limit: Sentences = (),
    report: Files = (),
    no_picture: Flag = False,
    common: CommonOptions,
) -> Report:
    """Write a model card: data, cost, figures, limits, licence, files.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        out: The page to write; card.json and a picture come beside it. Without, the page is printed.
        license: Of the weights, Apache-2.0 say; a card without one says that it is unknown.
        about: What the model makes pictures of.
        data: What the data set is: pictures of what, by whom.
        data_license: Of the data set.
        machine: What it was trained on.
        limit: Limits of the model, a sentence each.
        report: Evaluations of these weights, as `swapae eval MODEL -o DIR` writes them.
        no_picture: No picture: that of a run shows images of its training.
    """
    folder, run = places(model)  # before torch comes: what is not there is said at once
    from swapae import cards
    from swapae.cards import Told

    made_of = gathered(folder, run)
    names = {model, str(Path(model).resolve()), str(folder.resolve())}
    names |= {str(run.resolve())} if run is not None else set()
    reports = cards.read_reports(report, names)
    told = Told(about, license, data, data_license, machine, limit, tuple(reports))
    name = str(made_of.get("name") or Path(model).absolute().name)
    found = cards.brought_up_to_date(made_of, folder, name, told)
    if out is None:
        common.show(cards.page_of(found, model).rstrip())
        return found
    is_elsewhere = folder.resolve() != out.parent.resolve()
    check_page(out, common.force, _coming(folder, run) if is_elsewhere and not no_picture else None)
    found.pop("picture", None)
    if not no_picture and (picture := picture_beside(folder, run, out.parent)) is not None:
        found["picture"] = picture
    cards.write_card(out.parent, found, model, page=out.name, force=common.force)
    common.say(f"wrote {out}")
    if found["license"] == "unknown":
        common.say("note: nobody has told the licence, and the card says so; tell it by --license")
    return {"output": str(out), "card": found}


def check_page(out: Path, force: bool, picture: str | None = None) -> None:
    """Refuse, before any work, a page that cannot be written or should not be.

    Args:
        out: the page.
        force: replace what is there.
        picture: name of the one that will come beside it, if one will.

    Raises:
        UserError: with the reason.
    """
    from swapae import box
    from swapae.files import check_free

    if out.suffix.lower() != ".md":
        raise UserError(f"{out} must be the name of a page, README.md say.")
    for name in (out.name, box.CARD, picture):
        if name is not None:
            check_free(out.with_name(name), force)


def _coming(folder: Path, run: Path | None) -> str | None:
    """Name the picture that `picture_beside` may put into another folder."""
    from swapae import box

    there = next((name for name in box.PICTURES if (folder / name).is_file()), None)
    is_drawn = run is not None or (folder / box.GALLERY).is_dir()
    return there or (box.PICTURES[0] if is_drawn else None)


# ── what is known ────────────────────────────────────────────────────────────────────────────────


def places(model: str) -> tuple[Path, Path | None]:
    """Find the folder of a model, and that of its run, if it is the model of one.

    Raises:
        UserError: there is no such model.
    """
    from swapae import box
    from swapae.locate import RUN_MODEL, find_weights

    weights = find_weights(model, box.WEIGHTS)
    if weights.name != box.WEIGHTS:
        raise UserError(f"{weights} is a file; name the folder of the model, with {box.WEIGHTS}.")
    folder = weights.parent
    runs = [place for place in (folder, folder.parent) if (place / "config.yaml").is_file()]
    is_run = bool(runs) and (runs[0] == folder or folder.name in (RUN_MODEL, "best"))
    return folder, runs[0] if is_run else None


def gathered(folder: Path, run: Path | None) -> dict[str, Any]:
    """Put together what a model's card says, where it comes from, and what its run says now.

    Raises:
        UserError: a file is damaged.
    """
    from swapae import box, sharing

    known = sharing.known_of(folder / box.WEIGHTS)
    if run is None:
        return known
    from swapae.presets import PRESETS
    from swapae.training.card import run_card
    from swapae.training.run import RunFolder

    told = run_card(RunFolder(run), PRESETS["church_pretrained"]())
    data = told["data"] | {key: value for key, value in (known.get("data") or {}).items() if value}
    training = told.get("training") or {}
    if machine := (known.get("training") or {}).get("machine"):
        training["machine"] = machine
    if known.get("license") not in (None, "unknown"):
        told.pop("license", None)
    known.setdefault("name", run.absolute().name)
    return known | told | {"data": data} | ({"training": training} if training else {})


def picture_beside(folder: Path, run: Path | None, into: Path) -> str | None:
    """Put a picture of swaps into a folder: the model's, or one of its gallery, or its run's last grid."""
    from swapae import box
    from swapae.files import write_bytes

    there = next((name for name in box.PICTURES if (folder / name).is_file()), None)
    if there is not None:
        if folder.resolve() != into.resolve():
            write_bytes(into / there, (folder / there).read_bytes())
        return there
    if (folder / box.GALLERY).is_dir():
        _draw(folder, into / box.PICTURES[0])
    elif run is not None:
        from swapae.training.card import keep_picture
        from swapae.training.run import RunFolder

        keep_picture(RunFolder(run), into)
    return next((name for name in box.PICTURES if (into / name).is_file()), None)


def _draw(folder: Path, path: Path) -> None:
    """Draw swaps of a gallery that has enough for it."""
    from swapae.cli.exhibit import NUM_NEEDED, Exhibit
    from swapae.galleries import gallery
    from swapae.images import save_image
    from swapae.model import SwappingAutoencoder

    samples = list(gallery(folder).values())
    if len(samples) >= NUM_NEEDED:
        net = SwappingAutoencoder.from_pretrained(folder, device="cpu")
        save_image(Exhibit.of(net, samples).swaps(), path, force=True, quality=92)


def write_card_of(run: Path, common: Common) -> None:
    """Write the card of the model of a run that has ended, beside it; what is in the way is only told."""
    from swapae import sharing
    from swapae.training.card import keep_picture
    from swapae.training.run import RunFolder

    try:
        folder, _ = places(str(run))
        known = gathered(folder, run)
        keep_picture(RunFolder(run), folder)
        sharing.put_card(folder, known, str(run), name=run.absolute().name)
    except (UserError, OSError) as error:
        common.say(f"note: no card was written: {error}")
