"""Numbers that are not finite reach no weight: the step is skipped, and what goes on so is rolled back."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.tools import Heard, log_of, make_images, micro, names_in, run
from torch import Tensor

from swapae.errors import UserError
from swapae.training import step as steps_module
from swapae.training.checkpoint import newest_valid, state_of
from swapae.training.engine import Engine
from swapae.training.guard import Guard
from swapae.training.objective import Terms
from swapae.training.report import DivergedError
from swapae.training.setup import make_learner
from swapae.training.step import Steps
from swapae.weights import load_tensors

BAD = [float("nan"), float("inf"), float("-inf"), 1e25]  # the square of 1e25 leaves float32
STEPS = {"D": "discriminator", "R1": "r1", "G": "generator"}
PARTS = {"D": "image_discriminator_terms", "R1": "patch_r1_terms", "G": "image_generator_terms"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("data") / "images")


def times(value: float, term: Tensor) -> Tensor:
    """A term whose value stays while its gradient is multiplied, or both are."""
    return term.detach() + value * (term - term.detach())


class Poison:
    """Spoils terms of one kind of step, at some of its calls, by its gradient alone or by its value too."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, kind: str, calls: set[int], value: float = BAD[0]
    ) -> None:
        self.count = 0
        whole = getattr(steps_module, PARTS[kind])

        def spoiled(*arguments: object, **options: object) -> Terms:
            terms: Terms = whole(*arguments, **options)
            self.count += 1
            if self.count not in calls:
                return terms
            return {name: times(value, term) for name, term in terms.items()}

        monkeypatch.setattr(steps_module, PARTS[kind], spoiled)


def everything(learner: object) -> list[Tensor]:
    """All that training changes."""
    from swapae.training.checkpoint import Learner, all_weights, optimizer_tensors

    assert isinstance(learner, Learner)
    tensors = {**all_weights(learner.networks), **optimizer_tensors(learner.networks, learner.optimizers)}
    return [
        tensor.detach().clone() for tensor in (*tensors.values(), *learner.ema.model.state_dict().values())
    ]


