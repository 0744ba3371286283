"""The networks and the objective give the published numbers (`tests/golden/README.md`)."""

import pytest
import torch
from tests.golden_tools import FULL_WIDTH, MODELS, SHARED, figures

KINDS = ("codes", "images")
TRAINING_KINDS = ("logits, features", "losses", "gradient norms", "gradient norms of 0")
CASES = [(name, kind) for name in MODELS for kind in KINDS] + [
    (name, kind) for name in MODELS for kind in TRAINING_KINDS if name != "model_sp3_96x64"
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_golden_value_is_met(name: str, dtype: torch.dtype, kind: str) -> None:
    found = [figure for figure in figures(name, dtype) if figure.kind == kind]
    assert found
    assert not [figure for figure in found if not figure.error <= figure.tolerance]


@pytest.mark.slow
@pytest.mark.skipif(
    not (SHARED / f"{FULL_WIDTH}.safetensors").exists(), reason=f"no {FULL_WIDTH} beside the checkout"
)
def test_the_full_width_model_meets_its_golden_values() -> None:
    found = figures(FULL_WIDTH, torch.float32, num_decoded=1)
    assert {figure.kind for figure in found} == {"codes", "images"}
    assert not [figure for figure in found if not figure.error <= figure.tolerance]
