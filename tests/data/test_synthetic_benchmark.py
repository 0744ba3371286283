import hashlib
from dataclasses import replace

import numpy as np
import pytest

from swapae.data.synthetic import FORMS, HELD_OUT_FORMS, HELD_OUT_MATERIALS, MATERIALS, sample_scenes
from swapae.data.synthetic.benchmark import draw_swaps, render_swaps
from swapae.data.synthetic.sample import Split


def names(table: tuple[str, ...], kinds: np.ndarray) -> set[str]:
    return {table[kind] for kind in kinds}


def test_form_and_material_differ_in_every_pair_and_lie_in_the_split() -> None:
    for split, count in (("seen", 120), ("held_out", 60)):
        swaps = draw_swaps(range(count), split=split)  # type: ignore[arg-type]
        assert (swaps.structure.structure.form != swaps.texture.structure.form).all()
        assert (swaps.structure.texture.material != swaps.texture.texture.material).all()
        assert (swaps.structure.texture.material == swaps.other.texture.material).all()
        forms = {f for s in (swaps.structure, swaps.texture) for f in names(FORMS, s.structure.form)}
        materials = {
            m for s in (swaps.structure, swaps.texture) for m in names(MATERIALS, s.texture.material)
        }
        is_held_out = split == "held_out"
        assert forms == {f for f in FORMS if (f in HELD_OUT_FORMS) == is_held_out}
        assert materials == {m for m in MATERIALS if (m in HELD_OUT_MATERIALS) == is_held_out}


def test_a_pair_does_not_depend_on_what_else_is_drawn() -> None:
    together = render_swaps(draw_swaps([3, 4, 5], seed=2), 16)
    alone = render_swaps(draw_swaps([5], seed=2), 16)
    for role, pictures in together.items():
        assert np.array_equal(pictures[2:], alone[role]), role
    other = render_swaps(draw_swaps([5], seed=3), 16)
    assert not np.array_equal(other["structure"], alone["structure"])


@pytest.mark.parametrize(
    ("split", "wanted"),
    [
        ("seen", "3afd54f65867b8c462ebfdfa651934407f9d9956b0951fc2f10bfaa1d443047b"),
        ("held_out", "96f36e4e5b82f5c996be147ba42f717743c3dd7c1c4abcf5940347c34bfc816a"),
    ],
)
def test_the_pictures_are_frozen(split: Split, wanted: str) -> None:
    """A change here is a new BENCHMARK_VERSION: results made before it no longer compare."""
    pictures = render_swaps(draw_swaps([0, 1], split=split), 24)
    digest = hashlib.sha256(b"".join(pictures[role].tobytes() for role in sorted(pictures))).hexdigest()
    assert digest == wanted


def test_the_scenes_are_none_of_a_trainings_first() -> None:
    shapes = {row.tobytes() for row in sample_scenes(0, range(200)).structure.shape}
    assert not shapes & {row.tobytes() for row in draw_swaps(range(50)).structure.structure.shape}


def test_the_in_between_goes_from_the_structure_image_to_its_form_in_the_other_texture() -> None:
    from swapae.data.synthetic import render

    swaps = draw_swaps(range(3))
    assert swaps.strength.tolist() == [0.25, 0.5, 0.75]
    there = render(swaps.structure.structure, swaps.other.texture, 16).astype(int)
    shares = (0.0, 0.25, 0.75, 1.0)
    on_the_way = [
        render_swaps(replace(swaps, strength=np.full(3, share, np.float32)), 16) for share in shares
    ]
    start, *between, end = (pictures["between"].astype(int) for pictures in on_the_way)
    assert np.abs(start - on_the_way[0]["structure"]).max() <= 1
    assert np.abs(end - there).max() <= 1
    far = [np.abs(picture - start).mean((1, 2, 3)) for picture in between]
    assert (far[0] > 0).all()
    assert (far[0] < far[1]).all()


@pytest.mark.parametrize("split", ["seen", "held_out"])
def test_the_truth_is_the_structure_with_the_others_texture(split: str) -> None:
    from swapae.data.synthetic import render

    swaps = draw_swaps([7], split=split)  # type: ignore[arg-type]
    wanted = render(swaps.structure.structure, swaps.texture.texture, 16)
    assert np.array_equal(render_swaps(swaps, 16)["truth"], wanted)
