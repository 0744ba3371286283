"""What the page computes beside its graphs is what Python computes."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from tests.browser.conftest import Visit

from swapae.codes import Codes
from swapae.editing import slerp
from swapae.images import reflect_indices, to_array, to_pil
from swapae.web.render import Pace, smaller

pytestmark = pytest.mark.browser


def asked(opened: Visit, module: str, expression: str, given: object) -> Any:
    """Evaluate an expression of a module `m` of the page and of what is given, `g`."""
    script = f"""async (text) => {{
        const g = JSON.parse(text, (_, one) => one === 'NaN' ? NaN : one);
        const m = await import('./js/here/{module}.js');
        return ({expression});
    }}"""
    return opened.page.evaluate(script, json.dumps(given))


def test_floats_are_rounded_to_pixels_and_pixels_become_floats_as_in_python(opened: Visit) -> None:
    halves = (np.arange(255) + 0.5) / 127.5 - 1
    floats = np.concatenate([halves, np.linspace(-1.3, 1.3, 641), [0.0, 5e9, -5e9, 1.0]]).astype(np.float32)
    planes = np.stack([floats, floats[::-1], floats]).reshape(3, 1, -1)
    pixels = asked(
        opened,
        "pixels",
        "[...m.toPixels(Float32Array.from(g), g.length / 3, 1)]",
        [float(value) for value in planes.ravel()],
    )
    expected = to_pil(planes)
    assert np.array_equal(np.array(pixels).reshape(-1, 4)[:, :3], np.asarray(expected)[0])
    assert asked(opened, "pixels", "[...m.toPixels(Float32Array.from(g), 1, 1)]", ["NaN"] * 3)[:3] == [
        0,
        0,
        0,
    ]
    back = asked(opened, "pixels", "[...m.toPlanes(Uint8Array.from(g), g.length / 4, 1)]", pixels)
    assert np.array_equal(np.array(back, np.float32).reshape(3, -1), to_array(expected)[:, 0])


def test_sides_are_reflected_as_in_python(opened: Visit) -> None:
    pairs = [(1, 9), (2, 12), (3, 3), (5, 40), (64, 68)]
    found = asked(opened, "pixels", "g.map(([side, target]) => m.reflected(side, target))", pairs)
    assert found == [reflect_indices(*pair).tolist() for pair in pairs]


def test_turns_between_equal_and_opposite_codes_are_those_of_python(opened: Visit) -> None:
    torch.manual_seed(3)
    a = torch.randn(1, 6, 2, 2)
    b = torch.randn(1, 6, 2, 2)
    b[..., 0, 0], b[..., 1, 1] = a[..., 0, 0], -a[..., 1, 1]
    code = "{data: Float32Array.from(%s), dims: [1, 6, 2, 2]}"
    for amount in (0.3, 1.0, 7.0, -4.0):
        found = asked(
            opened,
            "sphere",
            f"[...m.slerp({code % 'g[0]'}, {code % 'g[1]'}, g[2]).data]",
            [a.flatten().tolist(), b.flatten().tolist(), amount],
        )
        expected = slerp(a, b, amount)
        assert np.abs(np.array(found).reshape(expected.shape) - expected.numpy()).max() < 1e-5


def test_drafts_are_as_small_as_the_studios(opened: Visit) -> None:
    structure = torch.randn(1, 2, 9, 7)
    codes = Codes(structure, torch.randn(1, 3), (34, 26))
    for scale in (0.25, 0.4, 0.99):
        found = asked(
            opened,
            "compose",
            """(({structure, size}) => ({...structure, data: [...structure.data], size}))(
                m.smaller({structure: {data: g[0], dims: [1, 2, 9, 7]}, size: [34, 26]}, g[1]))""",
            [structure.flatten().tolist(), scale],
        )
        expected = smaller(codes, scale)
        assert found["dims"] == list(expected.structure.shape)
        assert found["size"] == list(expected.size)
        assert np.allclose(found["data"], expected.structure.flatten(), atol=1e-6)


def test_the_pace_is_estimated_as_the_studio_does(opened: Visit) -> None:
    frames = [(256, 0.9), (256, 0.05), (256, 0.04), (4096, 2.0), (4096, 1.0)]
    pace = Pace()
    for frame in frames:
        pace.take(*frame)
    found = asked(
        opened,
        "pace",
        """(() => {
            const pace = new m.Pace();
            g.forEach(([places, seconds]) => pace.take(places, seconds));
            const scales = [[16, 16], [64, 64], [9, 900]].map((places) => pace.scale(places));
            return [[100, 300, 5000].map((places) => pace.estimate(places)), ...scales];
        })()""",
        frames,
    )
    assert found[0] == pytest.approx([pace.estimate(places) for places in (100, 300, 5000)])
    assert found[1:] == pytest.approx([1, (0.1 / 1.0) ** 0.5, 8 / 9])


# ONNX Runtime in whose sessions WebGPU fails, when they are made or when they run.
BROKEN = """(when) => ({
    Tensor: class {}, env: {wasm: {}},
    InferenceSession: {create: async (bytes, {executionProviders: [provider]}) => {
        if (provider === 'webgpu' && when === 'made') throw new Error('no session');
        const images = {data: [1], dims: [1]};
        return {run: async () => {
            if (provider === 'webgpu') throw new Error('the device was lost');
            return {images};
        }};
    }},
})"""


@pytest.mark.parametrize("when", ["made", "run"])
def test_where_a_session_by_webgpu_breaks_webassembly_goes_on(opened: Visit, when: str) -> None:
    found = asked(
        opened,
        "runtime",
        f"""(async () => {{
            const ort = ({BROKEN})(g), moved = [];
            const runtime = new m.Runtime({{build: 'webgpu', onMoved: (to) => moved.push(to)}});
            await runtime.open({{generator: new Uint8Array()}}, async () => ort);
            const {{images}} = await runtime.run('generator', {{}});
            return {{backend: runtime.backend, moved, data: images.data}};
        }})()""",
        when,
    )
    assert found == {"backend": "wasm", "moved": ["wasm"], "data": [1]}


def test_webgpu_is_chosen_where_there_is_a_real_adapter_and_only_there(opened: Visit) -> None:
    found = asked(
        opened,
        "runtime",
        """(async () => {
            const found = [];
            for (const gpu of [
                undefined,
                {requestAdapter: async () => null},
                {requestAdapter: async () => { throw new Error('no'); }},
                {requestAdapter: async () => ({info: {isFallbackAdapter: true}})},
                {requestAdapter: async () => ({info: {isFallbackAdapter: false}})},
                {requestAdapter: async () => ({})},
            ]) found.push(await m.chosen('', {gpu}));
            return [...found, await m.chosen('wasm', {gpu: null}), await m.chosen('other', {})];
        })()""",
        None,
    )
    assert found == ["wasm", "wasm", "wasm", "wasm", "webgpu", "webgpu", "wasm", "wasm"]
