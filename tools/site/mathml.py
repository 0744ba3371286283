"""Formulas as MathML, made when the site is built: no script, no font and no host is needed to show them."""

import html
import re

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor

# What pymdownx.arithmatex leaves of `$…$` and `$$…$$`, or of a fence named math.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


class Formulas(Postprocessor):
    """Replaces what arithmatex marked, once the page is HTML."""

    def run(self, text: str) -> str:
        return FORMULA.sub(lambda found: as_mathml(found[3], is_block=found[2] == "["), text)


def as_mathml(formula: str, is_block: bool) -> str:
    """Give the MathML of a formula; a block may scroll where the page is narrow."""
    math = convert(html.unescape(formula).strip(), display="block" if is_block else "inline")
    return f'<div class="formula" tabindex="0">{math}</div>' if is_block else math


class MathExtension(Extension):
    """The Markdown extension; it comes after pymdownx.arithmatex with `generic: true`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.postprocessors.register(Formulas(md), "formulas", 0)


def makeExtension(**settings: object) -> MathExtension:  # noqa: N802
    """Be found by Markdown, by the name of this module."""
    return MathExtension(**settings)
