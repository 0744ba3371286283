"""Graphs under ONNX Runtime: a session each, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swapae_onnx.errors import UserError
from swapae_onnx.files import shown

Floats = NDArray[np.float32]


class Sessions:
    """Run graphs by name.

    Args:
        files: of each graph.
        threads: that an operation may use; None leaves it to ONNX Runtime, which takes a core each.
        providers: of ONNX Runtime, in the order in which they are tried.

    Raises:
        UserError: onnxruntime is not installed or lacks a provider; at a call, a file is no graph.
    """

    def __init__(self, files: Mapping[str, Path], threads: int | None, providers: Sequence[str]) -> None:
        self._runtime = _onnxruntime()
        there = self._runtime.get_available_providers()
        if missing := [name for name in providers if name not in there]:
            raise UserError(f"ONNX Runtime has no {missing[0]} here; it has {', '.join(there)}.")
        self._files = files
        self._threads = threads
        self._providers = list(providers)
        self._made: dict[str, Any] = {}
        self._lock = Lock()

    def run(self, name: str, outputs: list[str], inputs: Mapping[str, NDArray[Any]]) -> list[Floats]:
        """Compute outputs; inputs are brought to float32.

        Raises:
            UserError: ONNX Runtime cannot, as where there is not the memory for it.
        """
        given = {key: np.ascontiguousarray(array, np.float32) for key, array in inputs.items()}
        session = self._session(name)
        try:
            found: list[Floats] = session.run(outputs, given)
        except Exception as error:  # onnxruntime has classes of its own for each cause, without a common one
            shapes = ", ".join(f"{key} {list(array.shape)}" for key, array in given.items())
            raise UserError(
                f"ONNX Runtime cannot compute {name} of {shapes} ({_first_line(error)}); "
                "where memory is short, take smaller images or fewer at a time."
            ) from None
        return found

    def _session(self, name: str) -> Any:
        with self._lock:
            if name not in self._made:
                self._made[name] = self._opened(self._files[name])
            return self._made[name]

    def _opened(self, file: Path) -> Any:
        options = self._runtime.SessionOptions()
        options.log_severity_level = 4  # what is wrong comes as an exception
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        # Its threads wait for work in a busy loop; between two calls the processor belongs to others.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            return self._runtime.InferenceSession(str(file), options, providers=self._providers)
        except Exception as error:  # as above
            raise UserError(f"{shown(file)} cannot be run by ONNX Runtime ({_first_line(error)}).") from None


def _first_line(error: Exception) -> str:
    return shown((str(error).splitlines() or [""])[0])


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            "ONNX Runtime is not installed: pip install onnxruntime, or 'swapae[onnx]'."
        ) from None
    return onnxruntime
