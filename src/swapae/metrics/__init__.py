"""How good are the pictures: distances between images, each by its own name."""

from swapae.metrics.color import to_lab
from swapae.metrics.lpips import LPIPS

__all__ = ["LPIPS", "to_lab"]
