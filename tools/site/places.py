"""Where a file of the repository lies on the site. Links between files are rewritten by this."""

from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
MODELS = PurePosixPath("src/swapae/models")
PROJECT_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "LOG.md": "project/log.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
}
NOTEBOOK = ".ipynb"
PICTURES = {".png", ".jpg", ".webp", ".svg", ".gif"}


def is_page(path: PurePosixPath) -> bool:
    """Whether a file of the repository is a page of the site by itself, not shown as a source."""
    return path.suffix == ".md" and (
        path.parts[0] == "docs" or str(path) in PROJECT_PAGES or path.is_relative_to(MODELS)
    )


def place_of(path: PurePosixPath) -> PurePosixPath:
    """Give the place, below the site's pages, of a file or folder of the repository."""
    if str(path) in PROJECT_PAGES:
        return PurePosixPath(PROJECT_PAGES[str(path)])
    if path.is_relative_to(MODELS) and path != MODELS:
        inside = path.relative_to(MODELS)
        return PurePosixPath(
            "models", inside.parts[0], *["card.md"] if inside.name == "README.md" else inside.parts[1:]
        )
    if (ROOT / path).is_dir():
        return _folder(path) / "index.md"
    if path.parts[0] == "docs":
        inside = path.relative_to("docs")
        return inside.with_suffix(".md") if path.suffix == NOTEBOOK else inside
    suffix = "" if path.suffix in PICTURES else ".md"
    return PurePosixPath("source", f"{path}{suffix}")


def _folder(path: PurePosixPath) -> PurePosixPath:
    return path.relative_to("docs") if path.parts[0] == "docs" else PurePosixPath("source") / path
