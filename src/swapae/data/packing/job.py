"""`swapae data prepare`: pack a set of images, go on where it was interrupted, and end with the same bytes.

OUT/.swapae/…            what is done so far: settings, a journal, growing files; it is gone in the end
OUT/images.zip           or images/, shard-00000.tar … and index.jsonl, data.mdb: the pack
OUT/images.jsonl         a line per image: name, source, bytes, SHA-256, width, height
OUT/manifest.json        settings, counts, every image that could not be used with the reason; written last
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import PIL
from PIL import features

from swapae.data.open import MANIFEST, PREPARED, WORK
from swapae.data.packing.encoder import Encoded, Encoder, Encoding
from swapae.data.packing.journal import Entry, Journal
from swapae.data.packing.names import output_names
from swapae.data.packing.writers import FolderWriter, LmdbWriter, TarWriter, Writer, ZipWriter
from swapae.data.packs.folder import FolderPack
from swapae.data.packs.pack import Pack, is_name_outside
from swapae.data.pool import each
from swapae.data.transforms import DataConfig, ResizeRule
from swapae.errors import UserError
from swapae.files import reason, shown, write_text

Kind = Literal["folder", "zip", "tar", "lmdb"]

VERSION = 1
SETTINGS, JOURNAL, LOCK = "settings.json", "journal.jsonl", "lock"
LIST = "images.jsonl"
COMMIT_IMAGES, COMMIT_SECONDS = 64, 5.0  # after so many images or seconds the journal is written

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Packing:
    """How a set is packed.

    - kind: into what.
    - resize, size: the resize rule of DataConfig and its `load_size`; `none` leaves the pictures' sizes.
    - encoding, quality: of the images.
    - shard_bytes: how long a tar grows before the next begins.
    """

    kind: Kind = "zip"
    resize: ResizeRule = "none"
    size: int | None = None
    encoding: Encoding = "png"
    quality: int = 95
    shard_bytes: int = 256 << 20

    def encoder(self, pack: Pack) -> Encoder:
        """What turns an image of `pack` into its new bytes."""
        config = DataConfig(preprocess=self.resize, load_size=self.size or 1, crop="none", decode="exact")
        return Encoder(pack, config, self.encoding, self.quality)

    def writer(self, work: Path, out: Path) -> Writer:
        """What keeps the bytes.

        Raises:
            UserError: a package is missing for it.
        """
        if self.kind == "lmdb" and find_spec("lmdb") is None:
            raise UserError("An LMDB needs an extra: pip install 'swapae[lmdb]'.")
        if self.kind == "tar":
            return TarWriter(work, out, self.shard_bytes)
        if self.kind == "folder":
            return FolderWriter(work, out)
        return ZipWriter(work, out) if self.kind == "zip" else LmdbWriter(work, out)


def pack_images(
    pack: Pack, out: Path, packing: Packing, workers: int, progress: Progress, force: bool = False
) -> dict[str, Any]:
    """Pack all images that can be used into a folder; return the manifest.

    The same call goes on where an earlier one was ended, by whatever, and the result has the same bytes as
    one that was never interrupted. What is complete already is left as it is.

    Args:
        pack: the images.
        out: the folder; new, empty, or one that an earlier call made.
        packing: how.
        workers: processes that decode and encode; 0 does all in this one.
        progress: hears (number of images done, number of all).
        force: begin anew where the folder holds a packing of other images or settings.

    Raises:
        UserError: the folder holds other files, or what is done there is of other images or settings; or it
            cannot be written, or another process writes to it.
    """
    settings = _settings(pack, packing)
    _check_outside(pack, out)
    _check_free(out)
    try:
        with _locked(out):
            if force:
                _clear_unless(out, settings)
            complete = _manifest(out)
            if complete is not None:
                _check_same(out, complete["settings"], settings)
                shutil.rmtree(out / WORK, ignore_errors=True)
                return complete
            return _work(pack, out, packing, settings, workers, progress)
    except OSError as error:
        raise UserError(
            f"{shown(out)} cannot be written ({reason(error)}); the same command goes on from there."
        ) from None


def _work(
    pack: Pack, out: Path, packing: Packing, settings: dict[str, Any], workers: int, progress: Progress
) -> dict[str, Any]:
    work = out / WORK
    if (work / SETTINGS).exists():
        _check_same(out, _read_json(work / SETTINGS), settings)
    else:
        write_text(work / SETTINGS, json.dumps(settings, indent=2) + "\n")
    encoder, writer, journal = packing.encoder(pack), packing.writer(work, out), Journal(work / JOURNAL)
    names = output_names((pack.name_of(index) for index in range(pack.num_images)), encoder.suffix)
    try:
        writer.resume(_packed(journal.entries))
        if len(journal.entries) < len(names):
            _pack_rest(names, encoder, writer, journal, workers, progress)
        return _finish(pack, out, packing, settings, writer, journal)
    finally:
        writer.close()


def _pack_rest(
    names: Sequence[tuple[str, int]],
    encoder: Encoder,
    writer: Writer,
    journal: Journal,
    workers: int,
    progress: Progress,
) -> None:
    """Encode and write what the journal does not know; it learns of images once they are on the disk."""
    begin = len(journal.entries)
    numbers = [index for _, index in names[begin:]]
    fresh: list[Entry] = []
    told = time.monotonic()
    for place, encoded in enumerate(each(encoder, numbers, workers, encoder.died), begin):
        name, index = names[place]
        fresh.append(_write(writer, name, shown(encoder.pack.name_of(index)), encoded))
        if len(fresh) >= COMMIT_IMAGES or time.monotonic() - told >= COMMIT_SECONDS:
            _commit(writer, journal, fresh)
            told = time.monotonic()
        progress(place + 1, len(names))
    _commit(writer, journal, fresh)


def _write(writer: Writer, name: str, source: str, encoded: Encoded) -> Entry:
    if encoded.error is not None:
        return Entry(name, source, error=encoded.error)
    place = writer.add(name, encoded.data)
    return Entry(name, source, len(encoded.data), encoded.sha256, encoded.size, place)


def _commit(writer: Writer, journal: Journal, fresh: list[Entry]) -> None:
    writer.flush()
    journal.add(fresh)
    fresh.clear()


def _finish(
    pack: Pack, out: Path, packing: Packing, settings: dict[str, Any], writer: Writer, journal: Journal
) -> dict[str, Any]:
    entries = _packed(journal.entries)
    errors = [*pack.skipped, *((e.source, e.error) for e in journal.entries if e.error is not None)]
    if not entries:
        first = f"; the first: {errors[0][1]}" if errors else "."
        raise UserError(f"No image in {pack.name} can be used{first}")
    for torn in out.glob(".swapae-*.tmp"):  # of a call that was killed right here
        torn.unlink()
    writer.finish(entries)
    text = "".join(json.dumps(_row(entry)) + "\n" for entry in entries)
    write_text(out / LIST, text)
    manifest = {
        "format": PREPARED,
        "version": VERSION,
        "source": pack.name,
        "kind": packing.kind,
        "num_images": len(entries),
        "num_bytes": sum(entry.num_bytes for entry in entries),
        "images_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "settings": settings,
        "errors": [{"file": file, "reason": why} for file, why in errors],
    }
    write_text(out / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    shutil.rmtree(out / WORK, ignore_errors=True)
    return manifest


def _packed(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.error is None]


def _row(entry: Entry) -> dict[str, object]:
    width, height = entry.size
    sizes = {"bytes": entry.num_bytes, "sha256": entry.sha256, "width": width, "height": height}
    return {"file": entry.name, "source": entry.source, **sizes}


def packed_hashes(data: str | Path) -> dict[str, str]:
    """The SHA-256 of every image of a folder that was packed here, by its name in the pack; {} of another.

    Raises:
        UserError: the list was changed since.
    """
    manifest = _manifest(Path(data))
    if manifest is None:
        return {}
    try:
        lines = (Path(data) / LIST).read_bytes()
        rows = [json.loads(line) for line in lines.splitlines()]
        is_sound = hashlib.sha256(lines).hexdigest() == manifest["images_sha256"]
        prefix = "images/" if manifest["kind"] == "folder" else ""
        hashes = {prefix + row["file"]: str(row["sha256"]) for row in rows}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        is_sound, hashes = False, {}
    if not is_sound:
        raise UserError(f"{shown(Path(data) / LIST)} is not as it was written: prepare the images again.")
    return hashes


# ── whose folder it is ───────────────────────────────────────────────────────────────────────────


def _settings(pack: Pack, packing: Packing) -> dict[str, Any]:
    """All that the bytes depend on."""
    jpeg, webp = features.version("libjpeg_turbo"), features.version("webp")
    return {
        "num_images": pack.num_images,
        "fingerprint": pack.fingerprint(),
        **asdict(packing),
        "encoder": f"Pillow {PIL.__version__}, JPEG {jpeg}, WebP {webp}, zlib {features.version('zlib')}",
    }


def _check_outside(pack: Pack, out: Path) -> None:
    """What is written must not become part of what is read."""
    if isinstance(pack, FolderPack) and Path(os.path.realpath(out)).is_relative_to(
        os.path.realpath(pack.root)
    ):
        raise UserError(f"{shown(out)} lies inside the images of {pack.name}: give a place outside with -o.")


def _check_free(out: Path) -> None:
    """Refuse a folder that holds anything but an earlier packing."""
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise UserError(f"{shown(out)} is a file: give a folder with -o.")
    others = [path.name for path in out.iterdir() if not path.name.startswith(".")]
    if others and _manifest(out) is None and not (out / WORK / SETTINGS).exists():
        raise UserError(
            f"{shown(out)} holds other files ({shown(sorted(others)[0])}): give a new folder with -o."
        )


def _check_same(out: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    changed = [name for name in now if before.get(name) != now[name]]
    if not changed:
        return
    words = [f"{name} was {before.get(name)}, is {now[name]}" for name in changed if name != "fingerprint"]
    what = shown("; ".join(words) or "a file was changed")
    fix = "give another folder with -o, or --force to begin anew"
    raise UserError(f"{shown(out)} holds a packing of other images or settings ({what}): {fix}.")


def _clear_unless(out: Path, settings: Mapping[str, Any]) -> None:
    """Remove an earlier packing of other images or settings: what it has written, and nothing else."""
    complete, work = _manifest(out), out / WORK
    if complete is not None and complete["settings"] != settings:
        kind = complete["kind"]
    elif complete is None and (work / SETTINGS).exists() and _read_json(work / SETTINGS) != settings:
        kind = _read_json(work / SETTINGS).get("kind")
    else:
        return
    for path in _files_of(out, kind):
        path.unlink(missing_ok=True)
    _remove_empty(out / "images")
    for path in [path for path in work.iterdir() if path.name != LOCK]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _files_of(out: Path, kind: object) -> Iterator[Path]:
    """The files that a packing of this kind leaves, the manifest first: without it they count for nothing."""
    yield out / MANIFEST
    if kind == "folder":
        yield from (out / "images" / name for name in _listed(out) if not is_name_outside(name))
    elif kind == "tar":
        yield from sorted(out.glob("shard-*.tar"))
        yield out / "index.jsonl"
    else:
        yield out / ("data.mdb" if kind == "lmdb" else "images.zip")
    yield out / LIST


def _listed(out: Path) -> list[str]:
    """The names of the images of a packing, complete or not."""
    if (out / LIST).exists():
        return [json.loads(row)["file"] for row in (out / LIST).read_text(encoding="utf-8").splitlines()]
    return [entry.name for entry in Journal(out / WORK / JOURNAL).entries]


def _remove_empty(folder: Path) -> None:
    for path, _, _ in os.walk(folder, topdown=False):
        if not os.listdir(path):
            os.rmdir(path)


def _manifest(out: Path) -> dict[str, Any] | None:
    found = _read_json(out / MANIFEST)
    is_ours = found.get("format") == PREPARED and isinstance(found.get("settings"), dict)
    return found if is_ours else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep a second process out while one works in a folder; a lock ends with its process."""
    (out / WORK).mkdir(parents=True, exist_ok=True)
    with open(out / WORK / LOCK, "ab") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows
            pass
        except BlockingIOError:
            raise UserError(
                f"another process prepares {shown(out)} at this moment: wait for its end."
            ) from None
        try:
            yield
        finally:
            if (out / WORK).exists() and os.listdir(out / WORK) == [LOCK]:  # nothing was begun
                shutil.rmtree(out / WORK, ignore_errors=True)
