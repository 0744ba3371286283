"""The three steps and their order: who learns, from what, and how fast."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tests.training.tools import make_images, micro, run
from torch import Tensor

from swapae.training.engine import Engine
from swapae.training.making import Read
from swapae.training.objective import LossConfig, Terms
from swapae.training.setup import make_learner
from swapae.training.step import Micro, Steps

NAMES = ("encoder", "generator", "discriminator", "patch_discriminator")


class Watched(Steps):
    """Steps that remember the images they made, and what patches were cut from."""

    def __init__(self) -> None:
        config = micro()
        self.learner = make_learner(config, Engine(torch.device("cpu")))
        super().__init__(self.learner.networks, self.learner.optimizers, config)
        self.made: list[Tensor] = []
        self.cut: list[Tensor] = []

    def _images(self, micro: Micro, read: Read | None = None) -> tuple[Tensor, Tensor]:
        reconstruction, hybrid = super()._images(micro, read)
        self.made += [reconstruction, hybrid]
        return reconstruction, hybrid

    def _patches(self, sources: Sequence[Tensor], micro: Micro) -> list[Tensor]:
        self.cut += sources
        return super()._patches(sources, micro)

    def take(self, kind: str, real: Tensor) -> Terms:
        terms: Terms = getattr(self, f"{kind}_step")(real, torch.Generator().manual_seed(1))
        return terms


@pytest.fixture
def steps() -> Watched:
    return Watched()


@pytest.fixture
def real() -> Tensor:
    return torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


# ── optimizers ───────────────────────────────────────────────────────────────────────────────────


def test_the_discriminators_learn_at_a_rate_corrected_for_lazy_r1(steps: Watched) -> None:
    learner = make_learner(replace(steps.config, loss=LossConfig()), Engine(torch.device("cpu")))
    generator, discriminator = learner.optimizers.generator, learner.optimizers.discriminator
    assert (generator.defaults["lr"], generator.defaults["betas"]) == (0.002, (0.0, 0.99))
    assert discriminator.defaults["lr"] == pytest.approx(0.00188235, abs=1e-8)
    assert discriminator.defaults["betas"][0] == 0.0
    assert discriminator.defaults["betas"][1] == pytest.approx(0.990585, abs=1e-6)


def test_each_optimizer_has_the_weights_of_its_two_networks(steps: Watched) -> None:
    networks = steps.networks
    for adam, modules in (
        (steps.optimizers.generator, (networks.encoder, networks.generator)),
        (steps.optimizers.discriminator, (networks.discriminator, networks.patch_discriminator)),
    ):
        mine = {id(p) for group in adam.param_groups for p in group["params"]}
        assert mine == {id(p) for module in modules for p in module.parameters()}


# ── who learns ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "learning"),
    [
        ("discriminator", {"discriminator", "patch_discriminator"}),
        ("r1", {"discriminator", "patch_discriminator"}),
        ("generator", {"encoder", "generator"}),
    ],
)
def test_a_step_moves_its_own_networks_and_gives_the_others_no_gradient(
    kind: str, learning: set[str], steps: Watched, real: Tensor
) -> None:
    named = steps.networks.named()
    reached: set[str] = set()
    for name, module in named.items():
        for parameter in module.parameters():
            parameter.register_hook(lambda gradient, name=name: reached.add(name))
    steps.take("generator" if kind != "generator" else "discriminator", real)  # whatever came before
    reached.clear()
    before = {name: [p.detach().clone() for p in module.parameters()] for name, module in named.items()}
    steps.take(kind, real)
    moved = {
        name
        for name, module in named.items()
        if any(not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True))
    }
    assert moved == learning
    assert reached == learning
    assert all(p.grad is None for module in named.values() for p in module.parameters())


def test_terms_come_without_a_graph_and_as_means(steps: Watched, real: Tensor) -> None:
    for kind in ("discriminator", "r1", "generator"):
        terms = steps.take(kind, real)
        assert all(term.ndim == 0 and not term.requires_grad for term in terms.values())


# ── from what ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["discriminator", "generator"])
def test_half_of_a_batch_is_reconstructed_and_all_of_it_made_into_hybrids(
    kind: str, steps: Watched, real: Tensor
) -> None:
    steps.take(kind, real)
    assert [tuple(images.shape) for images in steps.made] == [(2, 3, 16, 16), (4, 3, 16, 16)]


@pytest.mark.parametrize(("kind", "from_real"), [("discriminator", 2), ("generator", 1)])
def test_patches_are_cut_from_real_images_and_hybrids_never_from_reconstructions(
    kind: str, from_real: int, steps: Watched, real: Tensor
) -> None:
    steps.take(kind, real)
    _, hybrid = steps.made
    assert [images is real for images in steps.cut] == [True] * from_real + [False]
    assert steps.cut[-1].data_ptr() == hybrid.data_ptr()


def test_the_penalty_takes_two_sets_of_real_patches_and_makes_no_image(steps: Watched, real: Tensor) -> None:
    steps.take("r1", real)
    assert steps.made == []
    assert [images is real for images in steps.cut] == [True, True]


def test_every_set_of_patches_and_every_image_draws_its_own_chances(steps: Watched, real: Tensor) -> None:
    random = torch.Generator().manual_seed(1)
    (micro,) = steps._dealt(real, random, num_sets=2)
    one, other = steps._patches((real, real), micro)
    assert not torch.equal(one, other)
    weights = [p for name, p in steps.networks.generator.named_parameters() if name.endswith("noise.weight")]
    assert len(weights) > 0
    with torch.no_grad():
        for weight in weights:
            weight.fill_(1)
    twins = real[:1].expand(4, -1, -1, -1)
    (micro,) = steps._dealt(twins, random, num_sets=0)
    reconstruction, hybrid = steps._images(micro)
    images = torch.cat([reconstruction, hybrid])
    assert all(not torch.equal(images[0], other) for other in images[1:])


def test_a_step_is_a_function_of_its_generators_seed(steps: Watched, real: Tensor) -> None:
    again = Watched()
    assert all(
        torch.equal(steps.take(kind, real)[name], again.take(kind, real)[name])
        for kind, name in (
            ("discriminator", "D_hybrid"),
            ("r1", "patch_D_r1"),
            ("generator", "patch_G_hybrid"),
        )
    )


# ── the order ────────────────────────────────────────────────────────────────────────────────────


def test_discriminators_begin_steps_alternate_on_new_images_and_r1_follows_every_sixteenth_of_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, Tensor]] = []
    seeds: list[int] = []

    def recording(kind: str) -> object:
        def step(self: Steps, real: Tensor, random: torch.Generator) -> Terms:
            taken.append((kind, real))
            if kind != "r1":
                seeds.append(random.initial_seed())
            return {kind: torch.zeros(())}

        return step

    for kind in ("discriminator", "r1", "generator"):
        monkeypatch.setattr(Steps, f"{kind}_step", recording(kind))
    config = micro(loss=LossConfig(), total_images=4 * 66, snapshot_images=999, checkpoint_images=999)
    summary = run(config, make_images(tmp_path / "images"), tmp_path / "run")
    kinds = [kind for kind, _ in taken]
    assert kinds[:4] == ["discriminator", "generator", "discriminator", "generator"]
    places = [kinds[:i].count("discriminator") for i, kind in enumerate(kinds) if kind == "r1"]
    assert places == [16, 32]
    for (before, images), (kind, same) in pairwise(taken):
        assert (images is same) is (kind == "r1")  # the penalty is taken on the images of its step
        assert kind != before
    assert len(set(seeds)) == len(seeds) == 66
    assert summary.images_seen == 4 * 66  # both kinds of step count, the penalty's do not
    assert (kinds.count("discriminator"), kinds.count("generator")) == (33, 33)
