"""The models that are in the box now: small, sound, current, of use; and the package takes them along."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from benchmarks import model_card, ship
from swapae import SwappingAutoencoder, box, gallery
from swapae.cli.main import main
from swapae.data.synthetic import VERSION
from swapae.editing import Directions
from swapae.model import WEIGHTS_FILE

ROOT = Path(__file__).parents[1]
NAMES = box.names()
every = pytest.mark.parametrize("name", NAMES)


def test_the_box_holds_both() -> None:
    assert sorted(ship.KINDS) == NAMES


@every
def test_it_is_small_and_in_half_precision(name: str) -> None:
    folder = box.required(name)
    weights = folder / WEIGHTS_FILE
    assert weights.stat().st_size <= ship.MOST_BYTES
    ship.check_small(folder)
    with safe_open(weights, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    assert {key.split(".")[0] for key in tensors} == {"encoder", "generator"}


@every
def test_its_card_is_current(name: str) -> None:
    folder, card = box.required(name), box.card_of(name)
    assert (folder / box.CARD_PAGE).read_text(encoding="utf-8") == model_card.page(card)
    assert card["sha256"] == hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert card["bytes"] == (folder / WEIGHTS_FILE).stat().st_size
    assert card["evaluations"]
    assert card["training"]["images_seen"] > 0
    text = json.dumps(card)
    assert not re.search(r'"/\w|/home/|/work/|/tmp/', text)  # no path of the machine it was made on


@every
def test_it_brings_along_directions_of_its_own(name: str) -> None:
    directions = Directions.load(box.required(name) / box.DIRECTIONS)
    assert directions.check_fit(SwappingAutoencoder.from_pretrained(name, device="cpu"), name)
    assert [one.name for one in directions] == box.card_of(name)["directions"]
    assert {"texture1", "structure1"} <= {one.name for one in directions}
    assert all(one.num_images >= 3000 for one in directions)


@every
def test_its_gallery_begins_with_the_pair_that_somebody_chose(name: str) -> None:
    assert tuple(gallery(name))[:2] == ship.KINDS[name].first


@every
def test_it_makes_hybrids_of_its_gallery(name: str) -> None:
    samples, card = gallery(name), box.card_of(name)
    assert list(samples) == card["gallery"]
    assert len(samples) == 12
    model = SwappingAutoencoder.from_pretrained(name, device="cpu")
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}
    size = card["image_size"]
    own, other = (one.codes(model) for one in list(samples.values())[:2])
    for one in samples.values():
        assert one.show(model).size == (size, size)
        if one.picture is not None:
            assert one.source["generator"] == VERSION
    pictures = [model.decode(codes) for codes in (own, other)]
    hybrid = model.decode(type(own)(own.structure, other.texture, own.size))
    assert all((hybrid - picture).abs().mean() > 0.02 for picture in pictures)


@every
def test_it_swaps_by_its_name_from_a_terminal(name: str, tmp_path: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(name, device="cpu")
    for number, sample in enumerate(list(gallery(name).values())[:2]):
        sample.show(model).save(tmp_path / f"{number}.png")
    files = [str(tmp_path / f"{number}.png") for number in range(2)]
    out = tmp_path / "out.png"
    assert main(["swap", *files, "-m", name, "-o", str(out), "--device", "cpu"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(out)), np.asarray(model.swap_images(*files)))


# ── the package ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_build_takes_along_all_that_is_in_the_box(kind: str) -> None:
    pytest.importorskip("hatchling", reason="hatchling lists what a build takes along")
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    builder = {"wheel": WheelBuilder, "sdist": SdistBuilder}[kind](str(ROOT))
    taken = {Path(file.path) for file in builder.recurse_included_files()}
    assert ROOT / "src" / "swapae" / "box.py" in taken
    there = {path for path in (ROOT / "src" / "swapae" / "models").rglob("*") if path.is_file()}
    assert there <= taken
    assert bool(there) == bool(NAMES)
