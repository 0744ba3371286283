"""Let the built site load nothing from outside: hosts that the theme's options name are taken out."""

import re
from pathlib import Path

# Hosts of what pages could ask the theme for and do not: diagrams by script, light boxes, runnable code,
# figures of a repository. A page that asked would get a file that is not there, and nobody would hear of it.
HOSTS = re.compile(
    r"https?://(?:unpkg\.com|cdn\.jsdelivr\.net|api\.github\.com|fonts\.g[a-z]+\.com|www\.googletagmanager\.com)/"
)


def seal(site: Path) -> None:
    """Rewrite the scripts of a built site."""
    for path in site.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        if HOSTS.search(text):
            path.write_text(HOSTS.sub("/not-here/", text), encoding="utf-8")
