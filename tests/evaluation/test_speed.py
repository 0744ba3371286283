"""Times of a model: warm, in a bounded time, and with a sentence where there are none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from swapae import SwappingAutoencoder
from swapae.evaluation import speed
from swapae.evaluation.speed import bytes_needed, measure_speed, median_seconds
from swapae.runtime.plans import default_budget
from swapae.weights import NothingDrawn


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")


class Clock:
    """Each call that is timed seems to take the next of some seconds; the last one goes on."""

    def __init__(self, *seconds: float) -> None:
        self.left = list(seconds)
        self.now, self.asked = 0.0, 0

    def __call__(self) -> float:
        self.asked += 1
        if self.asked % 2 == 0:  # the end of a call
            self.now += self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return self.now


def test_encode_decode_and_swap_are_timed_without_the_cache(model: SwappingAutoencoder) -> None:
    cache = model.codes_cache
    assert cache is not None
    found = measure_speed(model, sides=(16, 32))
    assert found["skipped"] == {}
    times = found["milliseconds"]
    assert isinstance(times, dict)
    assert list(times) == ["16", "32"]
    assert all(list(row) == ["encode", "decode", "swap"] and min(row.values()) > 0 for row in times.values())
    assert (found["device"], found["backend"]) == ("cpu", "torch")
    assert found["threads"] == torch.get_num_threads()
    assert found["processor"]
    assert model.codes_cache is cache
    assert cache.statistics().misses == 0


def test_a_time_is_the_median_of_a_few_after_a_call_that_warms_up() -> None:
    calls: list[int] = []
    clock = Clock(0.1, 0.3, 0.2, 0.2, 9.0)
    assert median_seconds(lambda: calls.append(1), 5.0, clock) == pytest.approx(0.2)
    assert len(calls) == 1 + 5
    slow = Clock(1.5)
    assert median_seconds(lambda: calls.append(1), 5.0, slow) == 1.5
    assert slow.asked == 2 * 3  # enough is known
    hopeless = Clock(6.0)
    assert median_seconds(lambda: calls.append(1), 5.0, hopeless) == 6.0
    assert hopeless.asked == 2


def test_what_takes_too_long_is_left_out_and_what_would_is_not_tried(model: SwappingAutoencoder) -> None:
    quick, slow = [0.5] * 4, [1.5] * 3  # seconds of encode, decode; of swap
    clock = Clock(*quick, *quick, *slow, 2.0)
    found = measure_speed(model, sides=(16, 32), most_seconds=5.0, clock=clock)
    assert found["milliseconds"] == {
        "16": {"encode": 500.0, "decode": 500.0, "swap": 1500.0},
        "32": {"encode": 2000.0, "decode": 2000.0},
    }
    assert found["skipped"] == {
        "32": "not measured: swap would take about 6 s, more than the 5 s that a call may."
    }
    assert clock.asked == 2 * (4 + 4 + 3 + 3 + 3)  # and no swap at 32


def test_a_size_that_does_not_fit_into_memory_is_left_out(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = bytes_needed(model, 32, "onnx")
    assert bytes_needed(model, 16, "onnx") < need
    monkeypatch.setattr(speed, "room", lambda device: need - 1)
    found = measure_speed(model, "onnx", sides=(16, 32))
    times, skipped = found["milliseconds"], found["skipped"]
    assert isinstance(times, dict)
    assert isinstance(skipped, dict)
    assert list(times) == ["16"]
    assert skipped["32"].startswith("not measured: it needs about 0.0 GB of memory")


def test_only_torch_works_in_tiles_so_that_others_need_the_memory_of_a_whole_image() -> None:
    with NothingDrawn():  # and no memory taken
        published = SwappingAutoencoder()
    whole, tiled = (bytes_needed(published, 1024, backend) for backend in ("onnx", "torch"))
    assert tiled <= default_budget(1024, 1024) < whole
    assert bytes_needed(published, 1000, "onnx") <= whole


def test_a_failure_of_a_backend_is_told_and_ends_nothing(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failures() -> Iterator[Exception]:
        yield RuntimeError("CUDA out of memory.\nTried to allocate")
        yield MemoryError()

    errors = failures()

    def fail(images: torch.Tensor) -> None:
        raise next(errors)

    monkeypatch.setattr(model, "encode", fail)
    found = measure_speed(model, sides=(16, 32))
    assert found["milliseconds"] == {}
    assert found["skipped"] == {
        "16": "not measured: it failed (CUDA out of memory).",
        "32": "not measured: it failed (there is not enough memory).",
    }
    assert model.codes_cache is not None
