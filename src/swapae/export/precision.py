"""Graphs with weights or arithmetic of fewer bits.

- float16-weights: half the size. Weights are stored as float16, and made float32 once, as a session begins.
- int8: convolutions of 8-bit numbers, which processors with VNNI do faster; other weights as above. Ranges of
  what goes in are found by running the graph on examples (static quantization, weights by channel).
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from swapae.errors import UserError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

PrecisionName = Literal["float32", "float16-weights", "int8"]
Feed = Mapping[str, NDArray[np.float32]]  # of a graph, its inputs

LEAST = 256  # numbers: smaller constants stay float32
LARGEST_HALF = 65504.0
WEIGHTED = ("Conv", "ConvTranspose")  # operations whose second input is a weight


@dataclass(frozen=True)
class Precision:
    """How graphs are stored and computed.

    - name: as `swapae export --precision` takes it.
    - feeds: of each graph, examples of its inputs; int8 alone needs them.
    """

    name: PrecisionName = "float32"
    feeds: Mapping[str, Sequence[Feed]] = field(default_factory=dict)

    def of(self, name: str, graph: ModelProto) -> ModelProto:
        """Give a graph in this precision; `name` finds its examples.

        Raises:
            UserError: onnxruntime is not installed, which int8 needs.
        """
        if self.name == "float32":
            return graph
        return with_half_weights(graph if self.name == "float16-weights" else int8(graph, self.feeds[name]))


def with_half_weights(graph: ModelProto) -> ModelProto:
    """Store weights as float16. What is too large for it, or too small a constant, stays float32."""
    import onnx

    made = onnx.ModelProto()
    made.CopyFrom(graph)
    weights = {node.input[1] for node in made.graph.node if node.op_type in WEIGHTED}
    casts = []
    for constant in made.graph.initializer:
        if constant.name not in weights or constant.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(constant)
        if values.size < LEAST or np.abs(values).max() > LARGEST_HALF:
            continue
        name, stored = constant.name, f"{constant.name}_half"
        constant.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [name], name=f"cast_{name}", to=1))
    nodes = [*casts, *made.graph.node]
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def int8(graph: ModelProto, feeds: Sequence[Feed]) -> ModelProto:
    """Compute the convolutions that cost most with 8-bit numbers, in the ranges that `feeds` lead to.

    Weights keep to 7 bits: processors with AVX2 or AVX-512 but without VNNI add products in 16 bits, which
    then cannot overflow.

    Raises:
        UserError: onnxruntime is not installed.
    """
    import onnx

    tools = _quantization()
    with tempfile.TemporaryDirectory(prefix="swapae-") as folder, _quiet():
        given, file = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(graph, given)  # a graph itself would be changed
        tools.quantize_static(
            given,
            file,
            _reader(tools, feeds),
            quant_format=tools.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=sensitive(graph),
            per_channel=True,
            reduce_range=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
        )
        return onnx.load(file)


def sensitive(graph: ModelProto) -> list[str]:
    """Name the convolutions that stay float32, by node.

    They would lose most: the first and the last, that to RGB and the one before it, whose rounding is grain
    in the picture (LOG.md); blurs; those beside a normalisation: what gives codes, or gains of a texture.
    """
    shapes = {one.name: tuple(one.dims) for one in graph.graph.initializer}
    maker = {name: node for node in graph.graph.node for name in node.output}
    measured = {node.input[0] for node in graph.graph.node if node.op_type == "ReduceSumSquare"}

    def stays(node: NodeProto) -> bool:
        outputs, inputs, *_ = shapes[node.input[1]]
        groups = next((one.i for one in node.attribute if one.name == "group"), 1)
        before = maker.get(node.input[0])
        return (
            groups > 1
            or 3 in (inputs, outputs)
            or node.output[0] in measured
            or (before is not None and before.op_type in ("Div", "GlobalAveragePool"))
        )

    convolutions = [node for node in graph.graph.node if node.op_type == "Conv"]
    makes_pixels = [one.name for one in graph.graph.output] == ["images"]
    last = [node.name for node in convolutions if not stays(node)][-1:] if makes_pixels else []
    return [node.name for node in convolutions if stays(node)] + last


def _reader(tools: Any, feeds: Sequence[Feed]) -> Any:
    class Reader(tools.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self.left, None)

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the root logger from advice that does not concern these graphs."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _quantization() -> Any:
    try:
        from onnxruntime import quantization
    except ImportError as error:
        raise UserError("int8 needs packages of an extra: pip install 'swapae[onnx]'.") from error
    return quantization
