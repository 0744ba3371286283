"""A model on a few pictures, by nets that are quick and known."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from swapae import SwappingAutoencoder, UserError
from swapae.data.folder import FolderSource
from swapae.evaluation.photos import Photos, evaluate
from swapae.evaluation.report import table
from swapae.images import open_image, to_array
from swapae.metrics import pixels
from swapae.metrics.loaders import LOADERS, Nets
from swapae.metrics.pairs import PairList
from swapae.metrics.palette import color_distance
from swapae.metrics.table import choose

SIZE = 24
OF_5 = (0.5655, 1.0)  # Wilson's interval of 5 of 5: 5 / (5 + 1.96²) and 1


@pytest.fixture
def folder(photo: Callable[..., Path]) -> Path:
    for number in range(6):
        path = photo(f"set/{number}.png", (SIZE + 4, SIZE), number)
    for name in (
        "2a",
        "2b",
        "6",
    ):  # sound headers, found out only when they are decoded; two in a row, and the last
        (path.parent / f"{name}.png").write_bytes(path.read_bytes()[:300])
    return path.parent


def draw(num_images: int) -> PairList:
    return PairList.draw("set", num_images, 5)


def test_all_usable_images_count_once_and_figures_are_those_of_their_pairs(
    folder: Path, tiny_model: Path
) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    photos = Photos.of(FolderSource(folder), SIZE)
    report, pairs = evaluate(model, photos, choose(["l1", "color"]), Nets(), draw, batch=4)
    assert (report["images"], report["unreadable"], report["pairs"]) == (6, ["2a.png", "2b.png", "6.png"], 5)
    squares = [open_image(folder / f"{n}.png").crop((2, 0, SIZE + 2, SIZE)) for n in range(6)]
    images = torch.stack([torch.from_numpy(to_array(square)) for square in squares])
    own, other = (list(side) for side in zip(*pairs.pairs, strict=True))
    hybrids = model.swap(images[own], images[other]).clamp(-1, 1)
    metrics, answers = report["metrics"], report["answers"]
    assert isinstance(metrics, dict)
    assert isinstance(answers, dict)
    reconstructed = model.decode(model.encode(images))
    assert metrics["L1"] == pytest.approx(pixels.l1(reconstructed, images).mean().item(), rel=1e-4)
    assert metrics["Color"] == pytest.approx(color_distance(hybrids, images[other]).mean().item(), rel=1e-3)
    ends = {end: pytest.approx(value, abs=1e-4) for end, value in zip(("low", "high"), OF_5, strict=True)}
    assert answers["copy texture"] == {"Color": 0, "ColorNearer": 1} | {
        f"ColorNearer {end}": value for end, value in ends.items()
    }
    assert answers["copy structure"]["ColorNearer"] == 0
    assert "L1" not in answers["colour transfer"]
    lines = table(report).splitlines()
    assert [line.split()[0] for line in lines] == ["model", "L1", "model", "Color", "ColorNearer"]
    assert lines[0].endswith("      mean colour     8×8 averages")
    assert "copy texture" in lines[2]
    assert f"({metrics['ColorNearer low']:.4f} to {metrics['ColorNearer high']:.4f})" in lines[4]
    flat = images.mean((2, 3), keepdim=True).expand_as(images)
    assert answers["mean colour"] == {"L1": pytest.approx(pixels.l1(flat, images).mean().item(), rel=1e-5)}
    assert 0 < answers["8×8 averages"]["L1"] < answers["mean colour"]["L1"]


def test_a_photo_is_read_and_looked_at_once_for_all_its_pairs_and_all_models(
    folder: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    class Net:
        name = "EffLite0"

        def look(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            looks.append(len(images))
            return {"pooled": images.mean((2, 3))}

    monkeypatch.setitem(LOADERS, "EffLite0", lambda weights, device: Net())
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    photos = Photos.of(FolderSource(folder), SIZE)
    asked: list[int] = []
    read = photos.source.read
    monkeypatch.setattr(photos.source, "read", lambda numbers: asked.extend(numbers) or read(numbers))
    first, pairs = evaluate(model, photos, choose(["fid", "kid"]), Nets(), draw)
    assert sorted(asked) == list(range(9))  # the six, and three that cannot be read
    made = [len(pairs), len(pairs)]  # hybrids, and by colour transfer
    assert looks == [6, *made]
    again, _ = evaluate(model, photos, choose(["fid", "kid"]), Nets(), draw)
    assert (looks, sorted(asked)) == ([6, *made, *made], list(range(9)))
    assert again == first


def test_without_a_metric_of_swaps_no_pair_is_decoded(folder: Path, tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    report, _ = evaluate(model, Photos.of(FolderSource(folder), SIZE), choose(["psnr"]), Nets(), draw)
    assert report["pairs"] == 0
    assert report["answers"].keys() == {"mean colour", "8×8 averages"}  # type: ignore[attr-defined]


def test_a_list_of_pairs_for_other_images_is_refused(folder: Path, tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    with pytest.raises(UserError, match="for 9 images, but 6 are usable"):
        evaluate(
            model,
            Photos.of(FolderSource(folder), SIZE),
            choose(["color"]),
            Nets(),
            lambda count: PairList.draw("set", 9, 2),
        )
