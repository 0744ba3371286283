"""What docs/install.md says is installed, against what pyproject.toml asks for."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from benchmarks.installed import BEGIN, DEVELOPING, END, licence_of, needed, size_of, with_tables
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.shipping.conftest import ROOT

PAGE = (ROOT / "docs" / "install.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LISTED = {
    canonicalize_name(row) for row in re.findall(r"^\| ([\w.-]+) \| [^|]+ \| [\d,.]+ \|", PAGE, re.MULTILINE)
}
EXTRAS = {name: lines for name, lines in PROJECT["optional-dependencies"].items() if name not in DEVELOPING}


def wanted() -> list[str]:
    lines = [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]
    return [canonicalize_name(Requirement(line).name) for line in lines]


@pytest.mark.parametrize("name", wanted())
def test_every_dependency_is_listed(name: str) -> None:
    assert name in LISTED


def test_our_own_wheel_has_the_size_that_the_page_says(wheel: Path) -> None:
    said = re.search(r"Our own wheel is ([\d.]+) MB", PAGE)
    assert said is not None
    assert wheel.stat().st_size / 1e6 == pytest.approx(float(said[1]), rel=0.05)


def test_every_extra_has_a_row_of_each_table() -> None:
    begin = PAGE.index(BEGIN)
    for name in EXTRAS:
        assert f"`{name}`" in PAGE[:begin]
        assert f"\n| {name} | " in PAGE[begin : PAGE.index(END)]


def test_what_a_package_needs_is_followed_to_the_end() -> None:
    core = needed(distribution("swapae"), "")
    assert {"torch", "sympy", "mpmath"} <= set(core)  # swapae → torch → sympy → mpmath
    assert "fastapi" not in core
    assert {"fastapi", "starlette"} <= set(needed(distribution("swapae"), "web"))


def test_sizes_and_licences_are_what_the_records_say() -> None:
    package = distribution("PyYAML")
    assert 1e5 < size_of(package) < 1e8
    assert "MIT" in licence_of(package)


def test_tables_go_between_the_marks_alone() -> None:
    assert with_tables(f"a\n{BEGIN}\nold\n{END}\nb\n", "new\n") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb\n"
    with pytest.raises(ValueError, match="no marks"):
        with_tables("a page", "new")
