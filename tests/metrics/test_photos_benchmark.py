"""`benchmarks/photos.py` on a few small pictures, with an LPIPS of random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

pytest.importorskip("torchvision", reason="LPIPS needs the extra swapae[metrics]")

from swapae.metrics import LPIPS
from swapae.metrics.lpips import whole_filename

FILENAME = whole_filename("squeeze")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def photos(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    import benchmarks.photos

    return benchmarks.photos


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    def name_in_file(name: str) -> str:
        return f"heads.lin{name.split('.')[1]}.model.1.weight" if name.startswith("heads") else name

    metric = LPIPS()
    tensors = {name_in_file(name): torch.rand(value.shape) for name, value in metric.state_dict().items()}
    (tmp_path / "nets").mkdir()
    save_file(tensors, tmp_path / "nets" / FILENAME)
    return tmp_path / "nets"


def test_a_report_and_a_grid_are_written_and_the_same_again(
    photos: ModuleType,
    photo: Callable[..., Path],
    nets: Path,
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(5):
        photo(f"set/{'ab'[number % 2]}/{number}.png", (40 + number, 50), number)
    (tmp_path / "set" / "a" / "torn.png").write_bytes(b"no picture")
    whole = photo("set/b/cut.png", (40, 50), 9)  # a sound header, found out only when it is decoded
    whole.write_bytes(whole.read_bytes()[:300])
    options = ["--size", "24", "--weights", str(nets), "--json", "--batch", "2"]
    arguments = [str(tiny_model), str(tmp_path / "set"), *options]
    assert photos.main([*arguments, "-o", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert json.loads(capsys.readouterr().out) == report
    assert (report["num_photos"], report["unreadable"]) == (5, ["a/torn.png", "b/cut.png"])
    for row in report["metrics"].values():
        assert 0 < row["L1"] < 2
        assert row["L1 standard error"] > 0
        assert row["LPIPS-squeeze"] > 0
    with Image.open(tmp_path / "out" / "grid.png") as sheet:
        assert sheet.size == (
            4 * 48 + 3 * 4,
            3 * 48 + 2 * 4,
        )  # photo, reconstruction, 2 textures; 2 structures

    assert photos.main([*arguments, "-o", str(tmp_path / "again"), "--batch", "5"]) == 0
    again = json.loads((tmp_path / "again" / "report.json").read_text("utf-8"))
    assert again["metrics"]["reconstruction"] == pytest.approx(report["metrics"]["reconstruction"], rel=1e-4)
    assert again["weights_sha256"] == report["weights_sha256"]

    assert photos.main([*arguments, "-o", str(tmp_path / "out")]) == 1
    assert "--force" in capsys.readouterr().err


def test_missing_weights_are_one_sentence_and_status_1(
    photos: ModuleType, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        str(tiny_model),
        str(tmp_path),
        "-o",
        str(tmp_path / "out"),
        "--weights",
        str(tmp_path / "no"),
    ]
    assert photos.main(arguments) == 1
    assert FILENAME in capsys.readouterr().err


def test_photos_of_the_grid_come_from_all_classes_and_never_twice(photos: ModuleType) -> None:
    paths = [f"{letter}/{number}.jpg" for letter in "abcd" for number in range(5)]
    structures, textures = photos.deal(paths, seed=3)
    assert len({*structures, *textures}) == 12
    assert {paths[number][0] for number in structures} == set("abcd")
    assert {paths[number][0] for number in textures} == set("abcd")
    assert (structures, textures) == photos.deal(paths, seed=3)


def test_pairs_are_of_two_different_photos(photos: ModuleType) -> None:
    pairs = list(photos.random_pairs(3, seed=0))
    assert len(pairs) == 300
    assert all(a != b for a, b in pairs)
    assert {number for pair in pairs for number in pair} == {0, 1, 2}
    assert set(photos.random_pairs(1, seed=0)) == {(0, 0)}


def test_perfect_hybrids_count_as_nearer_and_copies_do_not(photos: ModuleType) -> None:
    from swapae.codes import Codes

    class ColorOf:
        """A model whose texture code is the picture's colour, and whose structure code is as well."""

        def __init__(self, kept: str) -> None:
            self.kept = kept

        def decode(self, codes: Codes) -> torch.Tensor:
            color = codes.texture if self.kept == "texture" else codes.structure.flatten(1)
            return color[:, :, None, None].expand(-1, -1, 8, 8)

    colors = torch.rand(9, 3) * 2 - 1
    pictures = colors[:, :, None, None].expand(-1, -1, 8, 8)
    codes = Codes(colors[:, :, None, None], colors, (8, 8))
    for kept, share in (("texture", 1.0), ("structure", 0.0)):
        figures = photos.swap_diagnostics(ColorOf(kept), pictures, codes, 0, 4)
        assert figures["nearer_texture_colour"] == share
        assert figures["colour_moved"] == pytest.approx(share, abs=1e-4)


def test_scale_rows_of_a_flat_photo_are_the_photo(photos: ModuleType) -> None:
    flat = torch.tensor([0.5, -0.25, 0.0]).view(1, 3, 1, 1).expand(2, -1, 24, 24)
    for make in photos.trivial_answers(flat).values():
        torch.testing.assert_close(make(), flat)
