"""What every screen is held to: nobody shut out, nothing wider than the window."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def no_serious_finding(page: "Page") -> None:
    """Have axe-core look at the page as it is; serious and critical findings fail."""
    import pytest

    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []


def no_sideways_scrolling(page: "Page") -> None:
    """The page is as wide as the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
