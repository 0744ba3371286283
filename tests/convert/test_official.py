"""Published checkpoints become our folders and come back byte for byte; what does not fit is refused."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.convert.checkpoints import SMALL_JUDGES, Checkpoint, random_checkpoint, small_model
from tests.golden_tools import GOLDEN, MODELS, golden, published_checkpoint
from torch import Tensor

from swapae import SwappingAutoencoder
from swapae.codes import Codes
from swapae.convert import NOTICE, convert_official, export_official
from swapae.convert.official import published_layout
from swapae.convert.official_file import read_official
from swapae.convert.official_names import STEPS, Architecture
from swapae.errors import UserError
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig
from swapae.weights import load_tensors, save_tensors

LAYOUTS = {
    "256": Architecture(
        small_model(4),
        DiscriminatorConfig(256, capacity=0.1, max_channels=6),
        PatchDiscriminatorConfig(128, capacity=0.3, max_channels=6, head_widths=(8, 6, 5)),
    ),
    "512": Architecture(
        small_model(4), DiscriminatorConfig(512, capacity=0.1, max_channels=6), SMALL_JUDGES[1]
    ),
    "ffhq1024": Architecture(
        small_model(5, generator_widths=(25, 20, 20, 10, 5)),
        DiscriminatorConfig(768, capacity=0.1, max_channels=6),
        PatchDiscriminatorConfig(256, widths=(2, 3, 4, 5, 6, 6, 6), head_widths=(8, 6, 5)),
    ),
    "ffhq1024, more channels than the texture code": Architecture(
        small_model(5, encoder_widths=(3, 6, 12, 13, 14, 15, 16, 30)), *SMALL_JUDGES
    ),
    "small structure code": Architecture(small_model(6, 16, encoder_steepness=1.8), *SMALL_JUDGES),
    "no antialiasing": Architecture(
        small_model(3, use_antialias=False),
        DiscriminatorConfig(32, max_channels=6, use_antialias=False),
        PatchDiscriminatorConfig(32, max_channels=6, use_antialias=False),
    ),
    "no image discriminator": Architecture(small_model(), None, SMALL_JUDGES[1]),
    "no patch discriminator": Architecture(small_model(), SMALL_JUDGES[0], None),
    "encoder and generator": Architecture(small_model()),
}


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert list(ours) == list(theirs)
    for key, tensor in theirs.items():
        assert ours[key].dtype == tensor.dtype, key
        assert torch.equal(ours[key], tensor), key


# ---- there and back


@pytest.mark.parametrize("architecture", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_round_trip_gives_the_same_keys_in_the_same_order_with_the_same_bytes(
    architecture: Architecture, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    before = random_checkpoint(architecture)
    report = convert_official(saved(before), tmp_path / "ours")
    assert published_layout(report.architecture).keys() == published_layout(architecture).keys()
    filters = sum(tensor.numel() for key, tensor in before.items() if key.endswith(".kernel"))
    assert sum(report.num_parameters.values()) == sum(t.numel() for t in before.values()) - filters - 1
    export_official(tmp_path / "ours", tmp_path / "back.pth")
    assert_same(torch.load(tmp_path / "back.pth", weights_only=True), before)


@pytest.mark.parametrize("name", MODELS)
def test_a_golden_checkpoint_makes_the_round_trip(
    name: str, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    before = published_checkpoint(name)
    convert_official(saved(before), tmp_path / "ours")
    export_official(tmp_path / "ours", tmp_path / "back.pth")
    assert_same(torch.load(tmp_path / "back.pth", weights_only=True), before)


def test_a_converted_model_gives_the_golden_images(saved: Callable[[object], Path], tmp_path: Path) -> None:
    name = "model_sp3_96x64"
    report = convert_official(saved(published_checkpoint(name, has_judges=False)), tmp_path / "ours")
    assert report.notes == ("the file has no image discriminator and no patch discriminator",)
    model = SwappingAutoencoder.from_pretrained(tmp_path / "ours", device="cpu")
    tensors = load_file(GOLDEN / f"{name}.safetensors")
    codes = model.encode(tensors["x"])
    assert torch.allclose(codes.structure, tensors["structure"], atol=3e-6, rtol=0)
    assert torch.allclose(codes.texture, tensors["texture"], atol=3e-6, rtol=0)
    images = model.decode(
        Codes(tensors["structure"], tensors["texture"], (96, 64)), golden(name, torch.float32).noise
    )
    assert torch.allclose(images, tensors["rec"], atol=5e-6 * tensors["rec"].abs().max().item(), rtol=0)


def test_the_counter_of_discriminator_steps_survives(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    checkpoint[STEPS] = torch.tensor([12345])
    report = convert_official(saved(checkpoint), tmp_path / "ours")
    assert report.notes == ("the discriminators had made 12345 steps",)
    export_official(tmp_path / "ours", tmp_path / "back.pth")
    assert torch.load(tmp_path / "back.pth", weights_only=True)[STEPS].tolist() == [12345]


def test_a_model_of_ours_is_exported_though_it_never_had_discriminators(
    tiny_model: Path, tmp_path: Path
) -> None:
    export_official(tiny_model, tmp_path / "theirs.pth")
    convert_official(tmp_path / "theirs.pth", tmp_path / "again")
    assert_same(
        load_file(tmp_path / "again" / "model.safetensors"), load_file(tiny_model / "model.safetensors")
    )


def test_a_model_with_structure_blocks_is_not_exported(tmp_path: Path) -> None:
    config = ModelConfig(**{**vars(small_model()), "structure_blocks": 1})
    SwappingAutoencoder(config).save_pretrained(tmp_path / "model")
    with pytest.raises(
        UserError, match="has structure_blocks=1, which the published layout has no place for"
    ):
        export_official(tmp_path / "model", tmp_path / "theirs.pth")
    assert not (tmp_path / "theirs.pth").exists()


def test_the_old_file_format_is_read(checkpoint: Checkpoint, tmp_path: Path) -> None:
    torch.save(checkpoint, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert_same(read_official(tmp_path / "old.pth"), checkpoint)


def test_the_licence_notice_is_in_the_card_and_in_cards_made_of_it(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    path = saved(checkpoint)
    convert_official(path, tmp_path / "ours")
    page = (tmp_path / "ours" / "README.md").read_text(encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"**{NOTICE}**" in page
    assert "license: other\nlicense_name: adobe-research-license\n" in page
    assert f"The published checkpoint `model.pth`, converted (SHA-256 `{digest}`)." in page

    model = SwappingAutoencoder.from_pretrained(tmp_path / "ours", device="cpu")
    model.save_pretrained(tmp_path / "same")
    with torch.no_grad():
        model.generator.to_rgb.bias.add_(1)
    model.save_pretrained(tmp_path / "other")
    for name in ("same", "other"):
        page = (tmp_path / name / "README.md").read_text(encoding="utf-8")
        assert f"**{NOTICE}**" in page
        assert "Adobe Research License" in page
        assert f"converted (SHA-256 `{digest}`)" in page


# ---- what is tolerated, and said


def test_noise_off_is_kept_in_the_config(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    report = convert_official(saved(checkpoint), tmp_path / "ours", use_noise=False)
    assert report.notes == ("noise is off in the upsampling blocks, as asked",)
    model = SwappingAutoencoder.from_pretrained(tmp_path / "ours", device="cpu")
    assert not model.config.use_noise
    assert len(model.generator.noise_shapes(4, 4)) == 4


def test_stray_noise_is_left_out(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    checkpoint["G.HeadResnetBlock0.conv1.noise.fixed_noise"] = torch.randn(2, 1, 4, 4)
    report = convert_official(saved(checkpoint), tmp_path / "ours")
    assert len(report.notes) == 1
    assert "G.HeadResnetBlock0.conv1.noise.fixed_noise" in report.notes[0]


def test_half_precision_becomes_float32(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    half = OrderedDict((key, t.half() if t.is_floating_point() else t) for key, t in checkpoint.items())
    report = convert_official(saved(half), tmp_path / "ours")
    assert report.notes == ("converted from float16 to float32",)
    export_official(tmp_path / "ours", tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert_same(back, OrderedDict((key, t.float() if key != STEPS else t) for key, t in half.items()))


def test_the_counter_may_be_missing(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    del checkpoint[STEPS]
    assert convert_official(saved(checkpoint), tmp_path / "ours").notes == ()


# ---- where it is written


def test_a_folder_that_exists_is_kept_unless_it_is_a_model_and_force_is_given(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    path, folder = saved(checkpoint), tmp_path / "ours"
    folder.mkdir()
    convert_official(path, folder)  # an empty folder is as good as none
    with pytest.raises(UserError, match="exists already"):
        convert_official(path, folder)
    report = convert_official(path, folder, use_noise=False, force=True)
    assert report.folder == folder
    assert not SwappingAutoencoder.from_pretrained(folder, device="cpu").config.use_noise
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"other files than a model's \(notes\.txt\)"):
        convert_official(path, folder, force=True)
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(UserError, match="is a file"):
        convert_official(path, path, force=True)


def test_a_conversion_that_fails_midway_leaves_nothing(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = saved(checkpoint)
    monkeypatch.setattr("swapae.convert.official.save_tensors", full)
    with pytest.raises(UserError, match="No space left"):
        convert_official(path, tmp_path / "ours")
    assert os.listdir(tmp_path) == ["model.pth"]


def test_an_export_overwrites_only_when_forced(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    path.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        export_official(tiny_model, path)
    assert path.read_text() == "mine"
    export_official(tiny_model, path, force=True)
    assert read_official(path)
    assert os.listdir(tmp_path) == ["theirs.pth"]


def test_damaged_discriminators_are_not_exported(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    convert_official(saved(checkpoint), tmp_path / "ours")
    (tmp_path / "ours" / "discriminators.safetensors").write_bytes(b"x")
    with pytest.raises(UserError, match="damaged"):
        export_official(tmp_path / "ours", tmp_path / "back.pth")


@pytest.mark.parametrize(
    "changed", [{"discriminator": "[" * 100_000}, {STEPS: str(2**70)}, {STEPS: "9" * 5000}]
)
def test_discriminators_whose_metadata_make_no_sense_are_not_exported(
    checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path, changed: dict[str, str]
) -> None:
    convert_official(saved(checkpoint), tmp_path / "ours")
    path = tmp_path / "ours" / "discriminators.safetensors"
    tensors, metadata = load_tensors(path)
    save_tensors(path, tensors, metadata | changed, force=True)
    with pytest.raises(UserError, match="damaged"):
        export_official(tmp_path / "ours", tmp_path / "back.pth")
