"""Averaged weights: how fast they forget, and that 0 is off."""

from pathlib import Path

import pytest
import torch
from tests.training.tools import make_images, micro, run

from swapae import SwappingAutoencoder
from swapae.training.ema import RAMP, Ema


def filled(value: float) -> SwappingAutoencoder:
    model = SwappingAutoencoder(micro().model)
    fill(model, value)
    return model


def fill(model: SwappingAutoencoder, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def value_of(ema: Ema) -> float:
    values = torch.cat([parameter.detach().flatten() for parameter in ema.model.parameters()])
    assert (values == values[0]).all()
    return float(values[0])


def test_after_one_half_life_half_is_forgotten_whatever_the_steps() -> None:
    for step in (10, 50, 1000):
        model = filled(0.0)
        ema = Ema(model, half_life_kimg=1.0)
        fill(model, 1.0)
        for seen in range(step, 1001, step):
            ema.update(step, 10**6 + seen)
        assert value_of(ema) == pytest.approx(0.5, abs=1e-5)


def test_early_on_the_half_life_is_a_twentieth_of_what_was_seen() -> None:
    model = filled(0.0)
    ema = Ema(model, half_life_kimg=1.0)
    fill(model, 1.0)
    ema.update(32, 640)
    assert pytest.approx(1 / 20) == RAMP
    assert value_of(ema) == pytest.approx(0.5)  # 640/20 = 32
    ema.update(1000, 19_999)
    assert value_of(ema) == pytest.approx(0.75, abs=1e-4)
    ema.update(1000, 10**9)  # no longer than what was asked for
    assert value_of(ema) == pytest.approx(0.875, abs=1e-4)


def test_the_start_is_forgotten_at_once() -> None:
    model = filled(0.0)
    ema = Ema(model, half_life_kimg=10.0)
    fill(model, 1.0)
    ema.update(32, 32)
    assert value_of(ema) == pytest.approx(1.0, abs=1e-5)


def test_it_begins_as_the_model_and_shares_nothing_with_it() -> None:
    model = filled(3.0)
    ema = Ema(model, half_life_kimg=1.0)
    fill(model, 4.0)
    assert value_of(ema) == 3.0
    assert not ema.model.training
    assert not any(parameter.requires_grad for parameter in ema.model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_it_moves_on_at_the_generators_steps_by_the_images_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates: list[tuple[int, int]] = []
    monkeypatch.setattr(Ema, "update", lambda self, *numbers: updates.append(numbers))
    run(micro(), make_images(tmp_path / "images"), tmp_path / "run")
    assert updates == [(8, 8), (8, 16), (8, 24), (8, 32)]


def test_half_life_zero_is_the_trained_model_itself() -> None:
    model = filled(3.0)
    ema = Ema(model, half_life_kimg=0.0)
    assert ema.model is model
    fill(model, 4.0)
    ema.update(100, 100)
    assert value_of(ema) == 4.0
    assert all(parameter.requires_grad for parameter in model.parameters())
