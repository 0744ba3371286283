"""The runtime that comes along is the one that npm has, to the byte."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from swapae.browser import renew as renewing
from swapae.browser.renew import renew
from swapae.browser.runtime import FOLDER, LICENCES, WANTED, manifest, names
from swapae.errors import UserError

# Of onnxruntime-web 1.30.0 as npm has it: integrity of the tarball, and SHA-256 of its files.
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
PINNED = {
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    "ort.webgpu.min.mjs": "3dffff71811bc13a3a3d9591c57ca5ee5735b8f5f3eaf789510b02bb040ae3a0",
    "ort-wasm-simd-threaded.asyncify.mjs": "3d1c85995364bb643302fc6fd877a0c3ba5ae72401815e0f24828a53d9191e28",
    "ort-wasm-simd-threaded.asyncify.wasm": (
        "39f9f0894d478800487ed9f7dbe92618498db320cf55c8e3d89adff8dce658da"
    ),
}
MOST_BYTES = 12_000_000  # of the package, for all of it


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def test_every_file_is_the_one_that_npm_has() -> None:
    found = {name: hashlib.sha256(unpacked(FOLDER / to)).hexdigest() for name, to in WANTED.items()}
    assert found == PINNED
    assert (manifest()["package"], manifest()["version"]) == ("onnxruntime-web", "1.30.0")
    assert manifest()["integrity"] == INTEGRITY
    assert {one["from"]: one["sha256"] for one in manifest()["files"]} == {
        f"dist/{name}": digest for name, digest in PINNED.items()
    }


def test_nothing_else_lies_there_its_licences_do_and_it_stays_small() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(names())
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
    licence, notices = (FOLDER / name for name in LICENCES.values())
    assert "MIT License" in licence.read_text()
    assert "Eigen" in notices.read_text(encoding="utf-8")


def test_it_is_renewed_from_a_tarball_of_npm_and_from_no_other_file(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed, whose licence is taken")
    tarball = tmp_path / "ort.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        for name, data in {
            "package.json": json.dumps({"name": renewing.PACKAGE, "version": "9.9.9"}).encode(),
            **{f"dist/{name}": name.encode() * 100 for name in WANTED},
        }.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    told = renew(tarball, tmp_path / "ort")
    assert told["version"] == "9.9.9"
    for one in told["files"]:
        data = unpacked(tmp_path / "ort" / one["file"])
        assert data == Path(one["from"]).name.encode() * 100
        assert one["sha256"] == hashlib.sha256(data).hexdigest()
    (tmp_path / "no.tgz").write_bytes(b"no tarball")
    with pytest.raises(UserError, match=r"no\.tgz is no tarball of onnxruntime-web"):
        renew(tmp_path / "no.tgz", tmp_path / "other")
    assert not (tmp_path / "other").exists()
