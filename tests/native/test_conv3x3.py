import pytest
import torch
import torch.nn.functional as F
from tests.native.tools import ISAS, disguises, error, kernels_of, needs_kernels, random, threads
from torch import Tensor

from swapae import native

LIMIT = 3.1e-6  # of the largest |value|
CASES = [  # batch, in, out, height, width, pad
    (1, 1, 1, 3, 3, 0),
    (2, 3, 5, 7, 9, 1),
    (1, 15, 17, 8, 5, 2),
    (3, 16, 16, 4, 4, 1),
    (1, 17, 31, 1, 1, 1),
    (1, 31, 33, 1, 2, 2),
    (2, 33, 47, 13, 6, 0),
    (1, 47, 3, 17, 19, 1),
    (2, 64, 1, 10, 11, 2),
    (1, 1, 2, 203, 187, 1),  # several blocks of tiles
    (1, 3, 1, 130, 257, 0),
    (1, 300, 260, 31, 30, 1),  # a block is the least there is
    (1, 512, 96, 17, 18, 1),  # sums over many channels
    (16, 5, 4, 3, 5, 1),
]


def plain(x: Tensor, w: Tensor, pad: int, reflect: bool = False, **more: Tensor | float | None) -> Tensor:
    """The definition, in float64."""
    given = {name: one.double() if isinstance(one, Tensor) else one for name, one in more.items()}
    x, w = x.double(), w.double()
    if (in_scale := given.get("in_scale")) is not None:
        x = x * in_scale[:, :, None, None]
    x = F.pad(x, [pad] * 4, mode="reflect" if reflect else "constant")
    y = F.conv2d(x, w)
    if (noise := given.get("noise")) is not None:
        y = y + given["noise_weight"] * noise
    if (bias := given.get("bias")) is not None:
        y = y + bias[:, None, None]
    y = F.leaky_relu(y, given.get("slope", 1.0)) * given.get("gain", 1.0)
    if (residual := given.get("residual")) is not None:
        y = y + given.get("residual_gain", 1.0) * residual
    return y


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_convolution_is_that_of_float64(isa: str, case: tuple[int, ...]) -> None:
    batch, in_, out, height, width, pad = case
    x, w = random(batch, in_, height, width), random(out, in_, 3, 3)
    with kernels_of(isa):
        y = native.conv3x3(x, native.pack(w, scale=0.5), out, pad)
    assert error(y, plain(x, 0.5 * w, pad)) < LIMIT


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_adjoints_are_those_of_float64(isa: str, case: tuple[int, ...]) -> None:
    batch, in_, out, height, width, pad = case
    x, w = random(batch, in_, height, width), random(out, in_, 3, 3)
    g = random(batch, out, height + 2 * pad - 2, width + 2 * pad - 2)
    x64, w64 = x.double().requires_grad_(), w.double().requires_grad_()
    grad_x, grad_w = torch.autograd.grad(F.conv2d(x64, 0.5 * w64, padding=pad), (x64, w64), g.double())
    with kernels_of(isa):
        ours_x = native.conv3x3(g, native.pack(w, transposed=True, scale=0.5), in_, 2 - pad)
        ours_w = native.conv3x3_grad(x, g, pad, 0.5)
    assert error(ours_x, grad_x) < LIMIT
    assert error(ours_w, grad_w) < 4 * LIMIT  # a sum over all tiles


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("noises", [1, 3])
@pytest.mark.parametrize(("pad", "reflect"), [(0, False), (1, True), (2, True), (2, False)])
def test_all_that_follows_is_that_of_float64(isa: str, noises: int, pad: int, reflect: bool) -> None:
    x, w = random(3, 17, 9, 14), random(33, 17, 3, 3)
    height, width = 7 + 2 * pad, 12 + 2 * pad
    more = {
        "in_scale": random(3, 17),
        "bias": random(33),
        "noise": random(noises, 1, height, width),
        "noise_weight": 0.7,
        "slope": 0.2,
        "gain": 1.5,
        "residual": random(3, 33, height, width),
        "residual_gain": 0.3,
    }
    with kernels_of(isa):
        y = native.conv3x3(x, native.pack(w), 33, pad, reflect=reflect, **more)
    assert error(y, plain(x, w, pad, reflect, **more)) < LIMIT


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", ["in_scale", "bias", "noise", "residual"])
def test_each_part_may_stand_alone(isa: str, name: str) -> None:
    x, w = random(2, 5, 6, 7), random(18, 5, 3, 3)
    shapes = {"in_scale": (2, 5), "bias": (18,), "noise": (2, 1, 6, 7), "residual": (2, 18, 6, 7)}
    more = {name: random(*shapes[name]), "noise_weight": 2.0, "slope": 0.0}
    with kernels_of(isa):
        y = native.conv3x3(x, native.pack(w), 18, 1, **more)
    assert error(y, plain(x, w, 1, **more)) < LIMIT


