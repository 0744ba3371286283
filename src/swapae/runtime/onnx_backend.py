"""Encoder and generator under ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.errors import UserError
from swapae.export.onnx_graphs import EncoderOutput, encoder_graph, generator_graph, noise_names
from swapae.networks import Encoder, Generator
from swapae.networks.generator import Noise

if TYPE_CHECKING:
    from onnx import ModelProto

Arrays = dict[str, npt.NDArray[np.float32]]


class OnnxBackend:
    """Run an encoder and a generator under ONNX Runtime, on the CPU, in float32.

    A session is built, in a second or so, when its kind of call first comes, and kept in memory: it holds a
    copy of the weights as they were then. It uses as many threads as torch; when torch's number changes,
    sessions are built anew. Tensors go in and come out without gradients.

    Args:
        encoder: gives the graphs of `encode`.
        generator: gives the graphs of `decode`.

    Raises:
        UserError: onnx or onnxruntime is not installed.

    Example:
        >>> backend = OnnxBackend(model.encoder, model.generator)  # doctest: +SKIP
        >>> structure, _ = backend.encode(images, texture=False)  # doctest: +SKIP
    """

    def __init__(self, encoder: Encoder, generator: Generator) -> None:
        self._runtime = _onnxruntime()
        self.encoder = encoder
        self.generator = generator
        self._sessions: dict[str, Any] = {}
        self._threads = 0
        self._lock = Lock()

    def encode(
        self, images: Tensor, structure: bool = True, texture: bool = True
    ) -> tuple[Tensor | None, Tensor | None]:
        """Encode images `[B, 3, H, W]` in [-1, 1], as `Encoder` does; only the codes wanted are computed.

        Returns:
            structure `[B, Cs, h, w]` and texture `[B, Ct]`; None for what was not wanted.

        Raises:
            ValueError: a side is shorter than the encoder takes.
        """
        height, width = images.shape[2:]
        if min(height, width) < self.encoder.min_side:
            raise ValueError(
                f"the encoder needs sides of at least {self.encoder.min_side} px, not {height}×{width}."
            )
        wanted: list[EncoderOutput] = []
        if structure:
            wanted.append("structure")
        if texture:
            wanted.append("texture")
        if not wanted:
            return None, None
        session = self._session("encoder " + " ".join(wanted), lambda: encoder_graph(self.encoder, wanted))
        codes = dict(zip(wanted, _run(session, wanted, {"images": _array(images)}), strict=True))
        return codes.get("structure"), codes.get("texture")

    def decode(self, structure: Tensor, texture: Tensor, noise: Noise | None = None) -> Tensor:
        """Decode to images `[B, 3, H, W]`, as `Generator` does.

        Args:
            structure: `[B, Cs, h, w]`; its batch or the texture's may be 1.
            texture: `[B, Ct]` or a map `[B, Ct, h', w']`.
            noise: one map `[B or 1, 1, h, w]` (or None) a styled convolution, in layer order.

        Raises:
            ValueError: the number of noise maps is not the generator's.
        """
        batch = max(len(structure), len(texture))
        if texture.ndim == 2:
            texture = texture[:, :, None, None]  # a vector is a map of 1×1
        inputs = {
            "structure": _array(structure.expand(batch, *structure.shape[1:])),
            "texture": _array(texture.expand(batch, *texture.shape[1:])),
        }
        maps = self._noise_inputs(noise, structure) if noise is not None else {}
        session = self._session(
            f"generator {len(maps)}", lambda: generator_graph(self.generator, noise=noise is not None)
        )
        return _run(session, ["images"], inputs | maps)[0]

    def _noise_inputs(self, noise: Noise, structure: Tensor) -> Arrays:
        """Bring maps to the size of their layer, as `NoiseInjection` does; a zero stands for no noise."""
        names = noise_names(self.generator)
        if len(noise) != len(names):
            raise ValueError(f"{len(noise)} noise maps were given; this generator takes {len(names)}.")
        shapes = self.generator.noise_shapes(structure.shape[2], structure.shape[3])
        return {
            name: _array(torch.zeros(1, 1, 1, 1) if one is None else _resized(one, shape[2:]))
            for name, one, shape in zip(names, noise, shapes, strict=True)
        }

    def _session(self, name: str, build: Callable[[], ModelProto]) -> Any:
        with self._lock:
            if self._threads != torch.get_num_threads():
                self._sessions.clear()
                self._threads = torch.get_num_threads()
            if name not in self._sessions:
                self._sessions[name] = self._opened(build())
            return self._sessions[name]

    def _opened(self, model: ModelProto) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3  # errors only
        # Its threads wait for work in a busy loop; between two calls the processor belongs to others.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        return self._runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )


def _run(session: Any, outputs: list[Any], inputs: Arrays) -> list[Tensor]:
    return [torch.from_numpy(array) for array in session.run(outputs, inputs)]


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    """View a tensor as an array; only what is not contiguous float32 on the CPU is copied."""
    array: npt.NDArray[np.float32] = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    return array


def _resized(noise: Tensor, size: tuple[int, int]) -> Tensor:
    return noise if noise.shape[2:] == size else F.interpolate(noise, size=size, mode="nearest")


def _onnxruntime() -> Any:
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError as error:
        raise UserError("ONNX needs packages of an extra: pip install 'swapae[onnx]'.") from error
    return onnxruntime
