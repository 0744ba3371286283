"""Ways to keep structure: ramps, stop-gradient, consistency. All are off by default."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.codes import Codes
from swapae.config import from_dict, to_dict, with_overrides
from swapae.errors import UserError
from swapae.training.making import reconstruct_and_mix, swapped
from swapae.training.objective import LossConfig, consistency_terms
from swapae.training.schedule import ScheduleConfig

# ── ramps ────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_schedule_the_weights_are_the_same_object_for_ever() -> None:
    config = LossConfig()
    assert config.at(0) is config
    assert config.at(10**9) is config


def test_values_go_from_their_own_to_their_goals_in_a_straight_line_and_stay() -> None:
    goals = ScheduleConfig(begin=100, end=300, patch=0.25, patch_min_scale=0.0625, structure_consistency=2.0)
    config = LossConfig(patch=1.0, schedule=goals)
    for images_seen, share in ((0, 0.0), (100, 0.0), (150, 0.25), (200, 0.5), (300, 1.0), (10**6, 1.0)):
        now = config.at(images_seen)
        assert now.patch == pytest.approx(1 - 0.75 * share)
        assert now.patch_min_scale == pytest.approx(0.125 - 0.0625 * share)
        assert now.structure_consistency == pytest.approx(2 * share)
        assert (now.l1, now.patch_max_scale) == (config.l1, config.patch_max_scale)
    assert config.at(50).patch == 1.0  # exactly: before the ramp nothing is different
    assert config.at(400).patch == 0.25


def test_a_ramp_without_length_is_a_step() -> None:
    config = LossConfig(schedule=ScheduleConfig(begin=200, end=200, patch=0.5))
    assert (config.at(199).patch, config.at(200).patch) == (1.0, 0.5)


def test_a_schedule_is_read_from_words_and_written() -> None:
    config = with_overrides(LossConfig(), {"schedule.end": "1e6", "schedule.patch": "0.5"})
    assert config.schedule == ScheduleConfig(end=1_000_000, patch=0.5)
    assert from_dict(LossConfig, to_dict(config)) == config


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"schedule.patch": 0.5}, r"schedule\.patch needs loss\.schedule\.end"),
        ({"schedule.begin": 5, "schedule.end": 4}, "begin=5 and end=4"),
        ({"schedule.end": 9, "schedule.patch": -1}, "at the end of loss.schedule: loss.patch=-1"),
        (
            {"schedule.end": 9, "schedule.patch_min_scale": 0.3},
            "at the end of loss.schedule: .*_min_scale=0.3",
        ),
        ({"structure_consistency": -1}, "structure_consistency=-1"),
    ],
)
def test_schedules_that_make_no_sense_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        with_overrides(LossConfig(), settings)


# ── a model of codes that are written into the image ─────────────────────────────────────────────


class Written(nn.Module):
    """A perfect generator: the first two channels of an image hold the structure, the others the texture."""

    def forward(self, structure: Tensor, texture: Tensor, noise: object) -> Tensor:
        height, width = structure.shape[2:]
        return torch.cat([structure, texture[:, :, None, None].expand(-1, -1, height, width)], dim=1)


class Read(nn.Module):
    """The encoder of such images; its one weight, at 1, changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image[:, :2] * self.weight, image[:, 2:].mean((2, 3)) * self.weight


def make_codes(batch: int = 4) -> Codes:
    structure = F.normalize(torch.randn(batch, 2, 3, 3, dtype=torch.float64), dim=1).requires_grad_()
    texture = F.normalize(torch.randn(batch, 5, dtype=torch.float64), dim=1).requires_grad_()
    return Codes(structure, texture, (3, 3))


BOTH = LossConfig(structure_consistency=1.0, texture_consistency=1.0)


# ── stop-gradient ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_stopped_gradient_reaches_structure_through_reconstructions_alone(is_stopped: bool) -> None:
    codes = make_codes()
    reconstruction, hybrid = reconstruct_and_mix(Written(), codes, None, is_stopped)  # type: ignore[arg-type]
    for made, reaches in ((hybrid, not is_stopped), (reconstruction, True)):
        inputs = [codes.structure, codes.texture]
        found = torch.autograd.grad(made.square().sum(), inputs, allow_unused=True, retain_graph=True)
        has = [gradient is not None and bool(gradient.any()) for gradient in found]
        assert has == [reaches, True]


def test_stopping_the_gradient_changes_no_image() -> None:
    codes = make_codes()
    pairs = zip(
        *(reconstruct_and_mix(Written(), codes, None, stop) for stop in (False, True)),  # type: ignore[arg-type]
        strict=True,
    )
    assert all(torch.equal(a, b) for a, b in pairs)


# ── consistency ──────────────────────────────────────────────────────────────────────────────────


def test_a_perfect_model_is_consistent() -> None:
    codes = make_codes()
    _, hybrid = reconstruct_and_mix(Written(), codes)  # type: ignore[arg-type]
    terms = consistency_terms(Read(), BOTH, codes, hybrid)  # type: ignore[arg-type]
    assert set(terms) == {"G_structure", "G_texture"}
    for term in terms.values():
        torch.testing.assert_close(term, torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-30)


def test_each_half_is_compared_with_the_code_it_was_made_of() -> None:
    codes = make_codes()
    _, own = reconstruct_and_mix(Written(), codes)  # type: ignore[arg-type]
    wrong = Written()(codes.structure, swapped(codes.texture), None)  # each half from the other image
    terms = consistency_terms(Read(), BOTH, codes, wrong)  # type: ignore[arg-type]
    cosine = F.cosine_similarity(codes.structure, swapped(codes.structure), dim=1).mean((1, 2))
    torch.testing.assert_close(terms["G_structure"], 1 - cosine)
    cosine = F.cosine_similarity(codes.texture, swapped(codes.texture), dim=1)
    torch.testing.assert_close(terms["G_texture"], 1 - cosine)
    only = consistency_terms(Read(), replace(BOTH, texture_consistency=0.0), codes, own)  # type: ignore[arg-type]
    assert set(only) == {"G_structure"}


def test_consistency_teaches_through_the_hybrid_and_its_encoding_not_through_what_is_wanted() -> None:
    codes, encoder = make_codes(), Read()
    hybrid = torch.randn(4, 7, 3, 3, dtype=torch.float64, requires_grad=True)
    for term in consistency_terms(encoder, BOTH, codes, hybrid).values():  # type: ignore[arg-type]
        inputs = [hybrid, encoder.weight, codes.structure, codes.texture]
        found = torch.autograd.grad(term.sum(), inputs, allow_unused=True, retain_graph=True)
        assert [gradient is not None for gradient in found] == [True, True, False, False]


def test_what_is_off_encodes_nothing() -> None:
    assert consistency_terms(None, LossConfig(), make_codes(), torch.zeros(4)) == {}  # type: ignore[arg-type]
