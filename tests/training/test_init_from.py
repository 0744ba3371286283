"""A run that begins with another's weights: where they come from, what it leaves behind, how it goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.test_resume import assert_same
from tests.training.tools import Heard, bytes_of, log_of, make_images, micro, names_in, stop_after

from swapae.convert.official import DISCRIMINATORS_FILE, convert_official, export_official
from swapae.errors import UserError
from swapae.training.checkpoint import newest_valid
from swapae.training.config import TrainConfig
from swapae.training.loop import RunSummary, train
from swapae.weights import load_tensors, save_tensors

FOLDERS = ("checkpoints", "config.yaml", "data.json", "init.json", "log.jsonl", "model", "snapshots")


def start(
    images: Path,
    folder: Path,
    origin: object = None,
    *,
    config: TrainConfig | None = None,
    after: int | None = None,
    heard: Heard | None = None,
) -> RunSummary:
    """Train on the CPU, from another's weights."""
    return train(
        config or micro(seed=1),
        images,
        folder,
        device="cpu",
        reporter=heard or Heard(),
        stop=stop_after(after),
        init_from=None if origin is None else str(origin),
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("data") / "images")


@pytest.fixture(scope="module")
def other(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "other"
    start(images, folder, config=micro(checkpoint_images=16))
    return folder


@pytest.fixture(scope="module")
def begun(images: Path, other: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "begun"
    assert start(images, folder, other).is_complete
    return folder


def tensors_at(folder: Path, images_seen: int, kind: str) -> dict[str, torch.Tensor]:
    path = folder / "checkpoints" / f"images_{images_seen:08d}" / f"{kind}.safetensors"
    return load_tensors(path)[0]


def same_tensors(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# ── what it takes ────────────────────────────────────────────────────────────────────────────────


def test_a_run_begins_with_the_newest_checkpoint_of_another_and_keeps_it_as_its_first(
    images: Path, other: Path, tmp_path: Path
) -> None:
    start(images, tmp_path / "run", other, after=0)
    for kind in ("weights", "ema"):
        assert same_tensors(tensors_at(tmp_path / "run", 0, kind), tensors_at(other, 32, kind))
    assert tensors_at(tmp_path / "run", 0, "optimizer") == {}
    assert log_of(tmp_path / "run") == [] if (tmp_path / "run" / "log.jsonl").exists() else True


def test_averages_start_from_the_others_and_do_not_forget_them_at_once(
    images: Path, other: Path, tmp_path: Path
) -> None:
    """A start with new weights is forgotten in a few images; one with another's is not."""
    config = micro(seed=1, ema_half_life_kimg=1000.0, total_images=8)
    start(images, tmp_path / "kept", other, config=config)
    before, after = tensors_at(other, 32, "ema"), tensors_at(tmp_path / "kept", 8, "ema")
    weights = tensors_at(tmp_path / "kept", 8, "weights")
    share = [
        float((after[name] - before[name]).norm() / (weights[name] - before[name]).norm())
        for name in after
        if name.endswith("conv.weight")
    ]
    assert max(share) < 0.01
    # The same over a call that goes on.
    start(images, tmp_path / "halved", other, config=config, after=1)
    start(images, tmp_path / "halved", other, config=config)
    assert same_tensors(tensors_at(tmp_path / "halved", 8, "ema"), after)


def test_a_checkpoint_folder_and_the_folder_of_checkpoints_do_too(
    images: Path, other: Path, tmp_path: Path
) -> None:
    start(images, tmp_path / "a", other / "checkpoints" / "images_00000016", after=0)
    start(images, tmp_path / "b", other / "checkpoints", after=0)
    assert same_tensors(tensors_at(tmp_path / "a", 0, "weights"), tensors_at(other, 16, "weights"))
    assert same_tensors(tensors_at(tmp_path / "b", 0, "weights"), tensors_at(other, 32, "weights"))


def test_a_checkpoint_alone_far_from_its_run_is_enough(images: Path, other: Path, tmp_path: Path) -> None:
    place = shutil.copytree(other / "checkpoints" / "images_00000032", tmp_path / "kept")
    config = micro(seed=1)
    config = replace(config, model=replace(config.model, use_noise=False))
    start(images, tmp_path / "run", place, config=config, after=0)
    notes = json.loads((tmp_path / "run" / "init.json").read_text())["notes"]
    assert notes[0].startswith("model.use_noise was true there and is false here")
    assert same_tensors(tensors_at(tmp_path / "run", 0, "weights"), tensors_at(other, 32, "weights"))


def test_a_run_that_was_kept_without_its_checkpoints_is_a_model(
    images: Path, other: Path, tmp_path: Path
) -> None:
    flat, deep = tmp_path / "flat", tmp_path / "deep"
    shutil.copytree(other / "model", flat)
    shutil.copytree(other / "model", deep / "model")
    for place in (flat, deep):
        shutil.copy(other / "config.yaml", place)
        start(images, tmp_path / f"from_{place.name}", place, after=0)
        model = load_tensors(other / "model" / "model.safetensors")[0]
        assert same_tensors(tensors_at(tmp_path / f"from_{place.name}", 0, "ema"), model)


def test_of_a_model_both_the_weights_and_the_averages_begin_as_the_model(
    images: Path, other: Path, tmp_path: Path
) -> None:
    heard = Heard()
    start(images, tmp_path / "run", other / "model", after=0, heard=heard)
    model = load_tensors(other / "model" / "model.safetensors")[0]
    assert same_tensors(tensors_at(tmp_path / "run", 0, "ema"), model)
    weights = tensors_at(tmp_path / "run", 0, "weights")
    assert same_tensors({name: weights[name] for name in model}, model)
    told = "\n".join(heard.messages)
    assert "  discriminator: nothing taken, 0 of " in told
    assert "    new: from_rgb at 16², block at 16²" in told
    assert told.count("; the other has no such network") == 2


def test_a_converted_checkpoint_gives_its_discriminators_as_well(
    images: Path, other: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(other / "model", folder)
    weights = tensors_at(other, 32, "weights")
    from swapae.config import load, to_dict

    config = load(TrainConfig, other / "config.yaml")
    judges = {"discriminator": config.discriminator, "patch_discriminator": config.patch_discriminator}
    save_tensors(
        folder / DISCRIMINATORS_FILE,
        {name: tensor for name, tensor in weights.items() if name.split(".")[0] in judges},
        {
            "format": "swapae.discriminators/1",
            "num_discriminator_iters": "4",
            **{name: json.dumps(to_dict(one)) for name, one in judges.items()},
        },
    )
    export_official(folder, tmp_path / "published.pth")
    convert_official(tmp_path / "published.pth", tmp_path / "converted")
    start(images, tmp_path / "run", tmp_path / "converted", after=0)
    begun = tensors_at(tmp_path / "run", 0, "weights")
    assert all(torch.equal(begun[name], weights[name]) for name in begun if "discriminator" in name)
    record = json.loads((tmp_path / "run" / "init.json").read_text())
    assert all(network["new"] == {} for network in record["networks"].values())


def test_half_precision_models_begin_runs_in_full_precision(
    images: Path, other: Path, tmp_path: Path
) -> None:
    model, metadata = load_tensors(other / "model" / "model.safetensors")
    halves = {name: tensor.half() for name, tensor in model.items()}
    save_tensors(tmp_path / "half" / "model.safetensors", halves, metadata)
    start(images, tmp_path / "run", tmp_path / "half", after=0)
    begun = tensors_at(tmp_path / "run", 0, "ema")
    assert same_tensors(begun, {name: tensor.float() for name, tensor in halves.items()})


# ── what it says ─────────────────────────────────────────────────────────────────────────────────


def test_the_report_is_told_once_and_stands_in_the_run(images: Path, other: Path, tmp_path: Path) -> None:
    config = micro(seed=1)
    size = 32
    config = replace(
        config,
        discriminator=replace(config.discriminator, image_size=size),
        data=replace(config.data, load_size=size, crop_size=size),
        total_images=8,
    )
    heard, again = Heard(), Heard()
    start(images, tmp_path / "run", other, config=config, after=1, heard=heard)
    start(images, tmp_path / "run", other, config=config, heard=again)
    assert "weights from" not in "\n".join(again.messages)
    (told,) = [text for text in heard.messages if text.startswith("weights from")]
    lines = told.splitlines()
    assert lines[0] == f"weights from {other}/checkpoints/images_00000032, after 32 images:"
    assert "    new: from_rgb at 32², block at 32²; the other has no such part" in lines
    assert "    not used of the other: from_rgb at 16²" in lines
    assert lines[-1].strip().startswith("the optimizers start anew")
    record = json.loads((tmp_path / "run" / "init.json").read_text())
    assert (record["init_from"], record["images_seen_there"], record["is_whole"]) == (str(other), 32, True)
    judge = record["networks"]["discriminator"]
    assert judge["taken"] == ["block at 16²", "block at 8²", "final_conv", "final_linear"]
    assert set(judge["new"]) == {"from_rgb at 32²", "block at 32²"}
    assert 0 < judge["parameters_taken"] < judge["parameters"]
    assert "neither travels" in record["notes"][-1]


def test_the_run_holds_what_any_run_holds_and_the_record(begun: Path) -> None:
    assert set(FOLDERS) <= set(names_in(begun))
    assert names_in(begun / "checkpoints")[0] == "images_00000000"


def test_the_page_says_what_the_run_began_with(images: Path, other: Path, tmp_path: Path) -> None:
    page = tmp_path / "run" / "report.html"
    start(images, tmp_path / "run", other, config=micro(seed=1, total_images=8))
    text = page.read_text(encoding="utf-8")
    assert "began with" in text
    assert "images_00000032" in text
    record = tmp_path / "run" / "init.json"
    record.write_text(record.read_text().replace("images_00000032", "<script>x</script>"))
    start(images, tmp_path / "run", config=micro(seed=1, total_images=16))
    assert "&lt;script&gt;x" in page.read_text(encoding="utf-8")


# ── going on ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("steps", [0, 3])
def test_the_same_command_goes_on_and_ends_as_a_run_that_was_never_interrupted(
    steps: int, images: Path, other: Path, begun: Path, tmp_path: Path
) -> None:
    start(images, tmp_path / "run", other, after=steps)
    assert start(images, tmp_path / "run", other).is_complete
    assert_same(tmp_path / "run", begun)


def test_it_goes_on_without_the_option_and_without_the_other(
    images: Path, other: Path, begun: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(other, tmp_path / "copy")
    start(images, tmp_path / "run", copy, after=3)
    shutil.rmtree(copy)
    start(images, tmp_path / "run", copy, after=2)
    assert start(images, tmp_path / "run").is_complete
    assert_same(tmp_path / "run", begun)


def test_killed_before_its_first_checkpoint_it_begins_with_the_other_again(
    images: Path, other: Path, begun: Path, tmp_path: Path
) -> None:
    for origin in (other, None):  # the record remembers
        start(images, tmp_path / "run", other, after=0)
        shutil.rmtree(tmp_path / "run" / "checkpoints")
        assert start(images, tmp_path / "run", origin).is_complete
        assert_same(tmp_path / "run", begun)
        shutil.rmtree(tmp_path / "run")
    # Killed between its config and its record, it has learnt nothing yet.
    start(images, tmp_path / "run", other, after=0)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    (tmp_path / "run" / "init.json").unlink()
    assert start(images, tmp_path / "run", other).is_complete
    assert_same(tmp_path / "run", begun)


def test_a_link_that_points_on_by_now_is_the_same_origin(
    images: Path, other: Path, begun: Path, tmp_path: Path
) -> None:
    link = tmp_path / "latest"
    link.symlink_to(other / "checkpoints" / "images_00000032")
    start(images, tmp_path / "run", link, after=2)
    link.unlink()
    link.symlink_to(other / "checkpoints" / "images_00000016")
    assert start(images, tmp_path / "run", link).is_complete
    assert_same(tmp_path / "run", begun)


# ── refused ──────────────────────────────────────────────────────────────────────────────────────


def test_another_origin_is_refused_with_both(images: Path, other: Path, begun: Path) -> None:
    before = bytes_of(begun)
    place = other / "checkpoints" / "images_00000016"
    with pytest.raises(UserError, match=f"--init-from: {other} → {place}"):
        start(images, begun, place)
    assert bytes_of(begun) == before


def test_a_run_that_began_with_new_weights_takes_no_others(
    images: Path, other: Path, begun: Path, tmp_path: Path
) -> None:
    start(images, tmp_path / "run", after=1)
    with pytest.raises(UserError, match="began with new weights"):
        start(images, tmp_path / "run", other)


@pytest.mark.parametrize("inside", ["", "model", "checkpoints"])
def test_a_run_cannot_start_from_itself(inside: str, images: Path, begun: Path) -> None:
    with pytest.raises(UserError, match="cannot start from itself"):
        start(images, begun, begun / inside)


def refused(images: Path, folder: Path, origin: Path, match: str) -> None:
    with pytest.raises(UserError, match=match) as error:
        start(images, folder, origin)
    assert "\n" not in str(error.value)
    assert not folder.exists()


def test_what_is_no_origin_is_refused_before_anything_is_made(
    images: Path, other: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    refused(images, run, tmp_path / "nothing", "there is no model")
    refused(images, run, images, "holds no model")
    (tmp_path / "some.pth").write_bytes(b"PK\x03\x04")
    refused(images, run, tmp_path / "some.pth", "swapae convert")
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(other / "config.yaml", empty)
    refused(images, run, empty, "has saved nothing yet")


def test_damaged_origins_are_refused_or_passed_over(images: Path, other: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(other, tmp_path / "copy")
    newest = newest_valid(copy / "checkpoints")
    assert newest is not None
    (newest / "ema.safetensors").write_bytes(b"")
    refused(images, tmp_path / "run", newest, "is damaged")
    heard = Heard()
    start(images, tmp_path / "run", copy, after=0, heard=heard)
    assert any("damaged and not used: images_00000032" in text for text in heard.messages)
    assert same_tensors(tensors_at(tmp_path / "run", 0, "weights"), tensors_at(other, 16, "weights"))
    for path in (copy / "checkpoints").iterdir():
        (path / "MANIFEST.json").unlink(missing_ok=True)
    refused(images, tmp_path / "next", copy, "every checkpoint in .* is damaged")


def test_numbers_that_are_not_finite_are_refused(images: Path, other: Path, tmp_path: Path) -> None:
    model, metadata = load_tensors(other / "model" / "model.safetensors")
    model["encoder.to_texture.weight"][0, 0] = float("nan")
    save_tensors(tmp_path / "bad" / "model.safetensors", model, metadata)
    refused(images, tmp_path / "run", tmp_path / "bad", r"not finite, in encoder\.to_texture\.weight")


def test_discriminators_that_do_not_say_what_they_are_are_refused(
    images: Path, other: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(other / "model", tmp_path / "model")
    weights = tensors_at(other, 32, "weights")
    judge = {name: tensor for name, tensor in weights.items() if name.startswith("discriminator.")}
    save_tensors(folder / DISCRIMINATORS_FILE, judge, {"format": "swapae.discriminators/1"})
    refused(images, tmp_path / "run", folder, "metadata cannot be read")
    (folder / DISCRIMINATORS_FILE).write_bytes(b"")
    refused(images, tmp_path / "run", folder, "damaged or not a safetensors file")


def test_whole_numbers_are_no_weights(images: Path, other: Path, tmp_path: Path) -> None:
    model, metadata = load_tensors(other / "model" / "model.safetensors")
    whole = {name: tensor.int() for name, tensor in model.items()}
    save_tensors(tmp_path / "bad" / "model.safetensors", whole, metadata)
    with pytest.raises(UserError, match=r"from_rgb: other kind of number \(conv\.weight is torch\.int32"):
        start(images, tmp_path / "run", tmp_path / "bad")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"init_from": 1, "folder": null, "is_whole": true}'])
def test_a_damaged_record_is_told_of(text: str, images: Path, other: Path, tmp_path: Path) -> None:
    start(images, tmp_path / "run", other, after=0)
    (tmp_path / "run" / "init.json").write_text(text)
    with pytest.raises(UserError, match=r"init\.json is damaged; remove it to go on"):
        start(images, tmp_path / "run", other)


def test_where_nothing_fits_nothing_is_made(images: Path, other: Path, tmp_path: Path) -> None:
    config = micro()
    model = replace(
        config.model,
        encoder_capacity=0.25,
        generator_capacity=0.0625,
        texture_channels=12,
        structure_channels=8,
        structure_downsamplings=2,
    )
    with pytest.raises(UserError, match="nothing of encoder and generator"):
        start(images, tmp_path / "run", other, config=replace(config, model=model))
    assert not (tmp_path / "run").exists()
