"""The word for a set of images on the command line → the set."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from swapae.data.source import Source
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.files import shown

GENERATED = "synthetic"


def open_source(data: str | Path, *, resolution: int, config: DataConfig | None = None) -> Source:
    """Open a folder of images or a cache of them, or for the word `synthetic` the generated set.

    A folder of that name is `./synthetic`.

    Args:
        data: path of a folder, or the word.
        resolution: side in pixels at which generated images are drawn; folders do not need it.
        config: if given, images of a folder come as its `preprocess` and `decode` leave them.

    Raises:
        UserError: there is no such folder, or no readable image in it, or it is a cache by another rule.
    """
    if data == GENERATED:
        from swapae.data.synthetic import SyntheticSource

        return SyntheticSource(resolution, seed=0)
    from swapae.data.cache import CachedSource, is_cache
    from swapae.data.folder import FolderSource

    if not os.path.exists(data):
        is_near = bool(difflib.get_close_matches(str(data).lower(), [GENERATED]))
        hint = (
            f"did you mean {GENERATED}?" if is_near else f"give a folder of images or the word {GENERATED}."
        )
        raise UserError(f"There is no folder {shown(data)}: {hint}")
    return CachedSource(data, config) if is_cache(data) else FolderSource(data, config)
