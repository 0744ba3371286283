"""The edit as a function of tables, which Ray Data and Spark spread over machines."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from swapae.batch.edit import Edit
from swapae.batch.editor import Editor
from swapae.batch.outcome import in_words
from swapae.images import decode_image
from swapae.runtime.backends import BackendName
from swapae.saving import SAVE_FORMATS, encode_image


class EditRows:
    """Edits encoded pictures, a table at a time: for `map_batches` of Ray Data, or Spark's `mapInPandas`.

    It keeps no state but the model, which each process loads once.

    Args:
        edit: what is to be done; or an `Editor` that is ready, whose photos are not read again.
        format: of the results: png, jpg or webp.
        quality: of jpg and webp, 1 to 100.
        device: where to compute.
        backend: what runs the model.
    """

    def __init__(
        self,
        edit: Edit | Editor,
        format: str = "png",
        quality: int = 95,
        device: str = "auto",
        backend: BackendName = "torch",
    ) -> None:
        self.editor = edit if isinstance(edit, Editor) else Editor(edit, device, backend)
        self.format, self.quality = SAVE_FORMATS[f".{format}"], quality

    def __call__(self, table: dict[str, Any]) -> dict[str, Any]:
        """Edit the pictures of a table.

        Args:
            table: columns `path` (what messages call them) and `bytes` (encoded pictures), as
                `ray.data.read_binary_files(…, include_paths=True)` gives them; others are passed on.

        Returns:
            the table, with results in `bytes`, and `error`, a sentence where there is none, else empty.
        """
        rows = zip(table["path"], table["bytes"], strict=True)
        done = [self._one(str(path), data) for path, data in rows]
        results, errors = np.empty(len(done), dtype=object), np.empty(len(done), dtype=object)
        results[:], errors[:] = [data for data, _ in done], [error for _, error in done]
        return {**table, "bytes": results, "error": errors}

    def _one(self, path: str, data: bytes) -> tuple[bytes, str]:
        try:
            result = self.editor(decode_image(io.BytesIO(data), path))
            return encode_image(result, self.format, self.quality, path), ""
        except Exception as error:  # one picture must not end the others
            return b"", in_words(error)
