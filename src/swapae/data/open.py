"""The word for a set of images on the command line → the set."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from swapae.data.source import Source
from swapae.errors import UserError
from swapae.files import shown

GENERATED = "synthetic"


def open_source(data: str | Path, *, resolution: int) -> Source:
    """Open a folder of images, or the generated set for the word `synthetic` (`./synthetic` is a folder).

    Args:
        data: path of a folder, or the word.
        resolution: side in pixels at which generated images are drawn; folders do not need it.

    Raises:
        UserError: there is no such folder, or no readable image in it.
    """
    if data == GENERATED:
        from swapae.data.synthetic import SyntheticSource

        return SyntheticSource(resolution, seed=0)
    from swapae.data.folder import FolderSource

    if not os.path.exists(data):
        is_near = bool(difflib.get_close_matches(str(data).lower(), [GENERATED]))
        hint = (
            f"did you mean {GENERATED}?" if is_near else f"give a folder of images or the word {GENERATED}."
        )
        raise UserError(f"There is no folder {shown(data)}: {hint}")
    return FolderSource(data)
