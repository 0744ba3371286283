"""LPIPS against the published package's figures, and what it must do with any weights."""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("torchvision", reason="LPIPS needs the extra swapae[metrics]")

from swapae import UserError
from swapae.metrics import LPIPS
from swapae.metrics.lpips import HEADS, TRUNKS, make_trunk, whole_filename
from swapae.weights import load_tensors

FILENAME = whole_filename("squeeze")
TAPS, MIN_SIDE = TRUNKS["squeeze"].taps, TRUNKS["squeeze"].min_side

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests" / "golden" / "lpips_squeeze.json").read_text("utf-8"))["cases"]
PLACES = [os.environ.get("SWAPAE_WEIGHTS", ""), ROOT.parent / "shared" / "nets"]


@pytest.fixture(scope="module")
def published() -> LPIPS:
    """The metric with its true weights."""
    found = [Path(place, FILENAME) for place in PLACES if place and Path(place, FILENAME).is_file()]
    if not found:
        pytest.skip(f"{FILENAME} is neither in ../shared/nets nor in the folder SWAPAE_WEIGHTS")
    return LPIPS.load(found[0])


def random_tensors() -> dict[str, torch.Tensor]:
    """Weights drawn at random, under the names of the file; heads are positive, as the true ones are."""
    draw = torch.Generator().manual_seed(0)
    tensors = {}
    for name, value in LPIPS().state_dict().items():
        tensor = torch.randn(value.shape, generator=draw) * 0.1
        if name.startswith("heads"):
            name, tensor = f"heads.lin{name.split('.')[1]}.model.1.weight", tensor.abs()
        tensors[name] = tensor
    return tensors


@pytest.fixture(scope="module")
def random_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nets") / FILENAME
    save_file(random_tensors(), path)
    return path


@pytest.fixture(scope="module")
def metric(random_file: Path) -> LPIPS:
    return LPIPS.load(random_file)


