"""How good are the pictures: distances between images, each by its own name; `table.py` lists the metrics."""

from swapae.metrics.color import from_lab, to_lab
from swapae.metrics.lpips import LPIPS

__all__ = ["LPIPS", "from_lab", "to_lab"]
