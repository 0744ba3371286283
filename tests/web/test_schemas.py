import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from swapae.web.schemas import ClickRequest, Move, Recipe, RenderRequest, problem

A, B = "a" * 64, "0123456789abcdef" * 4
PLAIN: dict[str, Any] = {"structures": [{"image": A}]}
FULL: dict[str, Any] = {
    "version": 1,
    "structures": [{"image": A, "weight": 1.0}, {"image": B, "weight": 2}],
    "textures": [{"image": B, "weight": 0.5}],
    "strength": 1.5,
    "path": "line",
    "directions": [{"name": "texture1", "strength": -1.5, "mask": B, "feather": 4}],
    "layers": [{"texture": B, "mask": A, "strength": 0.5, "feather": 2.5, "visible": False}],
    "outside": "photo",
    "seed": 7,
}


def read(changes: dict[str, Any]) -> Recipe:
    return Recipe.model_validate_json(json.dumps({**FULL, **changes}))


def refused(changes: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        read(changes)
    return problem(caught.value)


def test_a_recipe_survives_json_both_ways() -> None:
    recipe = read({})
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert json.loads(recipe.model_dump_json()) == FULL


def test_what_is_left_out_is_the_image_as_it_is() -> None:
    recipe = Recipe.model_validate(PLAIN)
    assert (recipe.textures, recipe.directions, recipe.layers) == ([], [], [])
    assert (recipe.strength, recipe.path, recipe.outside, recipe.seed) == (1, "sphere", "plain", None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"structures": []}, "structures: "),
        ({"structures": [{"image": A}] * 9}, "structures: "),
        ({"textures": [{"image": A}] * 9}, "textures: "),
        ({"structures": [{"image": A, "weight": 0}]}, "no weight is above 0"),
        ({"structures": [{"image": A, "weight": -1}]}, "structures.0.weight: "),
        ({"structures": [{"image": "../../etc/passwd"}]}, "structures.0.image: "),
        ({"structures": [{"image": A.upper()}]}, "structures.0.image: "),
        ({"structures": [{"image": A + "\n"}]}, "structures.0.image: "),
        ({"strength": 1e9}, "strength: "),
        ({"strength": "1"}, "strength: "),
        ({"strength": True}, "strength: "),
        ({"strength": None}, "strength: "),
        ({"path": "cube"}, "path: "),
        ({"directions": [{"name": "a", "strength": 1}] * 33}, "directions: "),
        ({"directions": [{"name": "", "strength": 1}]}, "directions.0.name: "),
        ({"directions": [{"name": "a=b", "strength": 1}]}, "directions.0.name: a name has no sign like ="),
        ({"directions": [{"name": "a\nb", "strength": 1}]}, "directions.0.name: "),
        ({"directions": [{"name": "x" * 65, "strength": 1}]}, "directions.0.name: "),
        ({"layers": [{"texture": A, "mask": A, "feather": -1}]}, "layers.0.feather: "),
        ({"layers": [{"texture": A}]}, "layers.0.mask: "),
        ({"outside": "else"}, "outside: "),
        ({"seed": -1}, "seed: "),
        ({"seed": 2**32}, "seed: "),
        ({"seed": 1.5}, "seed: "),
        ({"version": 2}, "version: "),
        ({"surprise": 1}, "surprise: "),
    ],
)
def test_what_is_wrong_is_refused_in_one_sentence(changes: dict[str, Any], said: str) -> None:
    sentence = refused(changes)
    assert said in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["strength", "weight", "feather"])
def test_no_number_is_infinite_or_none(number: float, field: str) -> None:
    changes = {
        "strength": {"strength": number},
        "weight": {"textures": [{"image": A, "weight": number}]},
        "feather": {"layers": [{"texture": A, "mask": A, "feather": number}]},
    }
    with pytest.raises(ValidationError):
        Recipe.model_validate({**FULL, **changes[field]})
    assert f"{field}: " in refused(changes[field])  # JSON as Python writes it: NaN, Infinity


def test_a_recipe_is_never_changed() -> None:
    with pytest.raises(ValidationError):
        read({}).strength = 2.0  # type: ignore[misc]


def test_a_sentence_counts_what_else_is_wrong() -> None:
    assert refused({"path": "cube", "seed": -1, "strength": 99}).endswith("(2 more).")


def test_requests_have_bounds() -> None:
    recipe = Recipe.model_validate(PLAIN)
    assert RenderRequest(recipe=recipe).side is None
    for side in (0, 4097):
        with pytest.raises(ValidationError):
            RenderRequest(recipe=recipe, side=side)
    with pytest.raises(ValidationError):
        ClickRequest(image=A, x=1.01, y=0)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.just(A),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FULL, "image"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*FULL, "other"]), anything))
def test_whatever_comes_is_a_recipe_with_its_bounds_or_one_sentence(changes: dict[str, Any]) -> None:
    try:
        recipe = Recipe.model_validate({**FULL, **changes})
    except ValidationError as error:
        sentence = problem(error)
        assert sentence.endswith(".")
        assert len(sentence) < 600
        assert sentence.isprintable()
        return
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert -20 <= recipe.strength <= 20
    assert 1 <= len(recipe.structures) <= 8


names = st.text(min_size=1, max_size=64)


@given(names)
def test_a_name_is_taken_when_a_file_of_directions_could_hold_it(name: str) -> None:
    is_fine = name.isprintable() and "=" not in name and name == name.strip()
    try:
        Move(name=name, strength=1)
    except ValidationError:
        assert not is_fine
    else:
        assert is_fine
