"""The site that `make docs` builds is whole, and loads nothing from outside."""

import json
import posixpath
import re
from pathlib import Path, PurePosixPath

import pytest
from tests.site.pages import broken_links, page_of
from tools.site.__main__ import build
from tools.site.links import rewritten
from tools.site.notebooks import as_page
from tools.site.places import ROOT, place_of
from tools.site.stage import with_the_rest

# Names of XML's languages, which nobody fetches, and what comments and licences mention.
NAMES = ("http://www.w3.org/", "https://fontawesome.com", "http://127.0.0.1", "https://zensical.org/")


def html_pages(site: Path) -> list[Path]:
    # 404.html is shown at any address, so its links are not relative to where it lies.
    return [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]


def test_every_page_of_docs_and_of_the_project_is_on_the_site(site: Path) -> None:
    for path in [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]:
        place = place_of(PurePosixPath(path.relative_to(ROOT).as_posix())).with_suffix(".html")
        assert (site / place).is_file(), path


def test_every_link_and_anchor_leads_somewhere(site: Path) -> None:
    broken = {path.name: found for path in html_pages(site) if (found := broken_links(site, path))}
    assert broken == {}


def test_no_page_loads_anything_from_outside(site: Path) -> None:
    outside = [
        link for path in site.rglob("*.html") for link in page_of(path).loaded if re.match(r"\w+://|//", link)
    ]
    assert outside == []


def test_no_style_and_no_script_names_another_host(site: Path) -> None:
    found = set()
    for path in [*site.rglob("*.css"), *site.rglob("assets/**/*.js"), *site.rglob("scripts/*.js")]:
        found |= set(re.findall(r"(?:https?:)//[a-z][\w.-]+[^\"'`\s)]*", path.read_text(encoding="utf-8")))
    assert [url for url in found if not url.startswith(NAMES)] == []


def test_every_picture_has_words(site: Path) -> None:
    assert {
        path.name: page_of(path).images_without_words
        for path in html_pages(site)
        if page_of(path).images_without_words
    } == {}


def test_every_page_can_be_reached_by_the_navigation(site: Path) -> None:
    shown = {posixpath.normpath(link) for link in page_of(site / "index.html").links}
    for path in (ROOT / "docs").rglob("*.md"):
        place = place_of(PurePosixPath(path.relative_to(ROOT).as_posix())).with_suffix(".html")
        assert str(place) in shown or place.parts[0] == "adr", place


def test_links_are_rewritten_outside_of_code_only() -> None:
    page = PurePosixPath("docs/train.md")
    text = "[log](../LOG.md#x) `[a](b.md)` [m](metrics.md#nets)\n```\n[c](d.md)\n```\n![p](images/p.png) [h](https://a.b)\n"
    out, met = rewritten(text, page)
    assert out == text.replace("../LOG.md", "project/log.md")
    assert {str(one) for one in met} == {"LOG.md", "docs/metrics.md", "docs/images/p.png"}


def test_a_page_that_the_navigation_does_not_name_comes_at_its_end(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "source/c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert with_the_rest([{"A": "a.md"}], tmp_path) == [{"A": "a.md"}, {"More": ["b.md"]}]
    with pytest.raises(SystemExit, match=r"names z\.md, which is not there"):
        with_the_rest([{"A": [{"Not there": "z.md"}]}], tmp_path)


def test_the_navigation_names_every_page(site: Path) -> None:
    assert ">More<" not in re.sub(r"\s", "", (site / "index.html").read_text(encoding="utf-8"))


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_formulas_are_mathml_and_none_is_left_as_it_was_written(site: Path) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in (site / "system").glob("*.html")}
    assert pages["layers.html"].count("<math") > 30
    assert pages["objective.html"].count('display="block"') > 10
    for name, text in pages.items():
        shown = re.sub(r"<(math|script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
        assert not re.search(r"arithmatex|\\\\[a-z]|\$\$", re.sub(r"<[^>]+>", "", shown)), name
        assert not re.search(r"<mi>\\\\", text), name


def test_a_notebook_is_a_page_of_its_words_its_code_and_what_came_out() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "words"]},
        {
            "cell_type": "code",
            "source": ["show()"],
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["1\n", "2\n"]},
                {"output_type": "display_data", "data": {"image/png": "AAAA\n", "text/plain": "<Image>"}},
                {"output_type": "execute_result", "data": {"text/plain": ["(3, 4)"]}},
            ],
        },
        {"cell_type": "code", "source": [], "outputs": []},
    ]
    page = as_page(json.dumps({"cells": cells}))
    expected = ["# Title\nwords", "``````python\nshow()\n``````", "``````text\n1\n2\n``````"]
    expected += ["![what the code above shows](data:image/png;base64,AAAA)", "``````text\n(3, 4)\n``````\n"]
    assert page == "\n\n".join(expected)


def slug(heading: str) -> str:
    """What a code host makes of a heading to link to it."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def test_anchors_are_those_of_a_code_host_too() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    headings = {}
    for path in pages:
        text = re.sub(r"^(```+).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        headings[path] = {slug(found) for found in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for path in pages:
        for target, anchor in re.findall(
            r"\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)", path.read_text(encoding="utf-8")
        ):
            there = (path.parent / target).resolve() if target else path
            assert anchor in headings.get(there, {anchor}), f"{path.name}: {target}#{anchor}"
