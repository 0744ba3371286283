"""The site in Chromium, from a plain file server: nothing is asked of another host, and it can be used."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.web.looks import still

pytestmark = pytest.mark.browser
PATIENCE = 120_000  # milliseconds


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open an address; at the end nothing may have been asked of another host, nor said in the console."""
    pages: list[Any] = []

    def open_at(address: str, *, width: int = 1440, scheme: str = "light") -> Any:
        page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
        page.set_default_timeout(PATIENCE)
        page.asked, page.said, page.own = [], [], urlsplit(address).netloc
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda said: said.type == "error" and page.said.append(said.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        pages.append(page)
        page.goto(address)
        return page

    yield open_at
    for page in pages:
        page.context.close()
        assert [
            url
            for url in page.asked
            if urlsplit(url).netloc != page.own and not url.startswith(("data:", "blob:"))
        ] == []
        assert page.said == []


PAGES = [
    "index.html",
    "train.html",
    "system/layers.html",
    "reference/commands.html",
    "project/log.html",
    "models/clothing/card.html",
]


def test_pages_ask_nothing_of_another_host_and_fit_a_phone(visit: Callable[..., Any], site_url: str) -> None:
    page = visit(f"{site_url}/{PAGES[0]}", width=390)
    for name in PAGES:
        page.goto(f"{site_url}/{name}")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than a phone"
        missing = page.evaluate(
            "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        )
        assert missing == []


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("index.html", "light"), ("reference/config.html", "dark"), ("system/layers.html", "light")],
)
def test_axe_finds_nothing_serious(visit: Callable[..., Any], site_url: str, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(f"{site_url}/{name}", scheme=scheme)
    still(page)
    found = [one for one in axe.run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


def test_dark_and_light_can_be_chosen(visit: Callable[..., Any], site_url: str) -> None:
    page = visit(f"{site_url}/index.html", scheme="light")
    body = page.locator("body")
    assert body.get_attribute("data-md-color-scheme") == "default"
    page.get_by_title("Switch to dark").click()
    page.wait_for_function("document.body.dataset.mdColorScheme === 'slate'")
    page.reload()
    page.wait_for_function("document.body.dataset.mdColorScheme === 'slate'")


# The search lives in a shadow tree that is closed to scripts, and so to the test.
OPENED = (
    "const attach = Element.prototype.attachShadow;"
    "Element.prototype.attachShadow = function () { return attach.call(this, { mode: 'open' }) }"
)


@pytest.mark.parametrize("is_served", [True, False], ids=["from a server", "from files"])
def test_the_search_finds_a_word(
    visit: Callable[..., Any], site: Path, site_url: str, is_served: bool
) -> None:
    page = visit("about:blank")
    page.context.add_init_script(OPENED)
    page.own = urlsplit(site_url).netloc if is_served else ""
    page.goto(f"{site_url}/index.html" if is_served else (site / "index.html").as_uri())
    page.get_by_role("button", name="Search").click()
    page.get_by_placeholder("Search").fill("accumulate")
    page.locator("a[href*='train.html']", has_text="accumulate").wait_for()
