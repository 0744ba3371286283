"""What an edit is, and what does it: the same wherever it is, and by the model it was made with."""

import io
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from tests.batch.tools import encoded

from swapae import SwappingAutoencoder
from swapae.batch import Edit, Editor, EditRows
from swapae.errors import UserError


@pytest.fixture
def texture(tmp_path):
    (tmp_path / "t.png").write_bytes(encoded(9))
    return str(tmp_path / "t.png")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing is to be done"),
        ({"textures": ("a",), "structure": "b"}, "not both"),
        ({"textures": ("a", "b"), "weights": (1.0,)}, "2 textures need as many weights, not 1"),
        ({"textures": ("a", "b"), "weights": (0.0, 0.0)}, "not all 0"),
        ({"textures": ("a", "b"), "weights": (1.0, -1.0)}, "numbers from 0 on"),
        ({"textures": ("a",) * 9}, "up to 8 textures can be mixed, not 9"),
        ({"textures": ("a",), "strength": float("nan")}, "finite"),
        ({"along": (("a", float("inf")),)}, "finite"),
        ({"textures": ("a",), "feather": -1.0}, "0 or more, not -1"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(given, message):
    with pytest.raises(UserError, match=message):
        Edit("m", **given)


def test_a_copy_in_another_process_needs_no_photos_and_gives_the_same(tmp_path, tiny_model, texture):
    editor = Editor(Edit(str(tiny_model), textures=(texture,), strength=0.7))
    picture = Image.open(io.BytesIO(encoded(1)))
    expected = editor(picture)
    (tmp_path / "t.png").unlink()
    data = pickle.dumps(editor)
    assert len(data) < 20_000  # the model is not in it
    for copy in (pickle.loads(data), editor.on("cpu")):
        np.testing.assert_array_equal(copy(picture), expected)


def test_weights_that_were_changed_since_are_refused(tmp_path, tiny_model, texture):
    model = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    model.save_pretrained(tmp_path / "model")
    editor = pickle.loads(pickle.dumps(Editor(Edit(str(tmp_path / "model"), textures=(texture,)))))
    with torch.no_grad():
        model.generator.to_rgb.bias.add_(0.1)
    model.save_pretrained(tmp_path / "model", force=True)
    with pytest.raises(UserError, match="was changed while it was in use"):
        editor(Image.open(io.BytesIO(encoded(1))))


def test_tables_are_edited_row_by_row_and_other_columns_pass(tiny_model, texture):
    edit = Edit(str(tiny_model), textures=(texture,))
    rows = EditRows(edit, format="png", device="cpu")
    table = {"path": np.array(["a", "b"]), "bytes": np.array([encoded(1), b"no"], object), "n": np.arange(2)}
    done = rows(table)
    assert list(done["n"]) == [0, 1]
    assert done["bytes"][1] == b""
    assert "b is not an image" in done["error"][1]
    assert done["error"][0] == ""
    expected = rows.editor(Image.open(io.BytesIO(encoded(1))))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(done["bytes"][0]))), np.asarray(expected))
