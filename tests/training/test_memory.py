"""What a training takes, and what is said when it is too much."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.tools import make_images, micro, names_in, run

from swapae.errors import UserError
from swapae.runtime.room import room, status
from swapae.training.advice import advise, images_in_a_pass, is_out_of_memory, needs_of
from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.estimate import KINDS, Memory, estimate
from swapae.training.setup import make_learner
from swapae.training.step import Steps


@pytest.fixture(scope="module")
def memory() -> Memory:
    return estimate(micro(), 4)


def test_networks_are_counted_as_they_are(memory: Memory) -> None:
    learner = make_learner(micro(), Engine(torch.device("cpu")))
    for name, network in learner.networks.named().items():
        one = memory.networks[name]
        number = sum(p.numel() for p in network.parameters())
        assert (one.parameters, one.gradients, one.adam) == (number, 4 * number, 8 * number)
        assert one.weights == sum(t.nbytes for t in (*network.parameters(), *network.buffers()))
        assert one.ema == (one.weights if name in ("encoder", "generator") else 0)
    assert memory.standing == sum(one.weights + one.adam + one.ema for one in memory.networks.values())
    assert memory.peak == memory.standing + max(memory.steps.values())


def test_without_averages_there_is_no_second_model(memory: Memory) -> None:
    networks = estimate(micro(ema_half_life_kimg=0.0), 4, only=()).networks
    assert all(one.ema == 0 for one in networks.values())
    assert networks["encoder"].weights == memory.networks["encoder"].weights


def test_more_images_take_more_and_checkpointed_activations_less(memory: Memory) -> None:
    more = estimate(micro(), 8)
    assert all(more.steps[kind] > 1.5 * memory.steps[kind] for kind in KINDS)
    generator = KINDS[-1]
    less = estimate(micro(checkpoint_activations=True), 4, only=(generator,))
    assert less.steps[generator] < 0.9 * memory.steps[generator]


def test_an_estimate_leaves_the_generators_of_the_process_as_they_are() -> None:
    state = torch.get_rng_state()
    estimate(micro(), 2, only=())
    assert torch.equal(state, torch.get_rng_state())
    assert type(torch.zeros(1)) is torch.Tensor


def test_the_need_of_any_number_of_images_is_drawn_from_two_estimates() -> None:
    needs = needs_of(micro(), "cpu")
    assert needs(8, False) == pytest.approx(1.3 * estimate(micro(), 8).peak, rel=0.05)


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="the system does not tell")
def test_room_is_between_what_the_process_holds_and_what_the_machine_has() -> None:
    held, total = status("VmRSS"), status("MemTotal", "/proc/meminfo")
    found = room(torch.device("cpu"))
    assert found is not None
    assert held is not None
    assert total is not None
    assert 0.5 * held < found <= 1.05 * total


# ── what is said ─────────────────────────────────────────────────────────────────────────────────

GIGABYTE = 10**9


def needs(images: int, is_checkpointed: bool) -> float:
    """2 GB, and 1 GB an image, or 0.6."""
    return GIGABYTE * (2 + images * (0.6 if is_checkpointed else 1.0))


def said(there: float | None, has_begun: bool = False, **changes: object) -> str:
    config = replace(TrainConfig(), batch_size=16, **changes)  # type: ignore[arg-type]
    return advise(config, needs, None if there is None else round(there * GIGABYTE), 1, has_begun)


def test_advice_names_the_need_the_room_and_all_that_fits() -> None:
    assert said(12) == (
        "a pass over 16 images needs about 18.0 GB, and 12.0 GB can be had. "
        "Set --checkpoint-activations true (11.6 GB, G steps 1.3 × as long), "
        "or --accumulate 2 (10.0 GB, the same training in smaller parts), "
        "or --batch-size 10 (12.0 GB)."
    )


def test_what_does_not_fit_is_not_advised_and_what_is_set_not_again() -> None:
    assert "checkpoint" not in said(11)
    assert "--accumulate 4 (6.0 GB" in said(7)
    text = said(7, checkpoint_activations=True)
    assert "--checkpoint-activations" not in text
    assert "needs about 11.6 GB" in text
    assert "--accumulate 2 (6.8 GB" in text
    assert "--accumulate 8 (4.0 GB" in said(5.9, accumulate=4)


def test_if_only_both_together_fit_both_are_advised() -> None:
    text = said(3.5)
    assert "Set --accumulate 8 with --checkpoint-activations true (3.2 GB" in text
    assert "--batch-size" not in text


def test_if_nothing_fits_the_resolution_is_what_is_left() -> None:
    text = said(3)
    assert "Even two images at a time take 3.2 GB: choose a smaller resolution" in text
    assert "a quarter of what is beyond 2.0 GB" in text


def test_a_run_that_has_begun_keeps_its_batch() -> None:
    assert "--batch-size 10 (12.0 GB, in a new run)" in said(12, has_begun=True)


def test_where_the_system_does_not_tell_or_there_seems_to_be_room_less_is_advised_all_the_same() -> None:
    assert "needs about 18.0 GB. Set --checkpoint-activations true" in said(None)
    assert "Other programs may have taken it meanwhile. Set" in said(20)


@pytest.mark.parametrize(("processes", "accumulate", "images"), [(1, 1, 16), (2, 1, 8), (2, 4, 2), (4, 4, 2)])
def test_a_pass_is_a_part_of_the_batch(processes: int, accumulate: int, images: int) -> None:
    assert images_in_a_pass(TrainConfig(accumulate=accumulate), processes) == images


ERRORS: list[Callable[[], Exception]] = [
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    lambda: MemoryError(),
    lambda: RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    ),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 18.13 GB)"),
]


@pytest.mark.parametrize("make", ERRORS)
def test_errors_of_every_allocator_are_known(make: Callable[[], Exception]) -> None:
    assert is_out_of_memory(make())
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    assert not is_out_of_memory(UserError("out of memory"))


def test_a_run_that_finds_no_memory_says_so_and_goes_on_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, folder = make_images(tmp_path / "images"), tmp_path / "run"
    step, calls = Steps.generator_step, iter(range(10**6))

    def full(self: Steps, real: torch.Tensor, random: torch.Generator) -> object:
        if next(calls) == 2:  # later ones are of the estimate
            raise ERRORS[2]()
        return step(self, real, random)

    monkeypatch.setattr(Steps, "generator_step", full)
    with pytest.raises(
        UserError, match="there is not enough memory: a pass over 4 images needs about"
    ) as found:
        run(micro(checkpoint_images=16), images, folder)
    assert "--accumulate 2" in str(found.value)
    assert "in a new run" in str(found.value)
    assert found.value.__cause__ is None
    monkeypatch.undo()
    assert names_in(folder / "checkpoints") == ["images_00000016"]
    assert run(micro(checkpoint_images=16), images, folder).is_complete


LIMITED = """
import resource, sys
from tests.training.tools import micro, run
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.networks import DiscriminatorConfig
from swapae.runtime.room import status
config = micro(
    data=DataConfig(load_size=128, crop_size=128), batch_size=192, total_images=192,
    discriminator=DiscriminatorConfig(image_size=128, capacity=1 / 64, max_channels=8),
)
limit = status("VmSize") + 950 * 2**20  # the pass takes 1400, the advice after it less than 600
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    run(config, "synthetic", sys.argv[1])
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the limits of Linux")
def test_memory_that_truly_runs_out_is_one_sentence_with_what_to_change(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "run")]
    alone = os.environ | {
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }  # each thread takes room for itself
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=alone)
    assert done.stderr == ""
    assert done.stdout.startswith("there is not enough memory: a pass over 192 images needs about ")
    assert "--accumulate" in done.stdout
    assert done.stdout.count("\n") == 1
