"""Ops and layers give the published numbers and gradients, by fast bodies and by those that define them."""

import pytest
import torch
from tests.golden_op_tools import CASES, TENSORS, TOLERANCE, Case, distance, layer_of, op_figures, tensors_of

from swapae import layers
from swapae.ops import fused_leaky_relu_reference, modulated_conv2d_reference, upfirdn2d_reference

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


@DTYPES
@EVERY_CASE
def test_fast_bodies_give_the_golden_outputs_and_gradients(case: Case, dtype: torch.dtype) -> None:
    assert not [figure for figure in op_figures(case, dtype) if not figure.error <= figure.tolerance]


@DTYPES
@EVERY_CASE
def test_reference_bodies_give_the_golden_outputs_and_gradients(
    case: Case, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swapae.layers.resample.upfirdn2d", upfirdn2d_reference)
    monkeypatch.setattr("swapae.layers.modulated.modulated_conv2d", modulated_conv2d_reference)
    monkeypatch.setattr("swapae.layers.equalized.fused_leaky_relu", fused_leaky_relu_reference)
    found = op_figures(case, dtype, upfirdn2d_reference)
    assert not [figure for figure in found if not figure.error <= figure.tolerance]


@pytest.mark.parametrize("name", ["modulated_conv2d_spatial", "modulated_conv2d_spatial_up"])
def test_a_style_map_may_come_with_any_batch(name: str) -> None:
    case = next(case for case in CASES if case["name"] == name)
    tensors = tensors_of(case, torch.float32)
    layer = layer_of(case, tensors, torch.float32)
    x, style = tensors["arg0"], tensors["arg1"]
    y = layer(torch.cat([x, x.flip(3)]), torch.cat([style, style.flip(2)]))
    assert distance(y[:1], tensors["y"]) <= TOLERANCE
    assert distance(y[1:], layer(x.flip(3), style.flip(2))) <= TOLERANCE


def test_every_golden_case_is_tested() -> None:
    assert {case["op"] for case in CASES} <= {*dir(layers), "upfirdn2d", "random_crop"}
    assert {key.split("/")[0] for key in TENSORS} == {case["name"] for case in CASES}
