import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from swapae import ModelConfig, SwappingAutoencoder, UserError
from swapae.editing import Direction, Directions
from swapae.editing.files import FORMAT, Maker
from swapae.weights import load_tensors

MAKER = Maker(structure_channels=4, texture_channels=16, stride=4, fingerprint="abc")
SHAPES = {"texture": (16,), "structure": (4,), "layout": (4, 3, 5)}


def direction(name: str, kind: Any = "texture", **given: Any) -> Direction:
    vector = torch.randn(SHAPES[kind])
    facts = {"sigma": 0.1, "center": -0.02, "num_images": 7, "share": 0.25, "gap": None}
    return Direction(name, kind, vector / vector.norm(), **{**facts, **given})


def three() -> Directions:
    parts = (
        direction("texture1"),
        direction("Schnee 雪", "structure", share=None, gap=1.9),
        direction("c", "layout"),
    )
    return Directions(parts, MAKER)


def test_saved_directions_come_back_as_they_were(tmp_path: Path) -> None:
    ours = three()
    ours.save(tmp_path / "new" / "a.safetensors")
    theirs = Directions.load(tmp_path / "new" / "a.safetensors")
    assert theirs.maker == ours.maker
    assert len(theirs) == 3
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one.vector, other.vector)
        assert {**vars(one), "vector": None} == {**vars(other), "vector": None}
    assert os.listdir(tmp_path / "new") == ["a.safetensors"]


def test_a_file_is_small_and_the_same_for_the_same_directions(tmp_path: Path) -> None:
    ours = three()
    for name in "ab":
        ours.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").stat().st_size < 4 * (16 + 4 + 60) + 2000


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_text("precious")
    with pytest.raises(UserError, match="exists already"):
        three().save(path)
    assert path.read_text() == "precious"
    three().save(path, force=True)
    assert len(Directions.load(path)) == 3


def test_a_direction_is_found_by_its_name_and_a_slip_is_pointed_out() -> None:
    ours = three()
    assert ours.named("Schnee 雪") is ours[1]
    with pytest.raises(UserError, match=r"[Uu]nknown direction 'texture2'.*texture1"):
        ours.named("texture2")


