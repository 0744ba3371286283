"""The cases of `tests/golden/ops.json` beside ours: outputs and gradients, each with its error."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import torch
from safetensors.torch import load_file
from tests.golden_tools import GOLDEN, Figure
from torch import Tensor, nn

from swapae import layers
from swapae.losses import cut, windows_of
from swapae.ops import upfirdn2d

Case = dict[str, Any]

CASES: list[Case] = json.loads((GOLDEN / "ops.json").read_text())
TENSORS = load_file(GOLDEN / "ops.safetensors")
TOLERANCE = 2e-6  # times the largest |value|, or 1
CROP_TOLERANCE = 5e-6  # the golden places of samples are themselves rounded to float32


def op_figures(case: Case, dtype: torch.dtype, upfirdn2d: Callable[..., Tensor] = upfirdn2d) -> list[Figure]:
    """Compute output and gradients of a case."""
    tensors = tensors_of(case, dtype)
    if case["op"] == "upfirdn2d":
        x = tensors["x"].requires_grad_()
        y = upfirdn2d(x, tensors["kernel"], up=case["up"], down=case["down"], pad=case["pad"])
        return _figures(case, tensors, y, {"grad_x": x})
    if case["op"] == "random_crop":
        x = tensors["x"].requires_grad_()
        return _figures(case, tensors, _cropped(case, tensors, x), {"grad_x": x}, CROP_TOLERANCE)
    layer = layer_of(case, tensors, dtype)
    inputs = {f"grad_{key}": tensors[key].requires_grad_() for key in ("arg0", "arg1") if key in tensors}
    y = layer(*inputs.values(), *([tensors["noise"]] if "noise" in tensors else []))
    parameters = dict(layer.named_parameters())
    published = {f"grad.{key[6:]}": key[6:] for key in tensors if key.startswith("param.")}
    assert parameters.keys() == {our_name(key) for key in published.values()}
    weights = {grad: parameters[our_name(key)] for grad, key in published.items()}
    return _figures(case, tensors, y, {**inputs, **weights})


def tensors_of(case: Case, dtype: torch.dtype) -> dict[str, Tensor]:
    """Give a case's tensors by their keys."""
    prefix = case["name"] + "/"
    return {
        key.removeprefix(prefix): tensor.to(dtype, copy=True)
        for key, tensor in TENSORS.items()
        if key.startswith(prefix)
    }


def layer_of(case: Case, tensors: dict[str, Tensor], dtype: torch.dtype) -> nn.Module:
    """Build the layer of a case, by the published words for its arguments, with the case's parameters."""
    arguments = {key: value for key, value in case.items() if key not in ("name", "op", "note")}
    if case["op"] == "StyledConv":
        arguments["kernel_size"] = 3
    layer: nn.Module = getattr(layers, case["op"])(**arguments).to(dtype)
    layer.load_state_dict(
        {our_name(key[6:]): tensor for key, tensor in tensors.items() if key.startswith("param.")}
    )
    return layer


def our_name(published: str) -> str:
    """Translate the names of parameters inside a layer."""
    return published.replace("Conv.", "conv.").replace("Act.", "act.")


def distance(ours: Tensor, theirs: Tensor) -> float:
    """Measure the largest difference, over the largest |value| or 1."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return (ours - theirs).abs().max().item() / max(1.0, theirs.abs().max().item())


def _cropped(case: Case, tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    draws = (tensors[f"u_{name}"].unflatten(0, (len(x), -1)) for name in ("flip", "scale", "offset"))
    flip, scale, offset = (draw.flatten(2) for draw in draws)  # [B, N, 1 or 2]
    return cut(x, windows_of(flip[..., 0], scale, offset, *case["scale_range"]), case["target_size"])


def _figures(
    case: Case, tensors: dict[str, Tensor], y: Tensor, leaves: dict[str, Tensor], tolerance: float = TOLERANCE
) -> list[Figure]:
    """Go back from the golden cotangent; `leaves` are named by the keys of their golden gradients."""
    gradients = torch.autograd.grad(y, list(leaves.values()), tensors["grad_y"])

    def compared() -> Iterator[Figure]:
        yield Figure("outputs", f"{case['name']}/y", distance(y, tensors["y"]), tolerance)
        for key, gradient in zip(leaves, gradients, strict=True):
            yield Figure("gradients", f"{case['name']}/{key}", distance(gradient, tensors[key]), tolerance)

    return list(compared())
