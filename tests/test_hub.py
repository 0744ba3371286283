"""Models on the hub, by the hub's own client, against a hub on this machine: loaded, shared, refused."""

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants as constants
import pytest
import torch
from huggingface_hub import ModelCard
from tests.docs import not_run
from tests.docs.pages import ROOT, blocks, commands, program_words
from tests.hub_server import READER, TOKEN, Hub, serving

from swapae import SwappingAutoencoder, box, gallery, hub
from swapae.cli.main import main
from swapae.errors import UserError
from swapae.locate import find_weights

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<")  # of the hub's client, to httpx

Streams = pytest.CaptureFixture[str]
NAME = "user/name"


@pytest.fixture(scope="module")
def server() -> Iterator[Hub]:
    with serving() as found:
        yield found


@pytest.fixture
def online(server: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub of this test, with nothing on it and nothing in the cache; one is logged in and may write."""
    for part in (server.repositories, server.large, server.asked, server.messages):
        part.clear()
    server.breaks = "^$"
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # between retries
    monkeypatch.chdir(tmp_path)
    return server


@pytest.fixture
def anonymous(online: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody is logged in."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))


def load(name: str | Path = NAME, **options: object) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(name, device="cpu", **options)  # type: ignore[arg-type]


def files_of(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def changed(files: dict[str, bytes], folder: Path, place: Path) -> dict[str, bytes]:
    """The files of a model of the same shape with other weights."""
    SwappingAutoencoder(load(folder).config).save_pretrained(place / "changed")
    return files | files_of(place / "changed")


# ── loading ──────────────────────────────────────────────────────────────────────────────────────


def test_a_model_is_loaded_with_what_belongs_to_it_and_nothing_else(online: Hub) -> None:
    files = files_of(box.required("synthetic64"))
    commit = online.add(NAME, files | {"photos/private.png": b"x", "train.py": b"x"})
    model, boxed = load(), load("synthetic64")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), boxed.parameters(), strict=True))
    assert model.loaded_from is not None
    assert hub.commit_of(model.loaded_from) == (NAME, commit)
    assert files_of(model.loaded_from.parent) == files
    assert list(gallery(NAME)) == list(gallery("synthetic64"))


def test_a_revision_is_loaded_and_remembered(
    online: Hub, tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    files = files_of(tiny_model)
    first = online.add(NAME, files)
    second = online.add(NAME, changed(files, tiny_model, tmp_path))
    online.repositories[NAME].refs["v1"] = first
    newest, tagged, by_digest = load(), load(revision="v1"), load(revision=first)
    assert not torch.equal(newest.generator.to_rgb.conv.weight, tagged.generator.to_rgb.conv.weight)
    assert torch.equal(tagged.generator.to_rgb.conv.weight, by_digest.generator.to_rgb.conv.weight)
    commits = [hub.commit_of(model.loaded_from or Path()) for model in (newest, tagged, by_digest)]
    assert commits == [(NAME, second), (NAME, first), (NAME, first)]
    assert main(["info", NAME]) == 0
    assert f"hub: {NAME} at revision {second}\n" in capsys.readouterr().out
    tagged.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "card.json").read_text())["origin"]["hub"] == {
        "repo": NAME,
        "revision": first,
    }
    assert f"`{NAME}` on the hub, revision `{first}`" in (tmp_path / "saved" / "README.md").read_text()


def test_a_model_in_the_cache_is_not_fetched_again_and_works_offline(
    online: Hub, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online.add(NAME, files_of(tiny_model))
    load()
    assert sum("GET" in line and "model.safetensors" in line for line in online.asked) == 1
    load()
    assert sum("GET" in line and "model.safetensors" in line for line in online.asked) == 1
    online.asked.clear()
    load(local_files_only=True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    load()
    assert online.asked == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    load(force_download=True)
    assert "GET /user/name/resolve/main/model.safetensors" in online.asked
    load(cache_dir=tmp_path / "other")
    assert (tmp_path / "other" / "models--user--name").is_dir()


def test_a_commit_in_the_cache_is_loaded_without_a_question(online: Hub, tiny_model: Path) -> None:
    commit = online.add(NAME, files_of(tiny_model))
    load()
    online.asked.clear()
    load(revision=commit)
    assert online.asked == []


@pytest.mark.usefixtures("anonymous")
def test_a_private_model_needs_a_token(online: Hub, tiny_model: Path) -> None:
    online.add(NAME, files_of(tiny_model))
    online.repositories[NAME].is_private = True
    with pytest.raises(
        UserError, match=r"the hub has no model.safetensors under 'user/name'; check the name"
    ):
        load()
    assert load(token=READER).config == load(tiny_model).config


@pytest.mark.usefixtures("anonymous")
def test_a_gated_model_asks_for_a_login(online: Hub, tiny_model: Path) -> None:
    online.add(NAME, files_of(tiny_model))
    online.repositories[NAME].is_gated = True
    with pytest.raises(
        UserError, match=r"asks for a login; run `hf auth login`, or set HF_TOKEN, and accept"
    ):
        load()


def test_what_is_not_there_is_one_sentence_at_once(online: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    online.add(NAME, {"README.md": b"nothing"})
    waits: list[float] = []
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", waits.append)
    for name, options, sentence in [
        (NAME, {}, "no model.safetensors under 'user/name'"),
        (NAME, {"revision": "v9"}, "under 'user/name' at revision 'v9'"),
        ("user/nothing", {}, "no model.safetensors under 'user/nothing'"),
        ("user/nothing", {"local_files_only": True}, "no folder 'user/nothing'"),
    ]:
        with pytest.raises(UserError, match=sentence) as caught:
            load(name, **options)
        assert "\n" not in str(caught.value)
    assert waits == []
    assert len(online.asked) <= 6  # nothing was tried again


def test_a_hub_that_cannot_be_reached_is_one_sentence_at_once(
    online: Hub, monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    waits: list[float] = []
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", waits.append)
    begin = time.process_time()
    with pytest.raises(UserError, match="no folder 'user/nothing'"):
        find_weights("user/nothing", box.WEIGHTS)
    assert time.process_time() - begin < 1
    assert main(["info", "user/nothing"]) == 1
    assert waits == []
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no folder 'user/nothing', and no model of that name in the hub's cache" in err


def test_a_model_in_the_cache_is_loaded_at_once_where_no_hub_answers(
    online: Hub, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online.add(NAME, files_of(tiny_model))
    load()
    waits: list[float] = []
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", waits.append)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}",
    )
    assert load().config == load(tiny_model).config
    assert waits == []


def test_what_belongs_to_a_model_may_be_missing_or_cut_off(online: Hub, tiny_model: Path) -> None:
    online.add(NAME, files_of(tiny_model) | {"directions.safetensors": b"x"})
    online.breaks = "/tree/|directions"
    assert load().config == load(tiny_model).config


# ── sharing ──────────────────────────────────────────────────────────────────────────────────────


def test_a_model_is_pushed_with_all_that_belongs_to_it(online: Hub, capsys: Streams) -> None:
    assert main(["push", "synthetic64", NAME, "--private", "--message", "Forms and materials"]) == 0
    repository = online.repositories[NAME]
    assert repository.is_private
    assert online.messages == ["Forms and materials"]
    sent, boxed = repository.commits[repository.refs["main"]], files_of(box.required("synthetic64"))
    assert set(sent) == {*boxed, ".gitattributes"}
    assert [name for name in boxed if boxed[name] != sent[name]] == ["README.md", "card.json"]
    out = capsys.readouterr().out
    assert f"pushed to {online.url}/{NAME}/commit/{repository.refs['main']}" in out

    card = ModelCard(sent["README.md"].decode())
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "swapae"
    assert card.data.pipeline_tag == "image-to-image"
    assert {one.metric_type for one in card.data.eval_results} >= {"hybrid_nearer_truth", "hybrid_lpips"}
    assert f'from_pretrained("{NAME}")' in card.text
    assert "# name\n" in card.text
    assert load().config == load("synthetic64").config


def test_a_model_in_memory_is_pushed_by_the_conventions_of_the_mixin(online: Hub, tmp_path: Path) -> None:
    model = load("clothing")
    url = model.push_to_hub(NAME, commit_message="As it was", branch="try")
    repository = online.repositories[NAME]
    assert url.endswith(repository.refs["try"])
    sent = repository.commits[repository.refs["try"]]
    assert sent["model.safetensors"] == (box.required("clothing") / "model.safetensors").read_bytes()
    assert sent["gallery/gallery.json"]
    assert set(repository.commits[repository.refs["main"]]) == {".gitattributes"}

    with torch.no_grad():
        model.generator.to_rgb.bias.add_(1)
    url = model.save_pretrained(tmp_path / "mine", push_to_hub=True, repo_id=NAME, create_pr=True) or ""
    assert url.endswith("/discussions/1")
    sent = repository.commits[repository.refs["refs/pr/1"]]
    assert set(sent) == {".gitattributes", "README.md", "card.json", "config.json", "model.safetensors"}
    card = json.loads(sent["card.json"])
    assert card["origin"]["began_with"]["name"] == "clothing"
    assert card["license"] == "unknown"  # nobody has told that of the new weights
    assert "evaluations" not in card
    assert (tmp_path / "mine" / "model.safetensors").read_bytes() == sent["model.safetensors"]


def test_a_dry_run_sends_nothing(online: Hub, tiny_model: Path, capsys: Streams) -> None:
    before = files_of(tiny_model)
    assert main(["push", str(tiny_model), NAME, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "model.safetensors" in out
    assert "license: unknown" in out
    assert "nothing was sent" in out
    assert online.asked == []
    assert files_of(tiny_model) == before


def test_a_page_that_people_wrote_is_pushed_as_it_is(online: Hub, tiny_model: Path, tmp_path: Path) -> None:
    load(tiny_model).save_pretrained(tmp_path / "mine")
    (tmp_path / "mine" / "README.md").write_text("# Mine\n")
    (tmp_path / "mine" / "notes.txt").write_text("of nobody's business")
    assert main(["push", str(tmp_path / "mine"), NAME, "--quiet"]) == 0
    repository = online.repositories[NAME]
    sent = repository.commits[repository.refs["main"]]
    assert sent["README.md"] == b"# Mine\n"
    assert "notes.txt" not in sent


@pytest.mark.parametrize(
    ("token", "name", "breaks", "sentence"),
    [
        (
            "",
            NAME,
            "^$",
            "cannot be pushed to the hub without a login; run `hf auth login`, or set HF_TOKEN.",
        ),
        (READER, NAME, "^$", "your login has no right to this"),
        (TOKEN, "a/b/c", "^$", "cannot be the name of a model on the hub"),
        (TOKEN, "user/..", "^$", "cannot be the name of a model on the hub"),
        (TOKEN, NAME, "/upload/", "could not be pushed to the hub"),
        (TOKEN, NAME, "/commit/", "could not be pushed to the hub"),
    ],
)
def test_a_push_that_fails_is_one_sentence_and_commits_nothing(
    token: str,
    name: str,
    breaks: str,
    sentence: str,
    online: Hub,
    anonymous: None,
    tiny_model: Path,
    capsys: Streams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    online.breaks = breaks
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    assert main(["push", str(tiny_model), name, "--quiet"]) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert all(set(one.commits) == {one.refs["main"]} for one in online.repositories.values())


def test_a_push_offline_says_so(
    online: Hub, tiny_model: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main(["push", str(tiny_model), NAME, "--quiet"]) == 1
    assert "cannot be pushed to the hub, for HF_HUB_OFFLINE is set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "commit"),
    [
        (f"hub/models--user--name/snapshots/{'a' * 40}/model.safetensors", ("user/name", "a" * 40)),
        (f"hub/models--user--name/snapshots/{'a' * 40}/gallery/codes.safetensors", ("user/name", "a" * 40)),
        (f"hub/datasets--user--name/snapshots/{'a' * 40}/x", None),
        ("runs/snapshots/model/model.safetensors", None),
    ],
)
def test_the_commit_is_told_from_the_place_in_the_cache(path: str, commit: tuple[str, str] | None) -> None:
    assert hub.commit_of(Path(path)) == commit


def test_a_gallery_names_nothing_outside_of_it(tmp_path: Path, photo: Callable[..., Path]) -> None:
    photo("secret.png")
    (tmp_path / "model" / "gallery").mkdir(parents=True)
    for name in ("../../secret.png", str(tmp_path / "secret.png")):
        listed = {"format": "swapae.gallery/1", "samples": [{"name": "a", "about": "", "file": name}]}
        (tmp_path / "model" / "gallery" / "gallery.json").write_text(json.dumps(listed))
        with pytest.raises(UserError, match="no name of a file in it"):
            gallery(tmp_path / "model")


def test_what_the_page_says_works(
    online: Hub, tiny_model: Path, photo: Callable[..., Path], tmp_path: Path
) -> None:
    """The part of docs/hub.md that needs a hub; tests/docs runs the rest."""
    online.add("me/houses", files_of(box.required("synthetic64")))
    shutil.copytree(tiny_model, tmp_path / "runs" / "mine" / "model")
    for name in ("church.jpg", "sunset.jpg"):
        photo(name)
    names: dict[str, object] = {}
    num_run = 0
    for block in blocks(ROOT / "docs" / "hub.md"):
        if block.language == "python":
            exec(compile(block.code, block.page, "exec"), names)
            num_run += 1
        for command in commands(block) if block.language == "sh" else []:
            if not_run.reason(block.page, command.text) == not_run.IN_TEST_HUB:
                assert main(program_words(command.text) or []) == 0, command.place
                num_run += 1
    assert num_run == len([row for row in not_run.ROWS if row[2] == not_run.IN_TEST_HUB])
    assert set(online.repositories["me/houses"].refs) == {"main", "try"}
