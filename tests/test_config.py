import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapae import config as c
from swapae.errors import UserError


@dataclass(frozen=True)
class Optics:
    lens: Literal["wide", "tele"] = "wide"
    focal: float = 1.5  # in metres
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True)
class Camera:
    name: str
    optics: Optics = Optics()
    far: Optics = field(default_factory=lambda: Optics(lens="tele"))
    num_shots: int = 3  # per run
    folded: float = (
        0.5  # a comment so long that the formatter puts the value, and the comment with it, on a line
    )
    use_flash: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < self.num_shots:
            raise ValueError(f"limit {self.limit} is below num_shots {self.num_shots}.")


CAMERA = Camera("a")


def refusal(data: object) -> str:
    with pytest.raises(UserError) as caught:
        c.from_dict(Camera, data)  # type: ignore[arg-type]
    return str(caught.value)


cameras = st.builds(
    Camera,
    name=st.text(),
    optics=st.builds(
        Optics,
        lens=st.sampled_from(["wide", "tele"]),
        focal=st.floats(allow_nan=False, allow_infinity=False),
        sizes=st.lists(st.integers(), max_size=4).map(tuple),
    ),
    num_shots=st.integers(max_value=10),
    use_flash=st.booleans(),
    limit=st.none() | st.integers(min_value=10),
)


@given(cameras)
def test_a_tree_comes_back_from_its_dictionary(camera: Camera) -> None:
    assert c.from_dict(Camera, c.to_dict(camera)) == camera
    assert c.from_dict(Camera, json.loads(json.dumps(c.to_dict(camera)))) == camera


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
def test_a_tree_comes_back_from_its_file(tmp_path: Path, suffix: str) -> None:
    camera = Camera("é: no", Optics("tele", 1e-7, (), (1, 2.5)), num_shots=4, use_flash=True, limit=9)
    path = tmp_path / f"camera{suffix}"
    c.save(CAMERA, path)
    c.save(camera, path)
    assert c.load(Camera, path) == camera
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_failed_save_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "camera.json"
    c.save(CAMERA, path)
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(UserError, match="disk full"):
        c.save(Camera("b"), path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_yaml_numbers_that_yaml_takes_for_text_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text("name: a\nnum_shots: 1e6\noptics: {focal: 1e-3}\n")
    camera = c.load(Camera, path)
    assert (camera.num_shots, camera.optics.focal) == (1_000_000, 0.001)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ({"name": "a", "num_shot": 1}, ["'num_shot'", "Did you mean 'num_shots'?"]),
        ({"name": "a", "optics": {"lense": 1}}, ["'optics.lense'", "Did you mean 'optics.lens'?"]),
        ({}, ["'name' is missing"]),
        ({"name": 3}, ["name must be text, not 3"]),
        ({"name": "a", "num_shots": 2.5}, ["num_shots must be a whole number, not 2.5"]),
        ({"name": "a", "num_shots": True}, ["num_shots must be a whole number, not True"]),
        ({"name": "a", "num_shots": None}, ["num_shots must be a whole number, not None"]),
        ({"name": "a", "use_flash": 1}, ["use_flash must be true or false, not 1"]),
        ({"name": "a", "optics": {"focal": "nan"}}, ["optics.focal must be a number, not 'nan'"]),
        ({"name": "a", "optics": {"focal": 10**400}}, ["optics.focal must be a number"]),
        ({"name": "a", "optics": {"lens": "fish"}}, ["optics.lens must be one of wide, tele, not 'fish'"]),
        ({"name": "a", "optics": {"sizes": [1, "x"]}}, ["optics.sizes[1] must be a whole number, not 'x'"]),
        ({"name": "a", "optics": {"sizes": 3}}, ["optics.sizes must be a list, not 3"]),
        ({"name": "a", "optics": {"pair": [1]}}, ["optics.pair must have 2 values, not 1"]),
        ({"name": "a", "optics": 5}, ["optics must be a group of settings, not 5"]),
        ([1], ["must be a group of settings"]),
        ({"name": "a", "limit": 1}, ["limit 1 is below num_shots 3."]),
    ],
)
def test_what_does_not_fit_is_refused_by_its_dotted_name(data: object, parts: list[str]) -> None:
    message = refusal(data)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("num-shots", "12", 12),
        ("num_shots", "1_000", 1000),
        ("num_shots", "9007199254740993", 9007199254740993),
        ("use-flash", "yes", True),
        ("use-flash", "False", False),
        ("name", "7", "7"),
        ("limit", "none", None),
        ("limit", "8", 8),
        ("optics.focal", "1e-3", 0.001),
        ("optics.focal", "2", 2.0),
        ("optics.lens", "Tele", "tele"),
        ("optics.sizes", "4, 5,6", (4, 5, 6)),
        ("optics.sizes", "(4,)", (4,)),
        ("optics.sizes", "[]", ()),
        ("optics.pair", "1,2", (1.0, 2.0)),
    ],
)
def test_an_override_is_read_by_the_type_of_its_field(name: str, text: str, value: object) -> None:
    changed = c.with_overrides(CAMERA, {name: text})
    dotted = name.replace("-", "_")
    found = {s.name: s.default for s in c.describe(changed)}[dotted]
    assert found == value
    assert type(found) is type(value)
    others = [d for d in c.differences(CAMERA, changed) if d[0] != dotted]
    assert others == []


