"""The measuring nets, and what they look at, are where they are told to be.

No GPU was at hand: torch's `meta` device, which computes nothing and refuses to be mixed with another, stands
for one. A net or an image that stayed on the CPU would be an error here.
"""

from typing import Any

import pytest
import torch

pytest.importorskip("torchvision", reason="the nets need the extra swapae[metrics]")

from swapae.cli.main import main
from swapae.metrics import LPIPS
from swapae.metrics.exact import exact
from swapae.metrics.inception import Inception, empty_net
from swapae.metrics.loaders import LOADERS, Nets
from swapae.metrics.lpips import TRUNKS, make_trunk
from swapae.metrics.selfsim import columns, places
from swapae.metrics.vgg import VGG16

META = torch.device("meta")
IMAGES = torch.rand(2, 3, 32, 32) * 2 - 1  # on the CPU, as all images of an evaluation are


def test_lpips_goes_where_it_is_told_and_takes_images_along() -> None:
    lpips = LPIPS().to(META)
    assert lpips.distance(IMAGES, IMAGES).device == META


def test_inception_goes_where_it_is_told_and_takes_images_along() -> None:
    net = Inception(empty_net(), META)
    assert net.pooled(IMAGES).device == META
    assert {maps.device for maps in net.early(IMAGES).values()} == {META}


def test_vgg_goes_where_it_is_told_and_takes_images_along() -> None:
    layers = VGG16(make_trunk(TRUNKS["vgg"].model), META).layers(IMAGES)
    assert {maps.device for maps in layers} == {META}
    assert columns(layers, places()).device == META


def test_efflite_goes_where_it_is_told_and_takes_images_along() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    from swapae.metrics.efflite import EffLite0

    net = EffLite0.load(device=META)
    assert net.pooled(IMAGES).device == META
    assert {maps.device for maps in [*net.early(IMAGES).values(), *net.layers(IMAGES)]} == {META}


def test_nets_hand_their_device_to_every_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOADERS:
        monkeypatch.setitem(LOADERS, name, lambda weights, device: device)
    assert {Nets(None, META)[name] for name in LOADERS} == {META}


@pytest.mark.parametrize(
    "words", [["--data", "synthetic"], ["--data", "set", "--metrics", "l1,lpips-squeeze"]]
)
def test_eval_moves_the_nets_to_its_device(
    words: list[str], tiny_model: Any, photo: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SeenError(Exception):
        """Stops the command where the net is loaded."""

    def load(weights: object, device: object = None, trunk: str = "") -> object:
        raise SeenError(str(device))

    monkeypatch.setattr("swapae.training.group.choose_device", lambda name: torch.device("cpu", 0))
    monkeypatch.setattr(LPIPS, "load", load)
    photo("set/0.png")
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--device", "cpu"]):
        with pytest.raises(SeenError, match=r"^cpu:0$"):
            run_raising(["eval", str(tiny_model), *words, *options])


def run_raising(words: list[str]) -> None:
    """Run a command so that what stopped it is raised."""
    from swapae.cli import main as mains

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mains, "_explain", reraise)
        main(words)


def reraise(error: BaseException, is_json: bool) -> int:
    raise error


class OnApple:
    """A tensor on MPS, which knows no float64."""

    device = torch.device("mps")

    def double(self) -> torch.Tensor:
        raise TypeError(
            "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support it."
        )

    def cpu(self) -> torch.Tensor:
        return torch.ones(1)


def test_where_there_is_no_float64_the_cpu_has_it() -> None:
    assert exact(OnApple()).dtype == torch.float64  # type: ignore[arg-type]
    assert exact(torch.ones(1, device=META)).device == META