@pytest.mark.parametrize("isa", ISAS)
def test_the_number_of_threads_changes_no_bit(isa: str) -> None:
    x, w, g = random(2, 33, 37, 21), random(40, 33, 3, 3), random(2, 40, 37, 21)
    results = []
    for number in (1, 2, 3, 50):
        with kernels_of(isa), threads(number):
            packed = native.pack(w)
            results.append((packed, native.conv3x3(x, packed, 40, 1), native.conv3x3_grad(x, g, 1)))
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("isa", ISAS)
def test_every_layout_gives_the_same_bits(isa: str) -> None:
    x, w, g = random(2, 5, 9, 8), random(6, 5, 3, 3), random(2, 6, 9, 8)
    with kernels_of(isa):
        y, grad = native.conv3x3(x, native.pack(w), 6, 1), native.conv3x3_grad(x, g, 1)
        for other_x, other_g, other_w in zip(disguises(x), disguises(g), disguises(w), strict=True):
            assert torch.equal(native.conv3x3(other_x, native.pack(other_w), 6, 1), y)
            assert torch.equal(native.conv3x3_grad(other_x, other_g, 1), grad)
        expanded = random(1, 1, 9, 8).expand(2, 5, 9, 8)
        assert error(native.conv3x3(expanded, native.pack(w), 6, 1), plain(expanded, w, 1)) < LIMIT


@pytest.mark.parametrize("isa", ISAS)
def test_an_empty_batch_gives_an_empty_batch_and_no_gradient(isa: str) -> None:
    with kernels_of(isa):
        packed = native.pack(random(4, 3, 3, 3))
        assert native.conv3x3(torch.empty(0, 3, 8, 8), packed, 4, 1).shape == (0, 4, 8, 8)
        grad = native.conv3x3_grad(torch.empty(0, 3, 8, 8), torch.empty(0, 4, 8, 8), 1)
        assert torch.equal(grad, torch.zeros(4, 3, 3, 3))


@needs_kernels
def test_defaults_of_torch_do_not_reach_the_kernels() -> None:
    x, w, g = random(1, 4, 6, 6), random(4, 4, 3, 3), random(1, 4, 6, 6)
    expected = native.conv3x3(x, native.pack(w), 4, 1), native.conv3x3_grad(x, g, 1)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            found = native.conv3x3(x, native.pack(w), 4, 1), native.conv3x3_grad(x, g, 1)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@needs_kernels
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"bias": torch.zeros(3)}, r"bias is \(3,\), and must be \(4,\)"),
        ({"bias": torch.zeros(4, dtype=torch.float64)}, "not torch.float64"),
        ({"in_scale": torch.zeros(3)}, r"in_scale is \(3,\), and must be \(2, 3\)"),
        ({"noise": torch.zeros(3, 1, 6, 6)}, r"\(1, 1, 6, 6\) or \(2, 1, 6, 6\)"),
        ({"residual": torch.zeros(2, 4, 6, 5)}, "residual is"),
        ({"slope": 1.5}, "slope=1.5"),
        ({"slope": -0.1}, "slope=-0.1"),
        ({"pad": 3}, "pad=3"),
        ({"x": torch.zeros(2, 40, 6, 6)}, "not one of 40 to 4 channels"),
        ({"x": torch.zeros(3, 6, 6)}, "not 3-D"),
        ({"x": torch.zeros(2, 3, 2, 6), "pad": 0}, "too small for a 3×3 kernel"),
        ({"x": torch.zeros(2, 3, 2, 6), "pad": 2, "reflect": True}, "too small to be padded by 2"),
        ({"x": torch.zeros(2, 3, 6, 6, dtype=torch.float64)}, "not torch.float64"),
        ({"x": torch.zeros(2, 3, 6, 6, device="meta")}, "on meta"),
    ],
)
def test_what_would_be_read_out_of_bounds_is_refused(more: dict[str, object], message: str) -> None:
    given = {"x": torch.zeros(2, 3, 6, 6), "pad": 1, **more}
    with pytest.raises(ValueError, match=message):
        native.conv3x3(packed=native.pack(torch.zeros(4, 3, 3, 3)), out_channels=4, **given)


@needs_kernels
def test_weights_and_gradients_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[O, I, 3, 3\], not \(4, 3, 1, 1\)"):
        native.pack(torch.zeros(4, 3, 1, 1))
    with pytest.raises(ValueError, match=r"must be \(1, 4, 6, 6\)"):
        native.conv3x3_grad(torch.zeros(1, 3, 6, 6), torch.zeros(1, 4, 5, 6), 1)
