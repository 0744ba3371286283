"""What every screen is held to: nobody shut out, nothing wider than the window."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


PATIENCE = 120.0  # seconds for what comes sooner or later, on a machine that is busy with other things
STILL = (
    "() => !document.getAnimations().some((one) => Number.isFinite(one.effect.getComputedTiming().endTime))"
)


def still(page: "Page") -> None:
    """Wait until no colour is on its way to another one; what turns for ever may turn."""
    page.wait_for_function(STILL)


def no_serious_finding(page: "Page") -> None:
    """Have axe-core look at the page as it is; serious and critical findings fail."""
    import pytest

    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    still(page)
    found = axe.Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []


def no_sideways_scrolling(page: "Page") -> None:
    """The page is as wide as the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
