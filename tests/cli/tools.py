"""Running commands on small pictures, and looking at what they wrote."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swapae.cli.main import main

Streams = pytest.CaptureFixture[str]
Photo = Callable[..., Path]


def run(*arguments: object) -> int:
    """Run a command line; give its exit status."""
    return main([str(argument) for argument in arguments])


def pixels(picture: Path | Image.Image) -> np.ndarray:
    """Take the pixels of a picture, or of a file."""
    return np.asarray(Image.open(picture) if isinstance(picture, Path) else picture)
