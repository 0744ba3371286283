"""Measurements that do not come to their end, and runs that go on with other ones."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.training.measured import LEAKAGE, lines_with, measured, tensors_of
from tests.training.tools import Heard, log_of, make_images, micro, names_in, run

from swapae import SwappingAutoencoder
from swapae.training.evaluate import Evaluation

pytestmark = pytest.mark.usefixtures("quick_net")


def test_a_run_that_is_killed_while_it_is_measured_ends_as_one_that_is_not(
    finished: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = Evaluation.figures, []

    def killed(self: Evaluation, model: SwappingAutoencoder) -> dict[str, float]:
        calls.append(0)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(self, model)

    with monkeypatch.context() as patch:
        patch.setattr(Evaluation, "figures", killed)
        with pytest.raises(KeyboardInterrupt):
            run(measured(images), images, tmp_path / "run")
    assert list(lines_with(LEAKAGE, tmp_path / "run")) == [8, 16]
    run(measured(images), images, tmp_path / "run")
    assert log_of(tmp_path / "run") == log_of(finished)
    assert names_in(tmp_path / "run" / "checkpoints") == names_in(finished / "checkpoints")
    last = "images_00000032"
    assert tensors_of(tmp_path / "run", last) == tensors_of(finished, last)


def test_a_stop_does_not_wait_and_the_next_call_makes_up_for_it(
    finished: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [False]
    step = Evaluation._go_on

    def ask(self: Evaluation) -> None:
        asked[0] = True  # after the first batch
        step(self)

    from swapae.training.loop import train

    heard = Heard()
    with monkeypatch.context() as patch:
        patch.setattr(Evaluation, "_go_on", ask)
        summary = train(
            measured(images),
            str(images),
            tmp_path / "run",
            device="cpu",
            reporter=heard,
            stop=lambda: asked[0],
        )
    assert summary.images_seen == 8
    assert lines_with(LEAKAGE, tmp_path / "run") == {}
    state = json.loads((tmp_path / "run" / "checkpoints" / "images_00000008" / "state.json").read_text())
    assert (state["evaluated"], list(state["metrics"])) == (0, ["reconstruction_l1"])
    run(replace(measured(images), keep_best=2), images, tmp_path / "run")  # how much stays may change
    assert list(lines_with(LEAKAGE, tmp_path / "run")) == [12, 16, 24, 32]
    last = "images_00000032"
    assert tensors_of(tmp_path / "run", last) == tensors_of(finished, last)


def test_images_that_have_gone_are_told_of_and_training_goes_on(images: Path, tmp_path: Path) -> None:
    others = make_images(tmp_path / "others", 4)
    heard = Heard()

    class Going(Heard):
        def progress(self, *arguments: Any) -> None:
            for path in others.iterdir():
                path.unlink()

        def message(self, text: str) -> None:
            heard.message(text)

    summary = run(measured(others), images, tmp_path / "run", heard=Going())
    assert summary.is_complete
    assert lines_with(LEAKAGE, tmp_path / "run") == {}
    told = [text for text in heard.messages if "Nothing was measured on" in text]
    assert len(told) == 4  # at 8, 16, 24 and 32


def test_measuring_may_begin_and_change_when_a_run_goes_on(images: Path, tmp_path: Path) -> None:
    run(micro(), images, tmp_path / "run", after=4)
    heard = Heard()
    run(measured(images, pairs=3), images, tmp_path / "run", heard=heard)
    assert list(lines_with(LEAKAGE, tmp_path / "run")) == [20, 24, 32]
    (said,) = [text for text in heard.messages if text.startswith("measured ")]
    assert "measured 6 images and 3 pairs of" in said
    assert "every 8 images" in said
