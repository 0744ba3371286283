import json
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from swapae import ModelConfig, SwappingAutoencoder
from swapae.errors import UserError
from swapae.model import CONFIG_FILE, FORMAT, WEIGHTS_FILE
from swapae.weights import load_tensors, read_metadata, save_tensors


def load(name: str | Path, **options: object) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(name, device="cpu", **options)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_saved_comes_back_byte_by_byte(tiny_model: Path, tmp_path: Path) -> None:
    load(tiny_model).save_pretrained(tmp_path / "again")
    again = files(tmp_path / "again")
    assert list(again) == ["README.md", "card.json", CONFIG_FILE, WEIGHTS_FILE]
    before = files(tiny_model)
    assert all(again[name] == before[name] for name in (CONFIG_FILE, WEIGHTS_FILE))


def test_a_model_is_saved_without_a_card_where_none_is_wanted(tiny_model: Path, tmp_path: Path) -> None:
    load(tiny_model).save_pretrained(tmp_path / "bare", card=False)
    assert list(files(tmp_path / "bare")) == [CONFIG_FILE, WEIGHTS_FILE]


def test_a_loaded_model_gives_the_same_images_as_the_saved_one(tmp_path: Path, tiny_model: Path) -> None:
    saved = SwappingAutoencoder(load(tiny_model).config)
    saved.save_pretrained(tmp_path / "model")
    loaded = load(tmp_path / "model")
    image = torch.rand(1, 3, 17, 21)
    assert torch.equal(loaded.swap(image, image), saved.swap(image, image))
    assert not loaded.training
    assert loaded.device == torch.device("cpu")


def test_keys_are_named_after_encoder_and_generator_and_hold_parameters_only(tiny_model: Path) -> None:
    tensors, metadata = load_tensors(tiny_model / WEIGHTS_FILE)
    assert {name.split(".")[0] for name in tensors} == {"encoder", "generator"}
    assert set(tensors) == {name for name, _ in load(tiny_model).named_parameters()}
    assert metadata["format"] == FORMAT
    assert json.loads(metadata["config"]) == json.loads((tiny_model / CONFIG_FILE).read_text("utf-8"))


def test_the_config_in_the_weights_is_enough(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / WEIGHTS_FILE).write_bytes((tiny_model / WEIGHTS_FILE).read_bytes())
    assert load(tmp_path).config == load(tiny_model).config
    assert load(tmp_path / WEIGHTS_FILE).config == load(tiny_model).config


def test_every_field_of_the_config_survives(tmp_path: Path) -> None:
    config = ModelConfig(
        structure_channels=3,
        texture_channels=6,
        structure_downsamplings=2,
        texture_downsamplings=1,
        use_antialias=False,
        encoder_steepness=1.5,
        encoder_widths=(2, 3, 4, 5),
        generator_widths=(4, 3),
        head_blocks=1,
        head_widths=(5,),
        use_noise=False,
    )
    SwappingAutoencoder(config).save_pretrained(tmp_path / "model")
    assert load(tmp_path / "model").config == config


def test_a_run_directory_is_a_model(tiny_model: Path, tmp_path: Path) -> None:
    load(tiny_model).save_pretrained(tmp_path / "model")
    assert load(tmp_path).config == load(tiny_model).config


def test_an_existing_model_is_kept_unless_forced(tmp_path: Path, tiny_model: Path) -> None:
    model = load(tiny_model)
    model.save_pretrained(tmp_path / "model")
    before = files(tmp_path / "model")
    other = SwappingAutoencoder(model.config)
    with pytest.raises(UserError, match="exists already"):
        other.save_pretrained(tmp_path / "model")
    assert files(tmp_path / "model") == before
    other.save_pretrained(tmp_path / "model", force=True)
    assert files(tmp_path / "model")[WEIGHTS_FILE] != before[WEIGHTS_FILE]


def test_even_a_lone_config_is_not_overwritten(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"config\.json exists already"):
        load(tiny_model).save_pretrained(tmp_path)
    assert list(files(tmp_path)) == [CONFIG_FILE]


