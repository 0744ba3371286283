"""What the tests of commands share."""

from pathlib import Path

import pytest

from swapae import SwappingAutoencoder


@pytest.fixture(scope="module")
def net(tiny_model: Path) -> SwappingAutoencoder:
    """The model whose folder commands are given."""
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
