"""The Inception of FID against torch-fidelity's figures, with weights made by rule."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("torchvision", reason="Inception needs the extra swapae[metrics]")

from swapae import UserError
from swapae.metrics.inception import FILENAMES, Inception, empty_net

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "inception_features.json").read_text("utf-8"))


def made(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    n = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape).astype("float32")
    if name.endswith("running_var"):
        return torch.from_numpy(np.exp(0.1 * n))
    if len(shape) <= 1:
        return torch.from_numpy(0.1 * n + (1 if name.endswith("bn.weight") else 0))
    return torch.from_numpy(n * np.float32((2 / np.prod(shape[1:])) ** 0.5))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Inception:
    folder = tmp_path_factory.mktemp("nets")
    state = empty_net().state_dict()  # the older of the two files has no counters
    torch.save(
        {n: made(n, t.shape) for n, t in state.items() if t.is_floating_point()}, folder / FILENAMES[0]
    )
    return Inception.load(folder)


def test_golden_features_are_those_of_torch_fidelity(net: Inception) -> None:
    noise = np.random.RandomState(0).randint(0, 256, (1, 3, 299, 299))
    blocks = (
        np.random.RandomState(1).randint(0, 256, (1, 3, 10, 10)).repeat(30, 2).repeat(30, 3)[:, :, :299, :299]
    )
    images = torch.from_numpy(np.concatenate([noise, blocks])).float() / 127.5 - 1
    found = {name: F.max_pool2d(maps, 3, 2).mean((2, 3))[:, ::8] for name, maps in net.early(images).items()}
    found["2048"] = net.pooled(images)[:, ::64]
    assert found.keys() == GOLDEN["features"].keys()
    for name, features in found.items():
        torch.testing.assert_close(features, torch.tensor(GOLDEN["features"][name]), rtol=1e-4, atol=1e-4)


def test_taps_have_64_and_192_channels_at_any_size(net: Inception) -> None:
    maps = net.early(torch.zeros(1, 3, 40, 23))
    assert {name: one.shape[1] for name, one in maps.items()} == {"64": 64, "192": 192}
    with pytest.raises(ValueError, match="23 pixels or more"):
        net.early(torch.zeros(1, 3, 22, 40))


def test_a_missing_file_is_one_sentence_with_both_its_names(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"pt_inception.*\(or weights-inception.*\) is not in .*--weights"
    ) as caught:
        Inception.load(tmp_path)
    assert "\n" not in str(caught.value)
