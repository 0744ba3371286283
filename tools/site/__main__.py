"""`python -m tools.site [DIR]`: build the site, `site/` unless told otherwise."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.site.places import ROOT
from tools.site.sealed import seal
from tools.site.stage import stage

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
MARK = ".swapae-site"  # what is replaced by the next build


def build(site: Path) -> None:
    """Build the site at `site`, whole or not at all.

    Raises:
        SystemExit: something else lies at `site`, or zensical found something wrong in a page.
    """
    if site.exists() and not (site / MARK).is_file():
        sys.exit(f"{site} holds something else than this site; remove it, or build elsewhere.")
    site.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=site.parent) as folder:
        config = stage(Path(folder).resolve())
        made = config.parent / "site"
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(config)]
        plain = os.environ | {"NO_COLOR": "1"}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=plain)
        if done.returncode:
            said = COLOURS.sub("", done.stdout + done.stderr).partition("Traceback (most recent")[0]
            sys.exit(f"{said}\nthe site was not built.")
        seal(made)
        (made / MARK).touch()
        shutil.rmtree(site, ignore_errors=True)
        made.rename(site)


def main() -> None:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site")
    build(site)
    print(f"{site}/index.html: {len(list(site.rglob('*.html')))} pages")


if __name__ == "__main__":
    main()
