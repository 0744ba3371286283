"""`swapae data`: look at a set of images before a training, and pack one."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from swapae.cli.common import Common, CommonOptions, OutFolder, Report, UsageError

if TYPE_CHECKING:
    from swapae.data.transforms import DataConfig

SECONDS_BETWEEN = 10.0  # between two lines about the progress, where there is no terminal
NUM_NAMED = 10  # rejects that are said one by one

Data = Annotated[Positional[str], arg(metavar="DATA")]
Side = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Preset = Annotated[str | None, arg(metavar="P", help_behavior_hint="")]
Rule = Annotated[
    Literal["fixsize", "resize", "scale_width", "scale_shortside", "scale_longside"] | None,
    arg(help_behavior_hint=""),
]
Page = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")]
Workers = Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: one per core)")]


def data_check(
    data: Data,
    *,
    size: Side = None,
    preset: Preset = None,
    html: Page = None,
    workers: Workers = None,
    common: CommonOptions,
) -> Report:
    """Decode every image of a set, and name those that cannot be used, or are odd.

    Told of are files that cannot be used, each with the reason; images too small for a size, rotated by EXIF,
    gray, with transparent parts; and near-duplicates. Nothing is changed. The exit status is 0 also where
    some cannot be used: training skips them too. It is 1 if there is no such set.

    Args:
        data: A folder of images, a zip, tar or LMDB, or hf:NAME.
        size: Tell images whose shorter side is less than this.
        preset: Tell images that are too small for this preset.
        html: Write a page with thumbnails here; it loads nothing from elsewhere.
        workers: Processes that decode; 0 decodes in this one.
    """
    from swapae.data.check.report import check, to_json, to_lines
    from swapae.data.open import open_pack
    from swapae.data.packing.job import packed_hashes
    from swapae.files import check_free, write_text

    config = sizes_wanted(size, preset)
    if html is not None:
        check_free(html, common.force)
    pack = open_pack(data)
    progress, hashes = progress_for(common, "looked at"), packed_hashes(data)
    found = check(pack, config, processes(workers), progress, hashes)
    for line in to_lines(found):
        common.show(line)
    report = to_json(found)
    if html is not None:
        from swapae.data.check.page import to_html

        write_text(html, to_html(found, pack))
        common.say(f"wrote {html}")
        report["html"] = str(html)
    return report


def data_prepare(
    data: Data,
    *,
    out: OutFolder,
    format: Literal["folder", "zip", "tar", "lmdb"] = "zip",
    size: Side = None,
    resize: Rule = None,
    encode: Literal["png", "jpeg", "webp", "keep"] = "png",
    quality: Annotated[int, arg(metavar="N")] = 95,
    shard_mb: Annotated[int, arg(metavar="N")] = 256,
    workers: Workers = None,
    common: CommonOptions,
) -> Report:
    """Pack a set of images at their size, for trainings to read: swapae train DIR.

    The same command goes on where it was ended, by whatever, and gives the same bytes as if it had not been.
    Images that cannot be used are left out, and listed in DIR/manifest.json with the reason; DIR/images.jsonl
    has the name, size and SHA-256 of every other. With --force a packing of other images or settings is
    removed first.

    Args:
        data: A folder of images, a zip, tar or LMDB, or hf:NAME.
        out: The folder to write: new, or one this command has begun.
        format: A folder of files, an uncompressed zip, tar shards with an index, or an LMDB.
        size: The side to which images are brought, as data.load_size; without it they keep their sizes.
        resize: How, as data.preprocess; scale_shortside if --size is given.
        encode: How images are written; png is exact, keep leaves their bytes as they are.
        quality: Of jpeg and webp, 1 to 100.
        shard_mb: Megabytes (2^20 bytes) after which another tar begins.
        workers: Processes that decode and encode; 0 works in this one.
    """
    from swapae.data.check.report import counted
    from swapae.data.open import open_pack
    from swapae.data.packing.job import Packing, pack_images

    if size is None and resize is not None:
        raise UsageError("--resize needs --size.")
    if encode == "keep" and size is not None:
        raise UsageError("--encode keep leaves images as they are: it does not go with --size.")
    _check_least("size", size)
    _check_least("shard-mb", shard_mb)
    if not 1 <= quality <= 100:
        raise UsageError(f"--quality must be 1 to 100, not {quality}.")
    rule = "none" if size is None else resize or "scale_shortside"
    packing = Packing(format, rule, size, encode, quality, shard_mb << 20)
    progress = progress_for(common, "packed")
    try:
        manifest = pack_images(open_pack(data), out, packing, processes(workers), progress, common.force)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{out} is not complete; the same command goes on.") from None
    for error in manifest["errors"][:NUM_NAMED]:
        common.say(f"left out: {error['reason']}")
    left_out = len(manifest["errors"])
    if left_out > NUM_NAMED:
        common.say(f"… and {left_out - NUM_NAMED:,} more, see {out / 'manifest.json'}")
    images = f"{manifest['num_images']:,} images, {manifest['num_bytes'] / 1e6:,.1f} MB"
    common.say(f"{out} holds {images}; left out: {counted(left_out, 'file')}. Train with: swapae train {out}")
    kept = ("kind", "num_images", "num_bytes", "images_sha256", "errors")
    return {"output": str(out), **{name: manifest[name] for name in kept}}


def sizes_wanted(size: int | None, preset: str | None) -> "DataConfig | None":
    """What images are to be brought to.

    Raises:
        UsageError: both are given, or there is no such size or preset.
    """
    from swapae.config import unknown
    from swapae.data.transforms import DataConfig

    if size is not None and preset is not None:
        raise UsageError("Give --size or --preset, not both: a preset has its own size.")
    if size is not None:
        _check_least("size", size)
        return DataConfig(load_size=size, crop_size=size)
    if preset is None:
        return None
    from swapae.presets import PRESETS

    if preset not in PRESETS:
        raise UsageError(unknown(f"preset '{preset}'", preset, PRESETS) + " swapae presets lists them.")
    return PRESETS[preset]().data


def processes(workers: int | None) -> int:
    """The number of processes asked for, or one per core; on one core none beside this one.

    Raises:
        UsageError: it is below 0.
    """
    from swapae.data.pool import available_cores

    if workers is None:
        cores = available_cores()
        return cores if cores > 1 else 0
    _check_least("workers", workers, 0)
    return workers


def _check_least(name: str, value: int | None, least: int = 1) -> None:
    if value is not None and value < least:
        raise UsageError(f"--{name} must be {least} or more, not {value}.")


def progress_for(common: Common, done: str) -> Callable[[int, int], None]:
    """Hear of progress, and tell of it on standard error: in one line of a terminal, or now and then."""
    is_terminal, told = sys.stderr.isatty(), [time.monotonic()]

    def tell(number: int, total: int) -> None:
        now = time.monotonic()
        is_last = is_terminal and number == total
        if common.quiet or (now - told[0] < (0.2 if is_terminal else SECONDS_BETWEEN) and not is_last):
            return
        told[0] = now
        text = f"{number:,} of {total:,} images {done}"
        ending = "\n" if not is_terminal else "\r\x1b[K" if is_last else "\r"
        sys.stderr.write(("" if is_last else text) + ending)
        sys.stderr.flush()

    return tell
