"""An ONNX graph in the making: nodes and constants as plain data, until the file's form is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from swapae.errors import UserError

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # sizes and paddings by axis, which onnxruntime knows since 1.14
IR_VERSION = 8  # of the file's own form: the one that came with this opset

Dim = int | str  # a side that is known, or the name of one that is not
Pads = tuple[int, int, int, int]  # top, left, bottom, right; negative crops

NO_PADS: Pads = (0, 0, 0, 0)


class Node(NamedTuple):
    """One operation; the name of its result is its own."""

    kind: str
    inputs: tuple[str, ...]
    name: str
    attributes: dict[str, Any]


class Graph:
    """Collect operations in the order they are computed; every method returns the name of a result.

    Constants are computed by the caller in whatever precision and stored as float32.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append an operation of ONNX's own set; "" stands for an input left out."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(Node(kind, inputs, name, attributes))
        return name

    def name(self, result: str, name: str) -> None:
        """Give a result a name of its own, as an output of the graph needs it."""
        self.nodes.append(Node("Identity", (result,), name, {}))

    def floats(self, values: Tensor | Sequence[float], kind: str = "weight") -> str:
        """Store a float constant, numbered among those of its kind."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.array(values)
        return self._store(kind, np.ascontiguousarray(array, dtype=np.float32))

    def whole(self, *values: int) -> str:
        """Store whole numbers: axes, sizes. Equal ones are stored once."""
        array = np.array(values, dtype=np.int64)
        for name, known in self.constants.items():
            if known.dtype == array.dtype and np.array_equal(known, array):
                return name
        return self._store("numbers", array)

    def conv(
        self,
        x: str,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        pads: Pads = NO_PADS,
        groups: int = 1,
    ) -> str:
        """Convolve with `[O, I / groups, k, k]`, zeros around."""
        inputs = [x, self.floats(weight), *([] if bias is None else [self.floats(bias)])]
        return self.add("Conv", *inputs, strides=[stride] * 2, pads=list(pads), group=groups)

    def conv_transpose(
        self, x: str, weight: Tensor, bias: Tensor | None = None, *, stride: int = 2, crop: Pads = NO_PADS
    ) -> str:
        """Convolve with `[I, O, k, k]` transposed; `crop` is cut off the result."""
        inputs = [x, self.floats(weight), *([] if bias is None else [self.floats(bias)])]
        return self.add("ConvTranspose", *inputs, strides=[stride] * 2, pads=list(crop))

    def pad(self, x: str, pads: Pads, *, reflect: bool) -> str:
        """Pad by reflection or with zeros, then crop where pads are negative."""
        if max(pads) > 0:
            top, left, bottom, right = (max(p, 0) for p in pads)
            # By all axes: two alone are misread by ONNX Runtime where it turns graphs to NHWC (int8, WebGPU).
            amounts = self.whole(0, 0, top, left, 0, 0, bottom, right)
            x = self.add("Pad", x, amounts, mode="reflect" if reflect else "constant")
        if min(pads) < 0:
            top, left, bottom, right = (max(-p, 0) for p in pads)
            far = 2**62
            ends = self.whole(-bottom or far, -right or far)
            x = self.add("Slice", x, self.whole(top, left), ends, self.whole(2, 3))
        return x

    def model(
        self, name: str, inputs: Mapping[str, Sequence[Dim]], outputs: Mapping[str, Sequence[Dim]]
    ) -> ModelProto:
        """Put the graph into ONNX's own form; every input and output is float32.

        Raises:
            UserError: onnx is not installed.
        """
        helper, numpy_helper, float32 = _onnx()
        graph = helper.make_graph(
            [
                helper.make_node(node.kind, node.inputs, [node.name], name=node.name, **node.attributes)
                for node in self.nodes
            ],
            name,
            [helper.make_tensor_value_info(key, float32, shape) for key, shape in inputs.items()],
            [helper.make_tensor_value_info(key, float32, shape) for key, shape in outputs.items()],
            [numpy_helper.from_array(array, key) for key, array in self.constants.items()],
        )
        model: ModelProto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="swapae",
        )
        return model

    def _store(self, kind: str, array: npt.NDArray[Any]) -> str:
        name = f"{kind}_{sum(known.startswith(f'{kind}_') for known in self.constants)}"
        self.constants[name] = array
        return name


def _onnx() -> tuple[Any, Any, int]:
    try:
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise UserError("ONNX needs packages of an extra: pip install 'swapae[onnx]'.") from error
    return helper, numpy_helper, TensorProto.FLOAT
