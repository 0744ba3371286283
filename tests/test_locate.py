import os
from collections.abc import Callable
from pathlib import Path

import pytest

from swapae.errors import UserError
from swapae.locate import find_weights

FILE = "model.safetensors"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "some" / FILE
    path.parent.mkdir()
    path.write_bytes(b"")
    return path


def test_a_folder_or_the_file_itself_is_found(weights: Path) -> None:
    for name in (weights.parent, str(weights.parent), weights, str(weights)):
        assert find_weights(name, FILE) == weights


def test_a_file_of_another_name_is_taken_by_its_suffix(weights: Path) -> None:
    other = weights.rename(weights.with_name("mine.safetensors"))
    assert find_weights(other, FILE) == other


def test_a_run_directory_is_found_by_its_model_folder(tmp_path: Path, weights: Path) -> None:
    weights.parent.rename(tmp_path / "model")
    assert find_weights(tmp_path, FILE) == tmp_path / "model" / FILE


def test_a_relative_folder_wins_over_a_hub_id(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(weights.parents[1])
    (weights.parents[1] / "user").mkdir()
    weights.parent.rename(weights.parents[1] / "user" / "name")
    assert find_weights("user/name", FILE) == Path("user/name") / FILE


def test_the_home_folder_is_expanded(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(weights.parents[1]))
    monkeypatch.setenv("USERPROFILE", str(weights.parents[1]))
    assert find_weights("~/some", FILE) == weights


@pytest.mark.parametrize(
    "name", ["nothing", "./a", "../a", "a/b/c", "~nobody-there/a/b", "a b/c", "-x/y", ""]
)
def test_a_name_that_can_be_nothing_is_refused_without_asking_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("swapae.locate.fetch", lambda *_, **__: pytest.fail("the hub was asked"))
    with pytest.raises(UserError, match="no model"):
        find_weights(name, FILE)


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no model: there is no model\.safetensors in it"):
        find_weights(tmp_path, FILE)


def test_a_checkpoint_is_pointed_to_convert(tmp_path: Path) -> None:
    path = tmp_path / "latest.pth"
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"latest\.pth is not a model; .*swapae convert"):
        find_weights(path, FILE)


# ── the hub, which no test asks ──────────────────────────────────────────────────────────────────


def http_error(kind: str) -> Exception:
    """Make an error of the hub's client without the response it came with."""
    from huggingface_hub import errors

    error = getattr(errors, kind)
    made: Exception = error.__new__(error)
    Exception.__init__(made, "told\nat length")
    return made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: http_error("RepositoryNotFoundError"),
            r"the hub has no model\.safetensors under 'user/name'",
        ),
        (lambda: http_error("RevisionNotFoundError"), "under 'user/name' at revision 'v2'"),
        (lambda: http_error("RemoteEntryNotFoundError"), "under 'user/name'"),
        (lambda: http_error("GatedRepoError"), "asks for a login"),
        (lambda: http_error("LocalEntryNotFoundError"), "check the name and the connection"),
        (lambda: http_error("HfHubHTTPError"), r"could not be fetched from the hub \(HfHubHTTPError: told\)"),
        (lambda: OSError("disk is full"), r"OSError: disk is full"),
        (lambda: RuntimeError(), r"RuntimeError: \)"),
    ],
)
def test_whatever_the_hub_answers_becomes_one_sentence(
    make: Callable[[], Exception], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise make()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(UserError, match=message) as caught:
        find_weights("user/name", FILE, revision="v2")
    assert "\n" not in str(caught.value)


def test_the_hub_is_asked_for_the_file_and_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def answer(*arguments: object, **options: object) -> str:
        asked.extend([*arguments, options])
        return os.fspath(tmp_path / FILE)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", answer)
    assert find_weights("user/na-me.2", FILE, revision="v2", local_files_only=True) == tmp_path / FILE
    assert asked == ["user/na-me.2", FILE, {"revision": "v2", "local_files_only": True}]
