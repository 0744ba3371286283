"""Diagrams keep a size at which their words can be read, and scroll where the page is narrower."""

import re

from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor

DIAGRAM = re.compile(r'<p>(<img alt="([^"]*)" src="[^"]+\.svg"[^>]*>)</p>')


class Diagrams(Postprocessor):
    """Sets a paragraph that is a diagram into a box that keys can scroll."""

    def run(self, text: str) -> str:
        return DIAGRAM.sub(r'<div class="diagram" role="group" aria-label="\2" tabindex="0">\1</div>', text)


class DiagramExtension(Extension):
    """The Markdown extension."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.postprocessors.register(Diagrams(md), "diagrams", 0)


def makeExtension(**settings: object) -> DiagramExtension:  # noqa: N802
    """Be found by Markdown, by the name of this module."""
    return DiagramExtension(**settings)
