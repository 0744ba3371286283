from pathlib import Path

import pytest

from swapae import UserError
from swapae.metrics.nets import cache_folder, find_net


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWAPAE_WEIGHTS", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def put(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.safetensors").touch()
    return folder / "net.safetensors"


def test_a_named_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    assert find_net("other.safetensors", put(tmp_path)) == tmp_path / "net.safetensors"


def test_the_environment_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached, named = put(cache_folder()), put(tmp_path / "named")
    assert find_net("net.safetensors") == cached
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(named.parent))
    assert find_net("net.safetensors") == named


def test_a_folder_without_the_file_is_an_error_even_if_the_cache_has_it(tmp_path: Path) -> None:
    put(cache_folder())
    with pytest.raises(UserError, match=r"net\.safetensors is not in .*empty: .*--weights.*SWAPAE_WEIGHTS"):
        find_net("net.safetensors", tmp_path / "empty")


def test_a_missing_net_is_one_sentence_with_every_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(tmp_path / "named"))
    with pytest.raises(UserError) as caught:
        find_net("net.safetensors")
    assert str(tmp_path / "named") in str(caught.value)
    assert str(cache_folder()) in str(caught.value)
    assert "\n" not in str(caught.value)