def test_overrides_that_only_fit_together_are_put_in_together() -> None:
    changed = c.with_overrides(Camera("a", limit=5), {"num-shots": "20", "limit": "30"})
    assert (changed.num_shots, changed.limit) == (20, 30)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("optics.foca", ["'optics.foca'", "Did you mean 'optics.focal'?"]),
        ("focal", ["Did you mean 'optics.focal'?"]),
        ("optics", ["group of settings", "optics.lens, optics.focal"]),
        ("zzzzzz", ["Unknown setting 'zzzzzz'."]),
        ("optics.focal.x", ["Unknown setting"]),
    ],
)
def test_an_unknown_override_is_refused_with_the_nearest_name(name: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        c.with_overrides(CAMERA, {name: "1"})
    for part in parts:
        assert part in str(caught.value)


def test_far_words_get_no_suggestion() -> None:
    assert c.nearest("zzzzzz", ["num_shots"]) is None
    assert "mean" not in c.unknown("word 'zzzzzz'", "zzzzzz", ["num_shots"])


def test_describe_gives_name_type_value_and_comment() -> None:
    settings = {s.name: s for s in c.describe(Camera)}
    assert list(settings) == c.field_names(CAMERA)
    assert settings["num_shots"] == ("num_shots", "int", 3, "per run")
    assert settings["folded"].doc.startswith("a comment so long")
    assert settings["optics.focal"] == ("optics.focal", "float", 1.5, "in metres")
    assert settings["far.lens"] == ("far.lens", "wide | tele", "tele", "")
    assert settings["optics.sizes"].type == "int, …"
    assert settings["optics.pair"].type == "float, float"
    assert settings["limit"].type == "int | none"
    assert {s.name: s.default for s in c.describe(Camera("b", num_shots=9))}["num_shots"] == 9


def test_differences_name_the_fields_and_both_values() -> None:
    other = c.with_overrides(CAMERA, {"optics.focal": "9", "limit": "4"})
    assert c.differences(CAMERA, other) == [("optics.focal", 1.5, 9.0), ("limit", None, 4)]
    assert c.differences(CAMERA, CAMERA) == []


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("absent.yaml", None, "No such file"),
        ("broken.yaml", "a: [1", "is not a config file"),
        ("broken.json", "{", "is not a config file"),
        ("binary.json", b"\xff\xfe\x00", "is not a config file"),
        ("list.yaml", "- 1", "must be a group of settings"),
        ("empty.yaml", "", "it is empty"),
        ("bad.yaml", "name: a\nnum_shots: x", "num_shots must be a whole number"),
        ("config.txt", "name: a", "must end in .yaml or .json"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_with_its_path(
    tmp_path: Path, name: str, content: str | bytes | None, part: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as caught:
        c.load(Camera, path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


BOMB = "&a [x, x, x, x, x, x, x, x, x, x]"
for one, other in zip("bcdefghi", "abcdefgh", strict=True):
    BOMB = f"{BOMB}, &{one} [{', '.join([f'*{other}'] * 10)}]"


@pytest.mark.parametrize(
    "value",
    [
        "!!int ''",
        "!!bool x",
        "!!timestamp x",
        "!!binary é",
        "[" * 5000,
        f"[{BOMB}]",
        "0x" + "f" * 9999,
        "&a [*a]",
    ],
    ids=lambda value: value[:12],
)
def test_what_yaml_itself_stumbles_over_and_what_would_grow_without_end_is_one_sentence(
    value: str, tmp_path: Path
) -> None:
    for name in ("name", "num_shots", "optics"):
        (tmp_path / "a.yaml").write_text(f"name: a\n{name}: {value}\n", encoding="utf-8")
        with pytest.raises(UserError, match=r"a\.yaml") as raised:
            c.load(Camera, tmp_path / "a.yaml")
        assert len(str(raised.value)) < 1000 + len(str(tmp_path))
    (tmp_path / "a.yaml").write_text(f"name: a\noptics:\n  lens: {value}\n", encoding="utf-8")
    with pytest.raises(UserError):
        c.load(Camera, tmp_path / "a.yaml")


def test_json_that_is_nested_too_deep_is_no_config(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match=r"a\.json is not a config file"):
        c.load(Camera, tmp_path / "a.json")
