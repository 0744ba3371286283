"""The references say what the code says; `python -m tools.reference` writes them anew."""

import re

import pytest
from tools.reference.__main__ import FOLDER, PAGES, text_of
from tools.reference.commands import rows
from tools.reference.tables import table

import swapae
from swapae.cli.commands import COMMANDS
from swapae.config import field_names

pytest.importorskip("griffe", reason="griffe is not installed (pip install '.[docs]')")


def written(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_is_what_the_code_says(name: str) -> None:
    is_same = written(name) == text_of(name)
    assert is_same, f"docs/reference/{name} is not what the code says any more: run python -m tools.reference"


def test_every_public_name_and_every_method_of_the_model_is_there() -> None:
    page = written("python.md")
    for name in swapae.__all__:
        assert f"\n### {name}\n" in page
    for method in (
        "encode",
        "decode",
        "swap",
        "mix",
        "grid",
        "swap_images",
        "from_pretrained",
        "save_pretrained",
    ):
        assert f"\n#### SwappingAutoencoder.{method}\n" in page


@pytest.mark.parametrize(
    "name",
    [
        "EqualConv2d",
        "EqualLinear",
        "Blur",
        "ConvLayer",
        "FusedLeakyReLU",
        "ScaledLeakyReLU",
        "ResBlock",
        "upfirdn2d",
        "ModulatedConv2d",
        "StyleGAN2ResnetEncoder",
        "PatchDiscriminator",
    ],
)
def test_every_name_by_which_the_system_is_known_is_there(name: str) -> None:
    assert f"[`{name}`]" in written("layers.md")


def test_every_command_is_there_with_a_meaning_for_every_argument() -> None:
    page = written("commands.md")
    for name in COMMANDS:
        assert f"\n## swapae {name}\n" in page
    assert not re.search(r"^\| `[^|]+` \| +\|$", page, re.MULTILINE)


def test_every_field_of_the_config_is_there_with_a_meaning() -> None:
    from swapae import TrainConfig

    page = written("config.md")
    for name in field_names(TrainConfig()):
        assert re.search(rf"^\| `{re.escape(name)}` \| .* \| .* \| .*[a-z].* \|$", page, re.MULTILINE), name


def test_a_bar_in_code_is_no_end_of_a_cell_and_shows_no_backslash() -> None:
    assert table(["a", "b"], [["`int | None`", "`x` | `<y>`"]]).splitlines()[-1] == (
        "| <code>int &#124; None</code> | `x` \\| `<y>` |"
    )


def test_arguments_are_read_from_a_help_with_boxes_and_from_one_without() -> None:
    plain = " options\n ----- \n  -h, --help  show\n  -o OUT, --out OUT\n              File.\n"
    boxed = (
        "╭─ options ───╮\n│ -h, --help  show    │\n│ -o OUT, --out OUT   │\n"
        "│             File.   │\n╰─────╯\n"
    )
    assert list(rows(plain)) == list(rows(boxed)) == [("-h, --help", "show"), ("-o OUT, --out OUT", "File.")]
