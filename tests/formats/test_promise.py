"""docs/formats.md names every format that is in the code; what is later is refused in a sentence."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.formats.old import unpacked

import swapae
from swapae import Codes, SwappingAutoencoder, TrainConfig, UserError
from swapae.editing import Directions
from swapae.training.checkpoint import FORMAT
from swapae.weights import load_tensors, refuse_later, save_tensors

PACKAGE = Path(swapae.__file__).parent
PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
SIGN = re.compile(r'FORMAT\w*(?:, VERSION)? = "(swapae[./ ][^"]+)"')


def signs() -> set[str]:
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "swapae_onnx").rglob("*.py")]
    return {sign for path in files for sign in SIGN.findall(path.read_text("utf-8"))}


def test_every_sign_in_the_code_is_on_the_page() -> None:
    assert {"swapae.model/1", "swapae.codes/1", "swapae tar index", "swapae.onnx/1"} <= signs()
    assert [sign for sign in signs() if f"`{sign}`" not in PAGE] == []
    assert f", {FORMAT} |" in PAGE


def test_no_field_of_a_run_is_asked_for_so_that_an_older_config_lacks_nothing() -> None:
    def check(kind: Any) -> None:
        for field in dataclasses.fields(kind):
            given = (field.default, field.default_factory)
            assert given != (dataclasses.MISSING, dataclasses.MISSING), field.name

    default = TrainConfig()
    for one in (default, *(getattr(default, field.name) for field in dataclasses.fields(default))):
        if dataclasses.is_dataclass(one):
            check(one)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("model/model.safetensors", lambda path: SwappingAutoencoder.from_pretrained(path.parent)),
        ("codes.safetensors", Codes.load),
        ("directions.safetensors", Directions.load),
    ],
)
def test_a_later_form_is_refused_with_both_numbers(
    tmp_path: Path, name: str, read: Callable[[Path], object]
) -> None:
    kept = unpacked("2026-11-23_5abd7ad" if "directions" not in name else "files", tmp_path)
    tensors, metadata = load_tensors(kept / name)
    form = metadata["format"]
    later = form.replace("/1", "/2")
    save_tensors(kept / name, tensors, {**metadata, "format": later}, force=True)
    with pytest.raises(UserError, match=rf"later version of swapae: it is {later}.*reads {form}"):
        read(kept / name)


@pytest.mark.parametrize("found", ["swapae.codes/1", "swapae.codes/x", "other/2", "", None])
def test_nothing_else_is_called_later(found: str | None) -> None:
    refuse_later(found, "swapae.codes/1", "a file")
    with pytest.raises(UserError):
        refuse_later("swapae.codes/12", "swapae.codes/1", "a file")
