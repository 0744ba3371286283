"""What TensorBoard is given."""

import sys
from pathlib import Path

import pytest
from tests.training.tools import Heard, make_images, micro, run

from swapae.errors import UserError

pytest.importorskip("tensorboard", reason="tensorboard is not installed")


def events(folder: Path) -> "object":
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), {"images": 0, "scalars": 0})
    found.Reload()
    return found


def test_a_run_writes_its_log_and_its_grids_and_one_that_goes_on_writes_none_twice(tmp_path: Path) -> None:
    images, folder = make_images(tmp_path / "images"), tmp_path / "run"
    config = micro(tensorboard=True, checkpoint_images=16)
    with pytest.raises(KeyboardInterrupt):  # killed after a line that the last checkpoint does not know
        run(config, images, folder, heard=Killed(28))
    run(config, images, folder)
    found = events(folder / "tensorboard")
    tags = found.Tags()  # type: ignore[attr-defined]
    assert "Reconstruction/G_l1" in tags["scalars"]
    assert "Discriminators: how often right/D_accuracy" in tags["scalars"]
    steps = [event.step for event in found.Scalars("Reconstruction/G_l1")]  # type: ignore[attr-defined]
    assert steps == [8, 16, 24, 32]
    assert len(tags["images"]) == 4
    pictures = found.Images("Samples/fixed images, averaged weights")  # type: ignore[attr-defined]
    assert [(one.step, one.width, one.height) for one in pictures] == [(16, 106, 70), (32, 106, 70)]


class Killed(Heard):
    """A reporter at whose hearing of so many images the process ends."""

    def __init__(self, images_seen: int) -> None:
        super().__init__()
        self.images_seen = images_seen

    def progress(self, images_seen: int, images_per_second: float, losses: object) -> None:
        if images_seen == self.images_seen:
            raise KeyboardInterrupt


def test_without_the_option_there_is_no_such_folder(tmp_path: Path) -> None:
    run(micro(total_images=8), make_images(tmp_path / "images"), tmp_path / "run")
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_a_missing_package_is_one_sentence_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r"pip install 'swapae\[tensorboard\]'"):
        run(micro(tensorboard=True), make_images(tmp_path / "images"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
