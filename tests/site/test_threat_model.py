"""Every defence that docs/threat-model.md claims has a test, and that test exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
CLAIM = re.compile(r"\[(tests/[\w/]+\.py)\]\(\.\./\1\): ((?:`test_\w+`(?:, )?)+)")


def claims() -> list[tuple[str, str]]:
    """Test files with the tests that the page names of them."""
    return [
        (path, name) for path, names in CLAIM.findall(PAGE) for name in re.findall(r"`(test_\w+)`", names)
    ]


def test_every_test_that_is_named_exists() -> None:
    for path, name in claims():
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"{path}: {name}"


def test_every_row_of_a_table_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| danger")]
    assert len(rows) > 20
    assert [row for row in rows if not CLAIM.search(row)] == []


def test_all_names_of_tests_are_read() -> None:
    assert len(claims()) == PAGE.count("`test_")
