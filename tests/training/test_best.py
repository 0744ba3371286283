"""Which checkpoint is the best, and its model, which is kept."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.measured import LEAKAGE, NEARER, WORDS, lines_with, measured
from tests.training.tools import bytes_of, micro

from swapae import SwappingAutoencoder
from swapae.config import load
from swapae.training.best import best_checkpoint, keep_best_model
from swapae.training.config import TrainConfig
from swapae.training.figures import EvalConfig, best
from swapae.training.retention import best_of
from swapae.training.run import RunFolder
from swapae.weights import load_tensors

pytestmark = pytest.mark.usefixtures("quick_net")


def test_the_model_of_the_best_checkpoint_is_kept_and_can_be_used(finished: Path, tmp_path: Path) -> None:
    leakages = lines_with(LEAKAGE, finished)
    path = finished / "checkpoints" / f"images_{min(leakages, key=lambda seen: leakages[seen]):08d}"
    assert best_checkpoint(finished / "best") == path.name
    model = SwappingAutoencoder.from_pretrained(finished / "best", device="cpu")
    averaged, _ = load_tensors(path / "ema.safetensors")
    assert averaged.keys() == model.state_dict().keys()
    assert all(torch.equal(tensor, averaged[name]) for name, tensor in model.state_dict().items())
    # A run that was killed before it was written catches up; without measurements there is none.
    run = RunFolder(tmp_path / "run")
    shutil.copytree(finished / "checkpoints", run.checkpoints)
    keep_best_model(run, micro(), 32)
    assert not run.best.exists()
    keep_best_model(run, measured("elsewhere"), 32)
    assert not run.best.exists()
    config = load(TrainConfig, finished / "config.yaml")
    keep_best_model(run, config, 32)
    assert bytes_of(run.best) == bytes_of(finished / "best")


# ── which checkpoint is best ─────────────────────────────────────────────────────────────────────


def checkpoint(folder: Path, images_seen: int, config: TrainConfig, **metrics: float) -> Path:
    from swapae.config import to_dict

    path = folder / f"images_{images_seen:08d}"
    path.mkdir(parents=True)
    (path / "state.json").write_text(json.dumps({"metrics": metrics}))
    (path / "config.json").write_text(json.dumps(to_dict(config)))
    return path


@pytest.mark.parametrize(
    ("name", "order"), [("PSNR", [1, 2, 0]), ("structureleakage", [2, 0, 1]), (NEARER, [1, 0, 2])]
)
def test_the_best_is_the_highest_or_the_lowest_as_the_figure_has_it(
    name: str, order: list[int], tmp_path: Path
) -> None:
    config = replace(measured("set"), best_metric=name)
    values = [(10.0, 5.0), (12.0, 6.0), (11.0, 4.0)]
    paths = [
        checkpoint(tmp_path, i, config, **{"PSNR": a, LEAKAGE: b, NEARER: b})
        for i, (a, b) in enumerate(values)
    ]
    assert best_of(paths, config) == [paths[i] for i in order]


def test_figures_of_other_images_or_pairs_do_not_compare(tmp_path: Path) -> None:
    config = measured("set")
    paths = [
        checkpoint(tmp_path, 1, measured("other"), **{LEAKAGE: 1.0}, reconstruction_l1=0.1),
        checkpoint(tmp_path, 2, measured("set", pairs=4), **{LEAKAGE: 2.0}, reconstruction_l1=0.3),
        checkpoint(tmp_path, 3, measured("set", images=99, metrics=WORDS[1:]), **{LEAKAGE: 4.0}),
        checkpoint(tmp_path, 4, config, **{LEAKAGE: 3.0}, reconstruction_l1=0.2),
        checkpoint(tmp_path, 5, micro(), reconstruction_l1=0.05),
    ]
    assert best_of(paths, config) == [paths[3], paths[2]]
    own = replace(config, best_metric="reconstruction_l1")
    assert best_of(paths, own) == [paths[4], paths[0], paths[3], paths[1]]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("KID-EffLite0", ("KID-EffLite0", False)),
        ("kid", ("KID-EffLite0", False)),
        ("structurenearer-vgg16", ("StructureNearer-VGG16", True)),
        ("ms-ssim", ("MS-SSIM-3", True)),
        ("recall", ("Precision-EffLite0", True)),
        ("Recall-EffLite0", ("Recall-EffLite0", True)),
        ("SIFID-EffLite0-40", ("SIFID-EffLite0-40", False)),
        ("reconstruction_l1", ("reconstruction_l1", False)),
    ],
)
def test_a_figure_is_named_as_eval_names_it(word: str, found: tuple[str, bool]) -> None:
    config = EvalConfig("set", metrics=("all", "structureleakage-vgg16"))
    assert best(config, word, 64) == found