def test_loading_draws_nothing_from_torchs_random_numbers(tiny_model: Path) -> None:
    before = torch.get_rng_state()
    load(tiny_model)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_numbers_load_as_float32(
    tiny_model: Path, tmp_path: Path, dtype: torch.dtype
) -> None:
    tensors, metadata = load_tensors(tiny_model / WEIGHTS_FILE)
    save_tensors(tmp_path / WEIGHTS_FILE, {k: v.to(dtype) for k, v in tensors.items()}, metadata)
    model = load(tmp_path)
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, tensors[name].to(dtype).float())
    assert model.encode(torch.zeros(1, 3, 12, 12)).structure.dtype == torch.float32


def test_a_half_model_saves_half_the_bytes(tiny_model: Path, tmp_path: Path) -> None:
    load(tiny_model).half().save_pretrained(tmp_path / "half")
    full, half = ((folder / WEIGHTS_FILE).stat().st_size for folder in (tiny_model, tmp_path / "half"))
    assert half < 0.7 * full
    assert next(load(tmp_path / "half").parameters()).dtype == torch.float32


# ── what cannot be loaded ────────────────────────────────────────────────────────────────────────


def broken(tiny_model: Path, tmp_path: Path, metadata: dict[str, str], drop: str = "", add: str = "") -> Path:
    tensors = load_file(tiny_model / WEIGHTS_FILE)
    if drop:
        del tensors[drop]
    if add:
        tensors[add] = torch.zeros(1)
    save_file(tensors, tmp_path / WEIGHTS_FILE, metadata)
    return tmp_path


def test_a_truncated_file_is_refused_by_name(tiny_model: Path, tmp_path: Path) -> None:
    data = (tiny_model / WEIGHTS_FILE).read_bytes()
    for size in (0, 7, 100, len(data) - 1):
        (tmp_path / WEIGHTS_FILE).write_bytes(data[:size])
        with pytest.raises(UserError, match=rf"{WEIGHTS_FILE} is damaged"):
            load(tmp_path)


def test_a_pytorch_checkpoint_is_pointed_to_convert(tmp_path: Path) -> None:
    torch.save({"G.ToRGB.bias": torch.zeros(1)}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(UserError, match="swapae convert"):
        load(tmp_path)


@pytest.mark.parametrize(
    "metadata", [{}, {"format": "swapae.codes/1"}, {"format": "swapae.model/99", "config": "{}"}]
)
def test_a_file_of_another_format_is_refused(
    tiny_model: Path, tmp_path: Path, metadata: dict[str, str]
) -> None:
    with pytest.raises(
        UserError, match=r"(is no model of this program|this version reads) \(?swapae\.model/1"
    ):
        load(broken(tiny_model, tmp_path, metadata))


@pytest.mark.parametrize("config", [None, "{", "[1]", '{"texture_chanels": 16}', '{"head_blocks": 0}'])
def test_a_config_that_is_none_is_refused(tiny_model: Path, tmp_path: Path, config: str | None) -> None:
    metadata = {"format": FORMAT} | ({} if config is None else {"config": config})
    with pytest.raises(UserError, match=r"config|texture_channels|head_blocks"):
        load(broken(tiny_model, tmp_path, metadata))


def test_weights_that_do_not_fit_are_reported_by_name(tiny_model: Path, tmp_path: Path) -> None:
    metadata = read_metadata(tiny_model / WEIGHTS_FILE)
    folder = broken(tiny_model, tmp_path, metadata, drop="generator.to_rgb.bias", add="generator.extra")
    with pytest.raises(UserError, match=r"missing, 1 of \d+: generator\.to_rgb\.bias\n.*generator\.extra"):
        load(folder)


def test_a_hub_model_that_is_missing_offline_is_one_sentence_at_once() -> None:
    begin = time.process_time()
    with pytest.raises(UserError, match="no folder 'nobody/nothing', and no model of that name") as caught:
        load("nobody/nothing")
    assert "\n" not in str(caught.value)
    assert time.process_time() - begin < 5
    with pytest.raises(UserError, match="nobody/nothing"):
        load("nobody/nothing", revision="main", local_files_only=True)


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no device called 'gpu'"):
        SwappingAutoencoder.from_pretrained(tmp_path / "nowhere", device="gpu")


def test_a_device_object_is_taken(tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model, device=torch.device("cpu"))
    assert model.device.type == "cpu"
