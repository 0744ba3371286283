"""Configs, checkpoints, models and codes of earlier revisions are read, and mean what they meant."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tests.formats.old import KEPT, RUNS, photos, shown_image, unpacked

from swapae import Codes, ModelConfig, SwappingAutoencoder, TrainConfig, config, train
from swapae.training.checkpoint import State, state_of
from swapae.training.config import check

CONFIGS = [
    *("2026-11-23_c5aa02d", "2026-11-24_ac1222c", "2026-11-25_14e5a57", "2026-11-25_1d2271b"),
    *("2026-11-25_1f6cf3f", "2026-11-25_39c03c2", "2026-11-25_9317e22", "2026-11-25_d01bd2f"),
    "2026-11-25_d5cbee4",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that was kept of runs, unpacked, and the images they are of."""
    folder = tmp_path_factory.mktemp("old")
    photos(folder / "images")
    unpacked("configs", folder)
    for name in RUNS:
        unpacked(name, folder)
    return folder


def config_of(folder: Path, name: str) -> Path:
    return next(place / name for place in (folder, folder / "configs") if (place / name).is_dir())


def leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_all_that_is_kept_is_tested(folder: Path) -> None:
    assert sorted(path.name for path in (folder / "configs").iterdir()) == sorted(CONFIGS)
    assert len(RUNS) == 4
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < 300_000


@pytest.mark.parametrize("name", [*RUNS, *CONFIGS])
def test_a_config_of_then_says_the_same_now_and_what_came_since_is_off(folder: Path, name: str) -> None:
    file = config_of(folder, name) / "config.yaml"
    found = config.load(TrainConfig, file)
    check(found)
    then, now = dict(leaves(yaml.safe_load(file.read_text("utf-8")))), dict(leaves(config.to_dict(found)))
    assert {key: now[key] for key in then} == then
    published = dict(leaves(config.to_dict(TrainConfig())))
    for key in set(now) - set(then):
        assert now[key] == published[key], key


@pytest.mark.parametrize("name", [*RUNS, *CONFIGS])
def test_counters_of_then_are_read_and_those_that_came_since_are_as_at_the_start(
    folder: Path, name: str
) -> None:
    place = config_of(folder, name)
    kept = next((place / "run" / "checkpoints").glob("*"), place)
    then = json.loads((kept / "state.json").read_text("utf-8"))
    found, start = json.loads(json.dumps(asdict(state_of(kept)))), asdict(State())
    assert found["images_seen"] == 16
    assert found == {key: then.get(key, start[key]) for key in start}


@pytest.mark.parametrize("name", RUNS)
def test_a_model_of_then_gives_the_codes_and_the_picture_of_then(folder: Path, name: str) -> None:
    model = SwappingAutoencoder.from_pretrained(folder / name / "model", device="cpu")
    codes = Codes.load(folder / name / "codes.safetensors")
    found = model.encode(shown_image())
    torch.testing.assert_close(found.structure, codes.structure, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.texture, codes.texture, rtol=0, atol=1e-5)
    picture = load_file(folder / name / "picture.safetensors")["picture"]
    torch.testing.assert_close(model.decode(codes), picture, rtol=0, atol=1e-4)
    written = json.loads((folder / name / "model" / "config.json").read_text("utf-8"))
    assert model.config == config.from_dict(ModelConfig, written.get("model", written))


@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_then_goes_on_as_it_did_then(folder: Path, tmp_path: Path, name: str) -> None:
    run = Path(shutil.copytree(folder / name / "run", tmp_path / "run"))
    data = run / "data.json"
    data.write_text(data.read_text("utf-8").replace("IMAGES", str(folder / "images")), encoding="utf-8")
    summary = train(config.load(TrainConfig, run / "config.yaml"), str(folder / "images"), run, device="cpu")
    assert (summary.images_seen, summary.is_complete) == (32, True)
    then = load_file(folder / name / "model" / "model.safetensors")
    now = load_file(run / "model" / "model.safetensors")
    assert now.keys() == then.keys()
    for key, value in then.items():
        torch.testing.assert_close(now[key], value, rtol=0, atol=2e-5, msg=key)
