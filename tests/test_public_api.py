import ast
import subprocess
import sys
from pathlib import Path

import pytest

import swapae

FROZEN = [
    "PRESETS",
    "Codes",
    "ModelConfig",
    "SwappingAutoencoder",
    "TrainConfig",
    "UserError",
    "gallery",
    "open_image",
    "save_image",
    "train",
]


def test_the_public_names_are_these_and_in_order() -> None:
    assert swapae.__all__ == FROZEN
    assert swapae.__version__ == "0.1.0"


@pytest.mark.parametrize("name", FROZEN)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    thing = getattr(swapae, name)
    assert thing is getattr(swapae, name)
    if callable(thing):
        assert thing.__doc__


def test_dir_lists_the_public_names_before_they_are_imported() -> None:
    assert set(FROZEN) <= set(dir(swapae))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        swapae.nothing  # noqa: B018


def test_type_checkers_and_the_interpreter_find_each_name_in_the_same_module() -> None:
    tree = ast.parse(Path(swapae.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for_checkers = {alias.name: node.module for node in imports for alias in node.names}
    assert {name: for_checkers[name] for name in FROZEN} == swapae._HOMES


def test_star_import_brings_the_public_names() -> None:
    code = "from swapae import *; print(sorted(n for n in dir() if not n.startswith('_')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == sorted(FROZEN)
