"""What stands in the pages and is not run by their tests, each with the reason. It is parsed all the same."""

# Programs that are not this one. pip's extras are compared with pyproject.toml, modules must be there.
PROGRAMS = {
    "pip": "needs an index; its extras are looked up",
    "make": "sets up an environment; CI itself begins with it",
    "docker": "there is no Docker where the tests run",
    "torchrun": "several processes: tests/training/test_launch.py and test_processes.py run two",
    "jupyter": "opens a program in a browser; test_notebooks.py runs the notebooks",
    "ssh": "needs another machine",
    "srun": "needs a SLURM",
    "sbatch": "needs a SLURM",
    ".": "a shell's environment is not the tests'",
    "source": "a shell's environment is not the tests'",
}

# Options of this program that are not run anywhere.
OPTIONS = {
    "--gpus": "several processes: tests/training/test_launch.py, tests/cli/test_eval_processes.py",
    "--ray": "needs Ray: tests/batch/test_rays.py where it is installed",
}

IN_TEST_HUB = "needs a hub: tests/test_hub.py runs the whole page against one on this machine"

# Single commands and blocks: page, how it begins, why not. A row that no page has any more is a fault.
ROWS = (
    ("docs/batch.md", "import ray", "needs Ray: tests/batch/test_rays.py runs it where it is installed"),
    (
        "docs/models.md",
        "swapae train",
        "its networks are wider than those of the tests; test_pages.py fits them",
    ),
    ("docs/hub.md", "swapae swap church.jpg sunset.jpg -m me/houses", IN_TEST_HUB),
    ("docs/hub.md", "swapae info me/houses", IN_TEST_HUB),
    ("docs/hub.md", "swapae push runs/mine me/houses --private", IN_TEST_HUB),
    ("docs/hub.md", "from swapae import SwappingAutoencoder, gallery, hub", IN_TEST_HUB),
    ("docs/hub.md", 'model = SwappingAutoencoder.from_pretrained("runs/mine")', IN_TEST_HUB),
    (
        "docs/air-gapped.md",
        "swapae metrics fetch",
        "downloads; tests/metrics/test_fetch.py has a server for it",
    ),
    ("docs/metrics.md", "swapae metrics fetch", "downloads; tests/metrics/test_fetch.py has a server for it"),
    ("docs/studio.md", "from pathlib import Path", "needs a studio: tests/web/test_command.py runs it"),
)


def reason(page: str, text: str) -> str | None:
    """Why a command or a block is not run; None if it is."""
    for where, beginning, why in ROWS:
        if where == page and text.startswith(beginning):
            return why
    words = text.split()
    for option, why in OPTIONS.items():
        if option in words:
            return why
    if words[:2] == ["python", "-m"] and not words[2].startswith("swapae"):
        return "measures for minutes to hours, or makes an environment; its module is looked up"
    return PROGRAMS.get(words[0])
