"""The log and the sample grids once more, for those who look at their trainings in TensorBoard (an extra)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from swapae.errors import UserError
from swapae.images import resize
from swapae.training.curves import CHARTS, CLOCK, is_figure
from swapae.training.run import writing
from swapae.training.samples import KINDS

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

MAX_SIDE = 1024  # pixels of a grid in the event file, which keeps all of them
TAGS = {name: f"{chart.title}/{name}" for chart in CHARTS for name in chart.names}


def tag_of(name: str) -> str:
    """Name a column of the log for TensorBoard, by the group it belongs to; a tag has no spaces."""
    if name in TAGS:
        return TAGS[name]
    group = "Measured" if is_figure(name) else "Others"
    return f"{group}/{name.replace(' ', '_')}"


def check_installed() -> None:
    """Refuse a run that is to write for TensorBoard where it is not installed.

    Raises:
        UserError: with the command that installs it.
    """
    _writer_class()


class Board:
    """An event file in `folder`; a run that goes on hides what an earlier one wrote beyond `images_seen`.

    All methods raise a WriteError where the disk does not take it.
    """

    def __init__(self, folder: Path, images_seen: int) -> None:
        self.folder = folder
        with writing(folder):
            writer = _writer_class()
            self._writer = writer(str(folder), purge_step=images_seen + 1 if images_seen else None)

    def line(self, line: Mapping[str, float]) -> None:
        """Write a line of the log, over the images seen."""
        with writing(self.folder):
            for name, value in line.items():
                if name not in CLOCK:
                    self._writer.add_scalar(tag_of(name), value, int(line["images_seen"]))

    def grids(self, grids: Mapping[str, Image.Image], images_seen: int) -> None:
        """Write sample grids, by kind."""
        with writing(self.folder):
            for kind, picture in grids.items():
                factor = min(1.0, MAX_SIDE / max(picture.size))
                width, height = (max(1, round(factor * side)) for side in picture.size)
                pixels = np.asarray(resize(picture, (width, height)))
                self._writer.add_image(f"Samples/{KINDS[kind]}", pixels, images_seen, dataformats="HWC")

    def flush(self) -> None:
        """Bring all to the disk."""
        with writing(self.folder):
            self._writer.flush()

    def close(self) -> None:
        """Bring all to the disk, and end."""
        with writing(self.folder):
            self._writer.close()


def _writer_class() -> type[SummaryWriter]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        fix = "pip install 'swapae[tensorboard]', or leave tensorboard false"
        raise UserError(f"tensorboard=true needs a package that is not installed: {fix}.") from None
    return SummaryWriter
