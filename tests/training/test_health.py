"""What a training says of itself."""

import math

import pytest
import torch
from torch import nn

from swapae.codes import Codes
from swapae.training.health import (
    EARLY,
    FEW_GRIDS,
    LONG,
    Watch,
    gradient_norms,
    texture_readings,
    verdicts,
)


def test_accuracy_is_the_mean_of_the_shares_of_real_and_of_made_images_judged_rightly() -> None:
    real = torch.tensor([[2.0], [1.0], [-1.0], [4.0]])  # 3 of 4
    made = {
        "reconstruction": torch.tensor([[-1.0], [1.0]]),
        "hybrid": torch.tensor([[-3.0], [-5.0]]),
    }  # 3 of 4
    found = verdicts("D", real, **made)
    assert {name: float(value) for name, value in found.items()} == {
        "D_accuracy": 0.75,
        "D_logit_real": 1.5,
        "D_logit_reconstruction": 0.0,
        "D_logit_hybrid": -4.0,
    }


def test_readings_carry_no_graph_and_are_in_full_precision() -> None:
    logits = torch.ones(4, 1, dtype=torch.bfloat16, requires_grad=True)
    for value in verdicts("D", logits, hybrid=-logits).values():
        assert not value.requires_grad
        assert value.dtype == torch.float32


def test_a_gradient_norm_is_that_of_all_weights_of_a_network_together() -> None:
    network, frozen = nn.Linear(2, 1), nn.Linear(2, 1)
    network.weight.grad, network.bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])
    norms = gradient_norms({"encoder": network, "generator": frozen})
    assert {name: float(norm) for name, norm in norms.items()} == {"grad_encoder": 5.0}


def unit(*values: float) -> torch.Tensor:
    return nn.functional.normalize(torch.tensor([values, values[::-1]]), dim=1)


def test_texture_readings_are_movement_per_distance_and_drift_per_difference() -> None:
    texture = unit(1.0, 0.0)  # exchanged, they are √2 apart
    structure = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    codes = Codes(structure, texture, (4, 4))
    other = Codes(structure, texture.flip(0), (4, 4))
    again = Codes(structure + 0.25, texture.flip(0), (4, 4))
    own = torch.zeros(2, 3, 4, 4)
    found = texture_readings(codes, other, again, own, own + 0.5)
    assert float(found["texture_spread"]) == pytest.approx(math.sqrt(2))
    assert float(found["texture_sensitivity"]) == pytest.approx(0.5 / math.sqrt(2))
    assert float(found["structure_drift"]) == pytest.approx(0.25)


def test_textures_that_are_all_the_same_are_no_division_by_nothing() -> None:
    codes = Codes(torch.zeros(2, 1, 2, 2), torch.ones(2, 2), (4, 4))
    found = texture_readings(codes, codes, codes, torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4))
    assert all(float(value) == 0 for value in found.values())


# ── in words ─────────────────────────────────────────────────────────────────────────────────────


def told(*lines: dict[str, float]) -> list[list[str]]:
    watch = Watch()
    return [watch.news({"images_seen": EARLY + i, **line}) for i, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("name", "who", "fix"),
    [("D_accuracy", "image discriminator", "loss.r1"), ("patch_D_accuracy", "patch", "loss.patch_r1")],
)
def test_a_discriminator_that_is_right_for_long_is_told_of_once(name: str, who: str, fix: str) -> None:
    heard = told(*[{name: 0.995}] * (LONG + 5))
    assert heard[: LONG - 1] == [[]] * (LONG - 1)
    (sentence,) = heard[LONG - 1]
    assert who in sentence
    assert "99.5 %" in sentence
    assert fix in sentence
    assert heard[LONG:] == [[]] * 5


def test_one_line_in_doubt_keeps_it_from_being_told_and_lets_it_be_told_again() -> None:
    sure, unsure = {"D_accuracy": 1.0}, {"D_accuracy": 0.9}
    heard = told(*[sure] * LONG, unsure, *[sure] * LONG)
    assert [bool(news) for news in heard] == [False] * (LONG - 1) + [True] + [False] * LONG + [True]
    assert not any(told(*([sure] * (LONG - 1) + [unsure]) * 3))


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        ({"texture_sensitivity": 0.001, "texture_spread": 1.0}, "hybrids ignore the texture"),
        ({"texture_sensitivity": 0.0, "texture_spread": 0.001}, "nearly the same texture code"),
        ({"structure_drift": 1.0}, "hybrids lose the structure"),
    ],
)
def test_textures_that_do_nothing_and_structures_that_go_are_told_of(
    reading: dict[str, float], words: str
) -> None:
    heard = told(*[reading, {}] * FEW_GRIDS)  # lines between grids do not have them
    assert [bool(news) for news in heard] == [False] * (2 * FEW_GRIDS - 2) + [True, False]
    assert words in heard[-2][0]


def test_a_texture_that_does_nothing_yet_is_no_news() -> None:
    watch = Watch()
    line = {"texture_sensitivity": 0.0, "texture_spread": 1.0}
    assert not any(watch.news({"images_seen": seen, **line}) for seen in range(0, EARLY, EARLY // 20))


def test_a_healthy_training_is_not_commented() -> None:
    line = {"D_accuracy": 0.8, "patch_D_accuracy": 0.7, "texture_sensitivity": 0.2}
    assert not any(told(*[line | {"texture_spread": 0.9, "structure_drift": 0.4}] * 30))