# ── one step ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "value"), [*zip(STEPS, BAD, strict=False), ("D", BAD[3])])
def test_a_step_that_is_not_finite_changes_no_bit_and_the_next_one_is_as_if_it_had_not_been(
    kind: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def after(kinds: list[str]) -> list[Tensor]:
        learner = make_learner(micro(), Engine(torch.device("cpu")))
        steps = Steps(learner.networks, learner.optimizers, micro())
        for seed, one in enumerate(kinds):
            getattr(steps, f"{STEPS[one]}_step")(
                real, torch.Generator().manual_seed((one == kind and seed) or 1)
            )
        return everything(learner)

    others = [one for one in STEPS if one != kind]
    expected = after([kind, *others])
    Poison(monkeypatch, kind, {2}, value)
    found = after([kind, kind, *others])
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_a_loss_alone_is_enough() -> None:
    guard = Guard(3)
    ones = [torch.ones(3)]
    good, bad = {"a": torch.tensor(1.0)}, {"a": torch.tensor(float("nan"))}
    assert [float(guard.judge("D", terms, ones)) for terms in (good, bad, good)] == [0, 1, 0]
    assert guard.settle(0) == ({"D": 1}, {"D": 0})


def test_rows_are_counted_by_kind_over_calls_and_a_longest_one_is_not_forgotten() -> None:
    good, bad = [torch.ones(2)], [torch.tensor([1.0, float("inf")])]
    terms = {"D_real": torch.tensor(0.5)}

    def taken(guard: Guard, text: str) -> None:
        for letter in text:
            guard.judge(letter.upper(), terms, bad if letter.islower() else good)

    guard = Guard(3)
    taken(guard, "ddgDgdG")  # a small letter is a bad step of its kind
    assert guard.settle(0) == ({"D": 3, "G": 2}, {"D": 1, "G": 0})
    assert guard.news({"D": 3, "G": 2}) == (
        "5 steps were skipped, for the numbers were not finite; in all 3 of the discriminators, 2 of the "
        "encoder and generator."
    )
    assert guard.news({"D": 3, "G": 2}) is None
    resumed = Guard(3)
    resumed.restore({"D": 3, "G": 2}, {"D": 1, "G": 0})
    for one in (guard, resumed):
        taken(one, "ddD")  # the row began before `settle`, and is over
        with pytest.raises(
            DivergedError, match=r"3 steps of the discriminators in a row .* \(the gradient\)"
        ):
            one.settle(7)
    assert guard.news({"D": 5, "G": 2}) is not None


def test_whatever_process_finds_it_all_skip() -> None:
    guard = Guard(3, agree=lambda number: torch.maximum(number, torch.tensor(1.0)))
    assert float(guard.judge("D", {"a": torch.tensor(1.0)}, [torch.ones(2)])) == 1


# ── a run ────────────────────────────────────────────────────────────────────────────────────────


def bad_tensors(folder: Path) -> list[str]:
    files = list(folder.rglob("*.safetensors"))
    assert files
    return [
        f"{path} {name}"
        for path in files
        for name, t in load_tensors(path)[0].items()
        if not t.isfinite().all()
    ]


@pytest.mark.parametrize("kind", STEPS)
def test_a_bad_step_in_a_run_is_skipped_counted_logged_and_told(
    kind: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Poison(monkeypatch, kind, {1})
    heard, folder = Heard(), tmp_path / "run"
    assert run(micro(), images, folder, heard=heard).is_complete
    last = log_of(folder)[-1]
    assert {name: value for name, value in last.items() if name.startswith("skipped")} == {
        f"skipped_{kind}": 1
    }
    assert [message for message in heard.messages if "1 step was skipped" in message] == heard.messages
    state = state_of(newest_valid(folder / "checkpoints") or folder)
    in_a_row = {kind: 1 if kind == "R1" else 0}  # there is one R1 step
    assert (state.skipped, state.in_a_row, state.rollbacks) == ({kind: 1}, in_a_row, 0)
    assert bad_tensors(folder) == []


def test_a_run_with_a_bad_step_resumed_anywhere_is_the_same_run(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Poison(patch, "G", {2, 3})
        run(micro(), images, tmp_path / "unbroken")
    Poison(monkeypatch, "G", {2, 3})
    for _ in range(8):
        run(micro(), images, tmp_path / "run", after=1)
    assert log_of(tmp_path / "run") == log_of(tmp_path / "unbroken")
    last = [newest_valid(tmp_path / name / "checkpoints") or tmp_path for name in ("run", "unbroken")]
    for kind in ("weights", "ema", "optimizer"):
        mine, theirs = (load_tensors(path / f"{kind}.safetensors")[0] for path in last)
        assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
    assert state_of(last[0]).skipped == {"G": 2}


def lowered(folder: Path) -> tuple[float, int]:
    state = state_of(newest_valid(folder / "checkpoints") or folder)
    return state.rate_scale, state.rollbacks


@pytest.mark.parametrize("kind", ["D", "G"])
def test_after_some_in_a_row_training_goes_back_to_the_last_checkpoint_with_halved_rates(
    kind: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 3 and 4 of a kind are those after the checkpoint at 16 images, until the rates are lower."""
    Poison(monkeypatch, kind, {3, 4})
    rates: list[tuple[float, float]] = []
    descend = steps_module._descend

    def spy(engine: Engine, optimizer: torch.optim.Adam, skipped: Tensor) -> None:
        rates.append((optimizer.param_groups[0]["lr"], float(skipped)))
        descend(engine, optimizer, skipped)

    monkeypatch.setattr(steps_module, "_descend", spy)
    config = micro(skips_in_a_row=2, checkpoint_images=16, log_images=16)
    heard, folder = Heard(), tmp_path / "run"
    assert run(config, images, folder, heard=heard).is_complete
    assert (
        len([text for text in heard.messages if "back to 16 images, with 0.5 × the learning rates" in text])
        == 1
    )
    assert lowered(folder) == (0.5, 1)
    before, after = rates[:9], rates[9:]  # four steps of each and one on R1; then half of that again
    assert len(after) == 5
    c = config.loss.r1_interval / (config.loss.r1_interval + 1)
    assert {rate for rate, _ in before} == {0.002, 0.002 * c}
    assert {rate for rate, _ in after} == {0.001, 0.001 * c}
    assert [skipped for _, skipped in after] == [0.0] * 5
    assert [line["images_seen"] for line in log_of(folder)] == [16, 32]
    assert bad_tensors(folder) == []


def test_lower_rates_are_part_of_what_goes_on(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = micro(skips_in_a_row=2, checkpoint_images=16, log_images=16, total_images=48)
    for name, stops in (("unbroken", [None]), ("run", [10, 1, None])):  # 8 steps are in vain
        with monkeypatch.context() as patch:
            Poison(patch, "G", {3, 4})  # counted from the start of the run, over its calls
            for after in stops:
                run(config, images, tmp_path / name, after=after)
                seen = log_of(tmp_path / name)[-1]["images_seen"]
                assert seen == (16 if after else 48)
    assert lowered(tmp_path / "run") == lowered(tmp_path / "unbroken") == (0.5, 1)
    last = [newest_valid(tmp_path / name / "checkpoints") or tmp_path for name in ("run", "unbroken")]
    mine, theirs = (load_tensors(path / "weights.safetensors")[0] for path in last)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_without_a_checkpoint_it_goes_back_to_the_start_and_only_so_often(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Poison(monkeypatch, "D", set(range(1, 100)))
    config = micro(skips_in_a_row=1, log_images=4, checkpoint_images=100, max_rollbacks=2)
    heard, folder = Heard(), tmp_path / "run"
    sentence = (
        r"1 step of the discriminators in a row gave numbers that are not finite \(D_real, .*\) after 4 "
        r"images, so training stops; the last checkpoint is sound"
    )
    with pytest.raises(UserError, match=sentence):
        run(config, images, folder, heard=heard)
    back = [text for text in heard.messages if "back to 0 images" in text]
    assert ["rollback 1 of 2" in back[0], "with 0.25 ×" in back[1], len(back)] == [True, True, 2]
    assert heard.calls == ["start 0/32", "stop"]
    assert not (folder / "checkpoints").exists()


def test_the_start_it_goes_back_to_is_the_start(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the rates, so weights agree with those of a run whose rates were half from the beginning."""
    config = micro(skips_in_a_row=1, log_images=8, checkpoint_images=32)
    rates = replace(config.optimizer, learning_rate=0.001, discriminator_learning_rate=0.001)
    run(replace(config, optimizer=rates), images, tmp_path / "half")
    Poison(monkeypatch, "G", {1})
    run(config, images, tmp_path / "run")
    assert lowered(tmp_path / "run") == (0.5, 1)
    last = [newest_valid(tmp_path / name / "checkpoints") or tmp_path for name in ("run", "half")]
    for kind in ("weights", "ema", "optimizer"):
        mine, theirs = (load_tensors(path / f"{kind}.safetensors")[0] for path in last)
        assert [name for name in theirs if not torch.equal(mine[name], theirs[name])] == []


@pytest.mark.parametrize("after", [None, 5])
def test_a_weight_that_is_spoilt_by_something_else_never_reaches_the_disk_and_training_recovers(
    after: int | None, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bit of memory flips, say: in the fifth step a weight becomes NaN."""
    count = iter(range(100))
    step: Callable[..., Terms] = Steps.discriminator_step

    def spoiling(self: Steps, real: Tensor, random: torch.Generator) -> Terms:
        terms = step(self, real, random)
        if next(count) == 2:
            next(self.networks.generator.parameters()).data.view(-1)[0] = float("nan")
        return terms

    monkeypatch.setattr(Steps, "discriminator_step", spoiling)
    heard, folder = Heard(), tmp_path / "run"
    config = micro(log_images=1000, checkpoint_images=4, snapshot_images=1000)
    run(config, images, folder, after=after, heard=heard)
    assert bad_tensors(folder) == []
    assert len([text for text in heard.messages if "back to 16 images" in text]) == 1
    assert run(config, images, folder).is_complete
    assert names_in(folder / "checkpoints")[-1] == "images_00000032"
    state = json.loads((folder / "checkpoints" / "images_00000032" / "state.json").read_text())
    assert state["skipped"] == {}
