"""A graph whose weights lie in another graph's file: ONNX's external data, by offset and length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto

LEAST = 1024  # bytes: smaller constants stay in the graph


def share_weights(model: ModelProto, data: bytes, file: str) -> None:
    """Let large constants of `model` be read from the bytes `data` of `file`, where those hold them.

    Any place where the same bytes lie serves, so a constant that is not found simply stays.

    Args:
        model: changed in place; its constants are in the order of those in the file.
        data: another graph as it is stored.
        file: name of its file, in the folder that this graph will be in.
    """
    from onnx import TensorProto

    after = 0
    for constant in model.graph.initializer:
        raw = constant.raw_data
        place = data.find(raw, after) if len(raw) >= LEAST else -1
        if place < 0:
            continue
        after = place + len(raw)
        constant.ClearField("raw_data")
        constant.data_location = TensorProto.EXTERNAL
        for key, value in (("location", file), ("offset", place), ("length", len(raw))):
            constant.external_data.add(key=key, value=str(value))
