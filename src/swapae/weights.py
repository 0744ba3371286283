"""Tensors in safetensors files: saved whole or not at all, loaded strictly and with a readable report.

Nothing here knows a network: files hold names, tensors and a few words of metadata.
"""

import hashlib
import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from swapae.errors import UserError
from swapae.files import check_free, shown, written_whole

SHOWN = 8  # names of one kind that a report lists before it only counts them


def save_tensors(
    path: str | Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    force: bool = False,
) -> None:
    """Write a safetensors file; it appears whole or not at all.

    Args:
        path: file to write; its folder is made.
        tensors: names and tensors, on any device.
        metadata: words kept in the file's header.
        force: replace an existing file.

    Raises:
        UserError: the file exists already, or cannot be written.
    """
    path = Path(path)
    check_free(path, force)
    saved = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with written_whole(path) as beside:
        try:
            save_file(saved, beside, metadata=dict(metadata) if metadata else None)
        except SafetensorError as error:  # it wraps what the system says, "No space left on device" say
            raise OSError(str(error)) from error
        with open(beside, "rb+") as file:
            _sort_metadata(file)


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read all tensors (on the CPU) and the metadata of a safetensors file.

    Raises:
        UserError: the file is missing, damaged, or not a safetensors file.
    """
    with _opened(Path(path)) as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def refuse_programs(path: Path, instead: str) -> None:
    """Refuse a file saved by PyTorch whose kind can do more than hold tensors, before torch opens it.

    Args:
        path: of a file that `torch.load` is to read.
        instead: what such a file should be, a sentence for the message.

    Raises:
        UserError: it is an archive of TorchScript, or one that torch would unpack.
    """
    if _is_program(path):
        what = "an archive of TorchScript, which is a program"
    elif _is_tar(path):
        what = "a tar archive, which would be unpacked to be read"
    else:
        return
    raise UserError(f"{path} is {what}, and was not read. {instead}")


def load_kept(
    path: str | Path, format: str, what: str, maker: str
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file of one format of this program.

    Args:
        path: of the file.
        format: that its metadata must name.
        what: it holds, for messages.
        maker: the command that makes one, for messages.

    Raises:
        UserError: the file is missing, damaged, or of another format.
    """
    if not Path(path).is_file():
        raise UserError(f"{shown(path)} is no file; `{maker}` makes one.")
    tensors, metadata = load_tensors(path)
    refuse_later(metadata.get("format"), format, path)
    if metadata.get("format") != format:
        raise UserError(f"{shown(path)} holds no {what} ({format}); `{maker}` makes such files.")
    return tensors, metadata


def refuse_later(found: str | None, known: str, path: str | Path) -> None:
    """Refuse a file of a later form of the same format, `swapae.codes/2` where `swapae.codes/1` is known.

    Raises:
        UserError: as said.
    """
    name, _, number = (found or "").partition("/")
    own, _, last = known.partition("/")
    if name == own and number.isdecimal() and int(number) > int(last):
        raise UserError(
            f"{shown(path)} was written by a later version of swapae: it is {found}, and this version "
            f"reads {known}. Update swapae."
        )


def read_metadata(path: str | Path) -> dict[str, str]:
    """Read the metadata alone: only the file's header is touched.

    Raises:
        UserError: as `load_tensors`.
    """
    with _opened(Path(path)) as file:
        return file.metadata() or {}


def load_strict(module: nn.Module, tensors: Mapping[str, Tensor], what: str) -> list[str]:
    """Load every tensor of `module`, or nothing.

    Args:
        module: takes the tensors; floats are converted to its own type.
        tensors: exactly the names of its `state_dict`, in its shapes.
        what: what the tensors are, for messages: a path, say.

    Returns:
        a phrase for every conversion, "12 of 12 tensors converted from float16 to float32"; none as a rule.

    Raises:
        UserError: a report of all that is missing, unknown, of another shape, or no number of the right kind.
    """
    wanted = module.state_dict()
    lines = misfits(wanted, tensors)
    if lines:
        raise UserError(report(f"{what} does not fit the {type(module).__name__}", lines))
    module.load_state_dict(tensors)
    pairs = ((tensors[name], mine) for name, mine in wanted.items())
    kinds = Counter((_name(theirs), _name(mine)) for theirs, mine in pairs if theirs.dtype != mine.dtype)
    return [f"{num} of {len(wanted)} tensors converted from {a} to {b}" for (a, b), num in kinds.items()]


class NothingDrawn(TorchFunctionMode):
    """Leaves random weights undrawn where they would only be overwritten; torch's generator stays as it is.

    The "meta" device would do so too, but the first computation on it imports half of torch: a second.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return (torch.empty if func is torch.randn else func)(*args, **(kwargs or {}))


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Hash names, types, shapes and bytes, in order of the names: SHA-256 in hexadecimal."""
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        hasher.update(f"{name}\0{_name(tensor)}\0{list(tensor.shape)}\0".encode())
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()


def misfits(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> list[str]:
    """Say how `tensors` differ from the wanted names, shapes and kinds of number, a line a sort of misfit.

    Args:
        wanted: what must be there; values do not matter, so they may be on the "meta" device.
        tensors: what is there.
    """
    shared = [name for name in wanted if name in tensors]
    sorts = {
        "missing": [name for name in wanted if name not in tensors],
        "unknown": [name for name in tensors if name not in wanted],
        "wrong shape": [
            f"{name} is {list(tensors[name].shape)}, must be {list(wanted[name].shape)}"
            for name in shared
            if tensors[name].shape != wanted[name].shape
        ],
        "wrong type": [
            f"{name} is {_name(tensors[name])}, must be {_name(wanted[name])}"
            for name in shared
            if tensors[name].is_floating_point() != wanted[name].is_floating_point()
        ],
    }
    return [
        f"{sort}, {len(names)} of {len(wanted)}: {listed(names)}" for sort, names in sorts.items() if names
    ]


def report(sentence: str, lines: Iterable[str]) -> str:
    """Put lines of detail under a sentence."""
    return "".join([f"{sentence}:", *(f"\n  {line}" for line in lines)])


def listed(names: Iterable[str], num_shown: int = SHOWN) -> str:
    """Join names for a report: the first few, then how many more there are."""
    known = list(names)
    more = f" and {len(known) - num_shown} more" if len(known) > num_shown else ""
    return ", ".join(known[:num_shown]) + more


def _sort_metadata(file: BinaryIO) -> None:
    """Put a file's metadata in order: safetensors takes any, but the same weights must give the same bytes.

    A file begins with the length of its header, 8 bytes, little-endian; then comes JSON, padded by spaces.
    """
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode().ljust(length)
        if len(text) == length:  # it is: the same characters in another order
            file.seek(8)
            file.write(text)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; whatever is wrong with it becomes one sentence."""
    if not path.is_file():
        what = "is a folder, not a weights file" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {what}; name a .safetensors file.")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        if _is_pickle(path):
            raise UserError(
                f"{path} is a PyTorch checkpoint, not a safetensors file; `swapae convert` makes one of it."
            ) from error
        raise UserError(f"{path} is damaged or not a safetensors file ({error}).") from error


def _is_program(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def _is_tar(path: Path) -> bool:
    """Whether torch would take it for a file of its first versions: it would unpack that to a folder."""
    try:
        with tarfile.open(path, "r:"):
            return True
    except Exception:  # most files are none, and whoever looks closer says what they are
        return False


def _is_pickle(path: Path) -> bool:
    """Whether the file begins as `torch.save` writes it: a zip archive, or a bare pickle as of old."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError:
        return False
    return head == b"PK\x03\x04" or head[:1] == b"\x80"


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
