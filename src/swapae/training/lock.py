"""One trainer in a run folder at a time.

The system's own lock on RUN/.lock is used where there is one: it goes when its process goes, however that
ends. Where there is none (Windows, some network file systems) a file that can be made only once stands for
it; it is taken over when its process is known to be dead, and never on a guess.
"""

import errno
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from swapae.errors import UserError, WriteError
from swapae.files import reason

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}

Release = Callable[[], None]


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep others out of a run folder, which is made, and removed again if nothing has come to lie in it.

    Raises:
        UserError: another process trains there, or nothing can be written there.
    """
    is_new = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        release = _take(root / ".lock")
    except OSError as error:
        raise WriteError(f"{root} cannot be written: {reason(error)}.") from error
    try:
        yield
    finally:
        release()
        if is_new:
            with suppress(OSError):
                root.rmdir()


def _take(path: Path) -> Release:
    try:
        return _flock(path)
    except ImportError:
        return _claim(path.with_name(path.name + "-claim"))
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        path.unlink(missing_ok=True)
        return _claim(path.with_name(path.name + "-claim"))


# ── with locks ───────────────────────────────────────────────────────────────────────────────────


def _flock(path: Path) -> Release:
    """Lock a file. It is removed while locked: one that was locked need not be the one that lies there."""
    import fcntl

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise _taken(path) from None
        except OSError:
            os.close(descriptor)
            raise
        if _is_at(path, descriptor):
            break
        os.close(descriptor)
    _leave_in_children(descriptor)
    with suppress(OSError):  # a full disk: then the message to others knows less
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _self().encode(), 0)

    def release() -> None:
        with suppress(OSError):
            path.unlink()
        _held.discard(descriptor)
        os.close(descriptor)

    return release


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


_held: set[int] = set()


def _leave_in_children(descriptor: int) -> None:
    """A forked process shares the lock and would hold it after us: it closes what it got."""
    if not _held and not getattr(_leave_in_children, "is_registered", False):
        os.register_at_fork(after_in_child=_close_held)
        _leave_in_children.is_registered = True  # type: ignore[attr-defined]
    _held.add(descriptor)


def _close_held() -> None:
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


# ── without ──────────────────────────────────────────────────────────────────────────────────────


def _claim(path: Path) -> Release:
    """Make a file that must not be there. A dead one's is removed, by one at a time: who makes a folder."""
    breaking = path.with_name(path.name + "-ends")
    try:
        _write_new(path)
    except FileExistsError:
        try:
            breaking.mkdir()
        except FileExistsError:
            raise _taken(path, breaking) from None
        try:
            if not _is_dead(path):
                raise _taken(path, path) from None
            path.unlink()
            _write_new(path)
        except FileExistsError:
            raise _taken(path, path) from None
        finally:
            breaking.rmdir()
    return lambda: path.unlink(missing_ok=True)


def _write_new(path: Path) -> None:
    """Let the file appear with all it says: one without would belong to nobody for a moment."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(_self(), encoding="utf-8")
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links
        with open(path, "x", encoding="utf-8") as file:
            file.write(_self())
    finally:
        beside.unlink()


def _is_dead(path: Path) -> bool:
    """Whether the process that wrote the file ran on this machine and is gone; unsure is no."""
    owner = _owner(path)
    pid, born = owner.get("pid"), owner.get("born")
    if owner.get("host") != socket.gethostname() or not isinstance(pid, int) or os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return bool(born) and bool(_born(pid)) and born != _born(pid)


# ── who ──────────────────────────────────────────────────────────────────────────────────────────


def _self() -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    me = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "born": _born(os.getpid())}
    return json.dumps(me) + "\n"


def _born(pid: int) -> str:
    """Tell a process from a later one of its number: the boot and the tick it began at, where Linux says."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return f"{boot} {fields.rpartition(')')[2].split()[19]}"
    except (OSError, IndexError):
        return ""


def _owner(path: Path) -> dict[str, object]:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _taken(path: Path, left: Path | None = None) -> UserError:
    owner = _owner(path)
    who = (
        f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
        if "pid" in owner
        else "another process"
    )
    fix = f"; if it is gone, remove {left}" if left else ""
    return UserError(
        f"{path.parent} is being trained by {who}: wait for it, stop it, or give another -o{fix}."
    )
