import re
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from swapae import UserError
from swapae.files import cache_folder
from swapae.metrics.fetch import REMOTES
from swapae.metrics.loaders import LOADERS, Nets
from swapae.metrics.nets import find_net, nets_folder, read_net


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWAPAE_WEIGHTS", raising=False)
    monkeypatch.delenv("SWAPAE_CACHE", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def put(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.safetensors").touch()
    return folder / "net.safetensors"


def test_a_named_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    assert find_net("other.safetensors", put(tmp_path)) == tmp_path / "net.safetensors"


def test_the_environment_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached, named = put(nets_folder()), put(tmp_path / "named")
    assert find_net("net.safetensors") == cached
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(named.parent))
    assert find_net("net.safetensors") == named


def test_the_cache_is_the_one_of_all_else_and_heeds_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nets_folder() == tmp_path / "cache" / "swapae" / "nets"
    monkeypatch.setenv("SWAPAE_CACHE", str(tmp_path / "mine"))
    assert nets_folder() == cache_folder() / "nets" == tmp_path / "mine" / "nets"
    kept = put(tmp_path / "mine" / "nets")
    assert find_net("net.safetensors") == kept


def test_a_folder_without_the_file_is_an_error_even_if_the_cache_has_it(tmp_path: Path) -> None:
    put(nets_folder())
    with pytest.raises(
        UserError, match=r"net\.safetensors is not in .*empty: .*`swapae metrics fetch n --to .*empty`"
    ):
        find_net("net.safetensors", tmp_path / "empty", "n")


def test_a_missing_net_is_one_sentence_with_every_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(tmp_path / "named"))
    with pytest.raises(UserError) as caught:
        find_net("net.safetensors")
    assert str(tmp_path / "named") in str(caught.value)
    assert str(nets_folder()) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(LOADERS.keys() - {"EffLite0"}))
def test_a_missing_net_is_never_fetched_unasked_but_its_fetching_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchvision", reason="the nets need the extra swapae[metrics]")
    for way in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, way, lambda *_: pytest.fail("asked the network"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked for an address"))
    with pytest.raises(UserError) as caught:
        Nets()[name]
    said = re.search(r"or run `swapae metrics fetch (\w+)`\.$", str(caught.value))
    assert said, str(caught.value)
    assert REMOTES[said[1]].filename in str(caught.value)  # what it brings is what was looked for
    assert "\n" not in str(caught.value)


def test_the_best_name_is_searched_everywhere_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = put(nets_folder())
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(tmp_path / "named"))
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "other.pth").touch()
    assert find_net(("net.safetensors", "other.pth")) == cached
    assert find_net(("none.pth", "other.pth")) == tmp_path / "named" / "other.pth"


def test_a_file_of_pytorch_is_read_as_tensors_alone(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    assert torch.equal(read_net(tmp_path / "a.pth")["a"], torch.ones(2))
    torch.save({"a": 1}, tmp_path / "b.pth")
    with pytest.raises(UserError, match=r"b\.pth holds no tensors by name"):
        read_net(tmp_path / "b.pth")


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("touched"),))


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Evil()}, "evil.pth")
    Path("torn.pth").write_bytes(Path("evil.pth").read_bytes()[:100])
    for name in ("evil.pth", "torn.pth"):
        with pytest.raises(UserError, match=name):
            read_net(Path(name))
    assert not Path("touched").exists()


def test_a_program_and_an_archive_that_would_be_unpacked_are_not_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "program.pth", "w") as archive:
        archive.writestr("net/constants.pkl", b"")
    with tarfile.open(tmp_path / "old.pth", "w") as archive:
        archive.add(__file__, "../storages")
    for name, what in (("program.pth", "an archive of TorchScript"), ("old.pth", "a tar archive")):
        with pytest.raises(UserError, match=f"{name} is {what}, .*tensors only"):
            read_net(tmp_path / name)
    assert not (tmp_path.parent / "storages").exists()