def test_directions_of_another_models_shape_are_refused_in_one_sentence(tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    maker = Maker.of(model)
    assert (maker.structure_channels, maker.texture_channels, maker.stride) == (4, 16, 4)
    for other in ({"structure_channels": 5}, {"texture_channels": 17}, {"stride": 8}):
        made = Directions((), replace(maker, **other))  # type: ignore[arg-type]
        with pytest.raises(
            UserError, match=r"snow\.st was made with another model: .* of this model 4 struct"
        ) as error:
            made.check_fit(model, "snow.st")
        assert "\n" not in str(error.value)


def test_directions_of_other_weights_of_the_same_shape_are_told_apart(tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    assert Directions((), Maker.of(model)).check_fit(model, "x")
    assert Maker.of(SwappingAutoencoder.from_pretrained(tiny_model)) == Maker.of(model)
    other = SwappingAutoencoder(model.config)
    assert not Directions((), Maker.of(other)).check_fit(model, "x")
    assert (
        Maker.of(SwappingAutoencoder(ModelConfig(encoder_capacity=0.1, generator_capacity=0.1))).stride == 16
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (direction("a", "structure", sigma=0.0), "σ of 0"),
        (direction("a", "structure", sigma=float("nan")), "σ of nan"),
        (Direction("a", "texture", torch.ones(16), 0.1), "no length of 1"),
        (Direction("a", "texture", torch.full((16,), float("nan")), 0.1), "no length of 1"),
        (Direction("a", "texture", torch.eye(4)[0], 0.1), "no direction of 4 structure and 16 texture"),
        (Direction("a", "layout", torch.eye(4)[0], 0.1), "no direction of"),
        (Direction("a", "sound", torch.eye(16)[0], 0.1), "kind sound"),  # type: ignore[arg-type]
        (direction(""), "no name"),
        (direction("a\nb"), "no name"),
        (direction("a=b"), "no name"),
    ],
)
def test_what_is_no_direction_of_the_model_is_refused(wrong: Direction, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Directions((wrong,), MAKER)


def test_two_directions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two directions are called 'a'"):
        Directions((direction("a"), direction("a", "layout")), MAKER)


# ── files that are something else ────────────────────────────────────────────────────────────────


def test_a_file_that_holds_no_directions_is_named(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.st is no file; `swapae directions fit` makes one"):
        Directions.load(tmp_path / "absent.st")
    with pytest.raises(UserError, match="holds no directions"):
        Directions.load(tiny_model / "model.safetensors")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(UserError, match="damaged or not a safetensors file"):
        Directions.load(tmp_path / "text")


def test_a_pickle_is_not_run_but_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "executed"),)

    torch.save(Evil(), tmp_path / "evil.safetensors")
    with pytest.raises(UserError, match="PyTorch checkpoint"):
        Directions.load(tmp_path / "evil.safetensors")
    assert not (tmp_path / "executed").exists()


def test_a_cut_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    three().save(path)
    data = path.read_bytes()
    for size in (0, 7, 60, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match=r"a\.safetensors is damaged"):
            Directions.load(path)


FACTS = {
    "name": "a",
    "kind": "structure",
    "sigma": 0.1,
    "center": 0.0,
    "num_images": 3,
    "share": None,
    "gap": 1.0,
}


@pytest.mark.parametrize(
    "changed",
    [
        {"directions": "["},
        {"directions": "7"},
        {"directions": '["a"]'},
        {"directions": json.dumps([FACTS, FACTS])},
        {"directions": json.dumps([{**FACTS, "sigma": "much"}])},
        {"directions": json.dumps([{**FACTS, "sigma": True, "name": ""}])},
        {"directions": json.dumps([{**FACTS, "sigma": float("inf")}])},
        {"directions": json.dumps([{**FACTS, "sigma": 1e308}])},
        {"directions": json.dumps([{**FACTS, "num_images": 1e308}])},
        {"directions": json.dumps([{**FACTS, "center": 10**400}])},
        {"directions": json.dumps([{**FACTS, "share": []}])},
        {"directions": json.dumps([{**FACTS, "num_images": None}])},
        {"directions": json.dumps([{**FACTS, "kind": ["structure"]}])},
        {"directions": json.dumps([{**FACTS, "extra": 1}])},
        {"directions": json.dumps([{"name": "a"}])},
        {"directions": "[" * 100_000},
        {"model": "{}"},
        {"model": '{"structure_channels": 4}'},
        {"model": '["a"]'},
        {"model": json.dumps({**vars(MAKER), "texture_channels": "16", "structure_channels": "x"})},
        {"model": json.dumps({**vars(MAKER), "structure_channels": 5})},
    ],
    ids=lambda changed: str(changed)[:200],
)
def test_metadata_that_makes_no_sense_is_one_sentence(tmp_path: Path, changed: dict[str, str]) -> None:
    path = tmp_path / "a.safetensors"
    vector = {"direction.0000": torch.eye(4)[0]}
    metadata = {"format": FORMAT, "model": json.dumps(vars(MAKER)), "directions": json.dumps([FACTS])}
    save_file(vector, path, metadata)
    assert Directions.load(path)[0].gap == 1.0
    save_file(vector, path, {**metadata, **changed})
    with pytest.raises(
        UserError, match=r"a\.safetensors is damaged and cannot be read as directions"
    ) as error:
        Directions.load(path)
    assert len(str(error.value)) < 600


def test_random_bytes_in_a_file_never_end_in_another_error(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    three().save(path)
    data = path.read_bytes()
    draw = torch.Generator().manual_seed(0)
    for _ in range(300):
        changed = bytearray(data)
        for place in torch.randint(len(data), (3,), generator=draw).tolist():
            changed[place] = int(torch.randint(256, (), generator=draw))
        path.write_bytes(changed)
        try:
            Directions.load(path)
        except UserError as error:
            assert str(path) in str(error)  # noqa: PT017


def test_metadata_says_what_a_file_holds_without_its_tensors(tmp_path: Path) -> None:
    three().save(tmp_path / "a")
    metadata = load_tensors(tmp_path / "a")[1]
    assert metadata["format"] == FORMAT
    assert json.loads(metadata["model"])["fingerprint"] == "abc"
    assert [fact["num_images"] for fact in json.loads(metadata["directions"])] == [7, 7, 7]
