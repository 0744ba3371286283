"""Models by name: the rule, the list, the sentences; with a stand-in in a box of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from swapae import SwappingAutoencoder, UserError, box
from swapae.cli.main import main
from swapae.locate import find_weights, is_in_box
from swapae.model import WEIGHTS_FILE

Streams = pytest.CaptureFixture[str]
CARD = {
    "name": "small",
    "bytes": 1_234_567,
    "image_size": 16,
    "license": "Apache-2.0",
    "about": "noise, for tests",
}


@pytest.fixture
def small(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only model of the box, in half precision; the current folder is empty."""
    folder = tmp_path / "box" / "small"
    SwappingAutoencoder.from_pretrained(tiny_model, device="cpu").half().save_pretrained(folder)
    (folder / box.CARD).write_text(json.dumps(CARD), encoding="utf-8")
    (folder / box.CARD_PAGE).write_text("# small\n\nNothing but noise.\n", encoding="utf-8")
    monkeypatch.setattr(box, "FOLDER", folder.parent)
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_model_in_the_box_is_found_by_its_name(small: Path) -> None:
    assert box.names() == ["small"]
    assert find_weights("small", WEIGHTS_FILE) == small / WEIGHTS_FILE
    assert is_in_box("small")


def test_weights_in_half_precision_make_float32_networks(small: Path, tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained("small", device="cpu")
    whole = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu").state_dict()
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, whole[name].half().float(), rtol=0, atol=0)
    images = torch.zeros(1, 3, 16, 16)
    assert model.decode(model.encode(images)).dtype == torch.float32


def test_a_folder_with_a_model_comes_before_the_box(small: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, "small")
    assert find_weights("small", WEIGHTS_FILE) == Path("small") / WEIGHTS_FILE
    assert not is_in_box("small")


def test_a_run_without_a_model_comes_before_the_box_too(small: Path) -> None:
    Path("small").mkdir()
    Path("small", "config.yaml").touch()
    with pytest.raises(UserError, match="has saved no model yet"):
        find_weights("small", WEIGHTS_FILE)
    assert not is_in_box("small")


def test_a_folder_without_a_model_does_not_hide_the_box_but_its_path_does(small: Path) -> None:
    Path("small").mkdir()  # the photos, say
    assert find_weights("small", WEIGHTS_FILE) == small / WEIGHTS_FILE
    with pytest.raises(UserError, match="small holds no model"):
        find_weights("./small", WEIGHTS_FILE)


def test_an_unknown_name_is_one_sentence_that_lists_the_box(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"no model 'smal'; name one of small, a folder with model\.safet"):
        SwappingAutoencoder.from_pretrained("smal")
    with pytest.raises(UserError, match=r"^there is no model 'smal' in the box: it has small\.$"):
        box.card_of("smal")
    monkeypatch.setattr(box, "FOLDER", small / "nowhere")
    with pytest.raises(UserError, match=r"no model 'smal'; name a folder with model\.safetensors, a run"):
        SwappingAutoencoder.from_pretrained("smal")
    with pytest.raises(UserError, match=r"this copy of the package has none\.$"):
        box.card_of("small")


def test_a_training_begins_with_a_model_in_the_box(small: Path) -> None:
    from swapae.training.origin import folder_of, read_origin

    Path("small").mkdir()  # the photos, say
    origin = read_origin("small", lambda _: None)
    assert origin.place == small / WEIGHTS_FILE
    assert set(origin.weights) == {"encoder", "generator"}
    assert folder_of("small") is None


def test_a_run_that_began_with_a_model_in_the_box_goes_on(small: Path, capsys: Streams) -> None:
    from swapae.presets import PRESETS

    SwappingAutoencoder(PRESETS["tiny32"]().model).half().save_pretrained(small, force=True)
    Path("small").mkdir()  # the photos, say
    words = ["train", "synthetic", "-o", "run", "--preset", "tiny32", "--init-from", "small", "--quiet"]
    for total in ("4", "8"):
        assert main([*words, "--total-images", total]) == 0, capsys.readouterr().err
    record = json.loads(Path("run", "init.json").read_text(encoding="utf-8"))
    assert (record["init_from"], record["folder"]) == ("small", None)
    assert not record["networks"]["encoder"]["new"]


def test_info_knows_the_name(small: Path, capsys: Streams) -> None:
    assert main(["info", "small", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == str(small / WEIGHTS_FILE)


# ── swapae models ────────────────────────────────────────────────────────────────────────────────


def test_models_are_listed_with_what_decides(small: Path, capsys: Streams) -> None:
    assert main(["models"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "size", "images", "licence", "what", "it", "is"]
    assert row.split() == ["small", "1.2", "MB", "16²", "Apache-2.0", "noise,", "for", "tests"]
    assert head.index("what") == row.index("noise")
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed == {"models": {"small": {key: CARD[key] for key in CARD if key != "name"}}}


def test_the_card_of_one_is_printed(small: Path, capsys: Streams) -> None:
    assert main(["models", "small"]) == 0
    assert capsys.readouterr().out == "# small\n\nNothing but noise.\n"
    assert main(["models", "small", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == CARD
    assert main(["models", "large"]) == 1
    assert capsys.readouterr().err == "error: there is no model 'large' in the box: it has small.\n"


def test_an_empty_box_says_so(capsys: Streams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "FOLDER", tmp_path)
    assert main(["models"]) == 0
    assert "no models" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"models": {}}


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_a_damaged_card_is_one_sentence(text: str, small: Path, capsys: Streams) -> None:
    (small / box.CARD).write_text(text, encoding="latin-1")
    assert main(["models"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "card.json is" in err
    assert err.count("\n") == 1


def test_the_list_needs_no_torch(small: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from swapae import box; from swapae.cli.main import main;"
        f"box.FOLDER = Path({str(small.parent)!r});"
        "assert main(['models']) == 0; assert 'torch' not in sys.modules; assert 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "small" in done.stdout
