"""Notebooks are pages of the site, with their pictures inside."""

import base64
from pathlib import PurePosixPath

from tests.docs.pages import ROOT
from tools.site.notebooks import as_markdown
from tools.site.places import is_page, place_of

NAME = PurePosixPath("docs/notebooks/swap_and_edit.ipynb")


def test_a_notebook_is_a_page_of_text_code_and_pictures() -> None:
    page = as_markdown((ROOT / NAME).read_text(encoding="utf-8"))
    assert page.startswith("# Swap and edit")
    assert "python\nfrom swapae import Codes, SwappingAutoencoder, gallery" in page
    first = page.split("data:image/jpeg;base64,")[1].split(")")[0]
    assert base64.b64decode(first, validate=True).startswith(b"\xff\xd8")
    assert "text\nTrue\n" in page


def test_links_to_a_notebook_lead_to_its_page() -> None:
    assert is_page(NAME)
    assert str(place_of(NAME)) == "notebooks/swap_and_edit.md"