def blocks(seed: int, height: int, width: int) -> np.ndarray:
    """The golden file's images: 8×8 squares of random colours."""
    cells = np.random.RandomState(seed).uniform(-1, 1, (1, 3, height // 8, width // 8)).astype(np.float32)
    return cells.repeat(8, axis=2).repeat(8, axis=3)


def images_of(case: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    x = blocks(case["x_seed"], case["height"], case["width"])
    if case["case"] == "other":
        y = blocks(case["y_seed"], case["height"], case["width"])
    elif case["case"] == "noise":
        noise = np.random.RandomState(case["noise_seed"]).standard_normal(x.shape)
        y = np.clip(x + 0.2 * noise, -1, 1).astype(np.float32)
    else:
        y = x
    return torch.from_numpy(x), torch.from_numpy(y)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['case']}-{case['height']}x{case['width']}")
def test_figures_are_those_of_the_published_package(published: LPIPS, case: dict[str, Any]) -> None:
    (distance,) = published.distance(*images_of(case)).tolist()
    assert distance == pytest.approx(case["lpips"], abs=1e-5)


def test_a_batch_gives_each_pair_its_own_distance(metric: LPIPS) -> None:
    a, b = torch.rand(2, 3, 3, 40, 64) * 2 - 1
    together = metric.distance(a, b)
    assert together.shape == (3,)
    alone = torch.cat([metric.distance(a[i : i + 1], b[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone)
    assert together.unique().numel() == 3
    assert (together > 0).all()


def test_an_image_is_at_no_distance_from_itself(metric: LPIPS) -> None:
    image = torch.rand(1, 3, MIN_SIDE, 33)
    assert metric.distance(image, image).tolist() == [0.0]


def test_order_does_not_matter(metric: LPIPS) -> None:
    a, b = torch.rand(2, 2, 3, 32, 32)
    torch.testing.assert_close(metric.distance(a, b), metric.distance(b, a))


def test_gradients_are_finite_even_where_images_are_equal_and_flat(metric: LPIPS) -> None:
    a = torch.zeros(1, 3, 32, 32, requires_grad=True)
    metric.distance(a, torch.zeros(1, 3, 32, 32)).sum().backward()
    assert a.grad is not None
    assert a.grad.isfinite().all()
    assert all(p.grad is None for p in metric.parameters())


def test_loading_draws_no_random_numbers(random_file: Path) -> None:
    before = torch.get_rng_state()
    LPIPS.load(random_file)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(1, 3, MIN_SIDE - 1, 64), (1, 1, 64, 64), (3, 64, 64)])
def test_what_cannot_be_compared_is_refused(metric: LPIPS, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="LPIPS"):
        metric.distance(torch.zeros(shape), torch.zeros(shape))


def test_two_batches_of_different_shape_are_refused(metric: LPIPS) -> None:
    with pytest.raises(ValueError, match="two batches"):
        metric.distance(torch.zeros(2, 3, 64, 64), torch.zeros(1, 3, 64, 64))


def test_weights_are_found_by_file_folder_and_environment(
    random_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(random_file.parent))
    a, b = torch.rand(2, 1, 3, 32, 32)
    distances = [LPIPS.load(place).distance(a, b) for place in (random_file, random_file.parent, None)]
    assert torch.equal(distances[0], distances[1])
    assert torch.equal(distances[0], distances[2])


def test_a_file_that_lacks_a_head_is_reported(tmp_path: Path) -> None:
    tensors = random_tensors()
    del tensors[f"heads.lin{len(TAPS) - 1}.model.1.weight"]
    save_file(tensors, tmp_path / "cut.safetensors")
    with pytest.raises(UserError, match=r"cut\.safetensors does not fit the LPIPS[^z]*heads\.6\.weight"):
        LPIPS.load(tmp_path / "cut.safetensors")


def test_without_torchvision_the_extra_is_named(random_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(UserError, match=r"swapae\[metrics\]"):
        LPIPS.load(random_file)


def trunk_file(folder: Path, trunk: str) -> Path:
    """A file as torchvision's, with the classifier's layers too; the weights are drawn at random."""
    with torch.device("meta"):
        features = make_trunk(TRUNKS[trunk].model)
    tensors = {
        f"features.{name}": torch.randn(t.shape) * (2 / t[0].numel()) ** 0.5
        if t.ndim > 1
        else torch.zeros(t.shape)
        for name, t in features.state_dict().items()
    }
    path = folder / TRUNKS[trunk].filename
    torch.save(tensors | {"classifier.1.weight": torch.zeros(3)}, path)
    return path


@pytest.mark.parametrize("trunk", TRUNKS)
def test_each_trunk_with_the_packaged_heads_is_torchmetrics_distance(trunk: str, tmp_path: Path) -> None:
    theirs = importlib.import_module("torchmetrics.functional.image.lpips")

    path = trunk_file(tmp_path, trunk)
    metric = LPIPS.load(tmp_path, trunk=trunk)
    assert metric.name == f"LPIPS-{trunk}"
    other = theirs._LPIPS(net=trunk, pretrained=True, pnet_rand=True)
    trunk_tensors = [t for name, t in torch.load(path).items() if name.startswith("features.")]
    other.net.load_state_dict(dict(zip(other.net.state_dict(), trunk_tensors, strict=True)))
    a, b = torch.rand(2, 2, 3, 48, 40) * 2 - 1
    torch.testing.assert_close(metric.distance(a, b), other(a, b).flatten(), rtol=1e-4, atol=1e-7)


def test_the_packaged_heads_are_those_of_the_complete_file(published: LPIPS) -> None:
    heads, _ = load_tensors(HEADS)
    for number, head in enumerate(published.heads):
        assert torch.equal(head.weight.flatten(), heads[f"squeeze.{number}"])


def test_a_file_of_another_trunk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not fit the LPIPS"):
        LPIPS.load(trunk_file(tmp_path, "squeeze"), trunk="alex")


def test_a_missing_trunk_names_both_files(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"lpips_alex_v0\.1\.safetensors \(or alexnet-owt-7be5be79\.pth\) is not in"
    ):
        LPIPS.load(tmp_path, trunk="alex")
