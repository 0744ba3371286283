"""Several processes train as one does, and one goes on where several stopped."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.recorded import train_recorded
from tests.training.tools import make_images

from swapae.training.checkpoint import newest_valid
from swapae.training.dealing import deal
from swapae.training.launch import launch
from swapae.weights import load_tensors

Record = dict[str, Any]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one process; and one of one process for 13 steps, of two for 14, of one for the last 13."""
    folder = tmp_path_factory.mktemp("processes")
    images = make_images(folder / "images", count=30)
    train_recorded(images, folder / "one", folder / "one.json")
    train_recorded(images, folder / "mixed", folder / "before.json", 13)
    arguments = (images, folder / "mixed", folder, 14)
    assert launch(["-m", "tests.training.recorded", *map(str, arguments)], 2) == 0
    train_recorded(images, folder / "mixed", folder / "after.json")
    return folder


def read(path: Path) -> Record:
    record: Record = json.loads(path.read_text())
    return record


def steps_of(record: Record, batch: int) -> list[list[tuple[int, str]]]:
    """Position and pixels of the images of every step."""
    pairs = list(zip(record["read"], record["pixels"], strict=True))
    return [pairs[i : i + batch] for i in range(0, len(pairs), batch)]


def test_two_processes_read_the_images_of_one_and_augment_them_alike(runs: Path) -> None:
    one = steps_of(read(runs / "one.json"), 8)
    before, after = (steps_of(read(runs / f"{name}.json"), 8) for name in ("before", "after"))
    first, second = (steps_of(read(runs / f"{rank}.json"), 4) for rank in (0, 1))
    assert (len(before), len(first), len(second), len(after)) == (13, 14, 14, 13)
    together = [sorted(a + b) for a, b in zip(first, second, strict=True)]
    assert before + together + after == one
    assert [[position % 8 for position, _ in step] for step in first] == [[0, 1, 4, 5]] * 14
    assert [[position % 8 for position, _ in step] for step in second] == [[2, 3, 6, 7]] * 14


def test_two_processes_draw_the_windows_and_the_noise_of_one(runs: Path) -> None:
    one, first, second = (drawn_of(read(runs / f"{name}.json")) for name in ("one", "0", "1"))
    num_before = len(drawn_of(read(runs / "before.json")))
    shares = deal(8, 2, 1)
    for both, whole in zip(zip(first, second, strict=True), one[num_before:], strict=False):
        for mine, share in zip(both, shares, strict=True):
            assert mine[:4] == [whole[position] for position in share.positions]
            if len(whole) > 8:  # noise of reconstructions, of which an R1 step makes none
                assert mine[4:] == whole[8:][share.reconstructions]


def drawn_of(record: Record) -> list[Sequence[str]]:
    """What was drawn in each step, where a process takes it in one micro-batch."""
    return [step[0] for step in record["drawn"]]


@pytest.mark.parametrize("kind", ["weights", "ema", "optimizer"])
def test_weights_after_twenty_iterations_are_those_of_one_process(kind: str, runs: Path) -> None:
    one, mixed = (newest_valid(runs / name / "checkpoints") for name in ("one", "mixed"))
    assert one is not None
    assert mixed is not None
    assert one.name == mixed.name == "images_00000320"
    expected, found = (load_tensors(path / f"{kind}.safetensors")[0] for path in (one, mixed))
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert tensor.dtype == (torch.float32 if name.endswith("|step") else torch.float64)
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=1e-6)


def test_the_log_of_two_processes_has_the_means_of_both(runs: Path) -> None:
    one, mixed = (
        [json.loads(line) for line in (runs / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "mixed")
    )
    assert [line["images_seen"] for line in mixed] == [80, 160, 240, 320]
    assert len({line["augment_strength"] for line in one}) > 1
    for expected, found in zip(one, mixed, strict=True):
        assert expected.keys() == found.keys()
        for name in expected.keys() - {"seconds", "images_per_second"}:
            assert found[name] == pytest.approx(expected[name], abs=1e-6)
