"""The baseline computes what the package computes, by other operations; the package never imports it."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from benchmarks.baseline import BaselineModel
from benchmarks.baseline_training import BaselineSteps, cut
from torch import Tensor, nn

import swapae
from benchmarks import baseline
from swapae import ModelConfig, SwappingAutoencoder
from swapae.codes import Codes
from swapae.losses import cut as package_cut
from swapae.losses import draw_windows
from swapae.networks import (
    Discriminator,
    DiscriminatorConfig,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
    random_noise,
)
from swapae.ops import make_kernel, upfirdn2d
from swapae.presets import tiny32
from swapae.training.health import is_reading
from swapae.training.objective import Networks
from swapae.training.setup import make_networks
from swapae.training.step import Steps, make_optimizers

M = TypeVar("M", bound=nn.Module)
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}
dtypes = pytest.mark.parametrize("dtype", TOLERANCES, ids=str)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def livened(module: M, dtype: torch.dtype) -> M:
    """Move every weight off its start: biases and noise strengths of 0 would hide what they do."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module.to(dtype)


def error(found: Tensor, expected: Tensor) -> float:
    found, expected = found.detach(), expected.detach()
    return float((found - expected).abs().max() / expected.abs().max())


def images(batch: int, height: int, width: int, dtype: torch.dtype) -> Tensor:
    return (torch.rand(batch, 3, height, width) * 2 - 1).to(dtype)


def model_of(dtype: torch.dtype, use_antialias: bool = True) -> SwappingAutoencoder:
    config = ModelConfig(
        structure_channels=4,
        texture_channels=16,
        structure_downsamplings=2,
        texture_downsamplings=1,
        encoder_capacity=0.25,
        generator_capacity=0.05,
        use_antialias=use_antialias,
    )
    return livened(SwappingAutoencoder(config), dtype)


def maps_for(model: SwappingAutoencoder, structure: Tensor) -> list[Tensor]:
    shapes = model.generator.noise_shapes(*structure.shape[2:])
    return [one.to(structure) for one in random_noise(shapes, torch.Generator().manual_seed(3))]


# ── inference ────────────────────────────────────────────────────────────────────────────────────


@dtypes
@pytest.mark.parametrize("use_antialias", [True, False])
@pytest.mark.parametrize("size", [(24, 32), (9, 50)], ids=["fitting", "padded"])
def test_encoder(dtype: torch.dtype, use_antialias: bool, size: tuple[int, int]) -> None:
    model = model_of(dtype, use_antialias)
    batch = images(2, *size, dtype)
    found, expected = BaselineModel(model).encode(batch), model.encode(batch)
    assert error(found.structure, expected.structure) < TOLERANCES[dtype]
    assert error(found.texture, expected.texture) < TOLERANCES[dtype]
    assert found.size == expected.size


@dtypes
@pytest.mark.parametrize("use_antialias", [True, False])
def test_generator_with_noise(dtype: torch.dtype, use_antialias: bool) -> None:
    model = model_of(dtype, use_antialias)
    codes = model.encode(images(3, 24, 30, dtype))
    noise = maps_for(model, codes.structure)
    expected = model.decode(codes, noise)
    assert error(BaselineModel(model).decode(codes, noise), expected) < TOLERANCES[dtype]
    assert error(BaselineModel(model).decode(codes), expected) > 1e-3  # other noise is drawn


@dtypes
def test_generator_with_a_spatial_texture(dtype: torch.dtype) -> None:
    model = model_of(dtype)
    codes = model.encode(images(1, 24, 32, dtype))
    codes = Codes(codes.structure, torch.randn(1, 16, 3, 2, dtype=dtype), codes.size)
    noise = maps_for(model, codes.structure)
    assert error(BaselineModel(model).decode(codes, noise), model.decode(codes, noise)) < TOLERANCES[dtype]


def test_swap_and_grid_are_those_of_the_package() -> None:
    model = model_of(torch.float64)
    one, two = images(1, 24, 24, torch.float64), images(1, 24, 24, torch.float64)
    noise = maps_for(model, model.encode(one).structure)
    runner = BaselineModel(model)
    hybrid = model.swap(one, two, noise=noise)
    assert error(runner.swap(one, two, noise), hybrid) < 1e-10
    sheet = list(runner.grid([one, two], [one, two], noise))
    assert len(sheet) == 4
    assert error(sheet[1], hybrid) < 1e-10


def test_a_grid_costs_the_published_number_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    counted(monkeypatch, "encode", calls)
    counted(monkeypatch, "decode", calls)
    image = images(1, 12, 12, torch.float32)
    list(BaselineModel(model_of(torch.float32)).grid([image] * 5, [image] * 5))
    assert (calls.count("encode"), calls.count("decode")) == (20, 25)


def counted(monkeypatch: pytest.MonkeyPatch, name: str, calls: list[str]) -> None:
    body: Callable[..., object] = getattr(baseline, name)

    def counting(*arguments: object) -> object:
        calls.append(name)
        return body(*arguments)

    monkeypatch.setattr(baseline, name, counting)


# ── discriminators and operations ────────────────────────────────────────────────────────────────


@dtypes
@pytest.mark.parametrize("use_antialias", [True, False])
def test_discriminator(dtype: torch.dtype, use_antialias: bool) -> None:
    config = DiscriminatorConfig(image_size=32, capacity=0.05, max_channels=24, use_antialias=use_antialias)
    net = livened(Discriminator(config), dtype)
    batch = images(2, 32, 32, dtype)
    assert error(baseline.discriminate(net, batch), net(batch)) < TOLERANCES[dtype]


@dtypes
@pytest.mark.parametrize("aggregate", [True, False])
def test_patch_discriminator(dtype: torch.dtype, aggregate: bool) -> None:
    config = PatchDiscriminatorConfig(patch_size=16, capacity=0.25, max_channels=16, head_widths=(24, 12))
    net = livened(PatchDiscriminator(config), dtype)
    reference, query = (images(6, 16, 16, dtype).unflatten(0, (2, 3)) for _ in range(2))
    features = [baseline.patch_features(net, patches) for patches in (reference, query)]
    found = baseline.compare_patches(net, *features, aggregate)
    assert error(found, net(reference, query, aggregate)) < TOLERANCES[dtype]


def test_patches_are_cut_alike() -> None:
    batch = images(2, 20, 30, torch.float64)
    windows = draw_windows(2, 5, 0.2, 0.9, torch.Generator().manual_seed(0))
    assert error(cut(batch, windows, 8), package_cut(batch, windows, 8)) < 1e-10


@pytest.mark.parametrize(
    ("up", "down", "pad"), [(1, 1, (2, 1)), (2, 1, (2, 1)), (2, 2, (1, 0)), (1, 2, (0, -1))]
)
def test_upfirdn2d(up: int, down: int, pad: tuple[int, int]) -> None:
    x, kernel = torch.randn(2, 3, 7, 9, dtype=torch.float64), make_kernel([1, 2, 5]).double()
    expected = upfirdn2d(x, kernel, up, down, pad)
    found = baseline.upfirdn2d(x, kernel, up, down, pad)
    assert found.shape == expected.shape
    assert error(found, expected) < 1e-10


# ── training ─────────────────────────────────────────────────────────────────────────────────────


def both_steps(dtype: torch.dtype) -> tuple[Steps, BaselineSteps]:
    config = tiny32()
    _, ours = make_networks(config)
    for net in ours.named().values():
        livened(net, dtype)
    theirs = Networks(**copy.deepcopy(ours.named()))
    return Steps(ours, make_optimizers(ours, config), config), BaselineSteps(theirs, config)


def kept(monkeypatch: pytest.MonkeyPatch, optimizer: torch.optim.Optimizer) -> dict[int, Tensor]:
    """Keep the gradients an optimizer meets instead of descending them."""
    found: dict[int, Tensor] = {}

    def keep() -> None:
        for group in optimizer.param_groups:
            for number, parameter in enumerate(group["params"]):
                if parameter.grad is not None:
                    found[number] = parameter.grad.clone()

    monkeypatch.setattr(optimizer, "step", keep)
    return found


@dtypes
@pytest.mark.parametrize("kind", ["discriminator", "r1", "generator"])
def test_a_step_has_the_losses_and_gradients_of_the_package(
    kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = both_steps(dtype)
    learner = "generator" if kind == "generator" else "discriminator"
    expected = kept(monkeypatch, getattr(ours.optimizers, learner))
    found = kept(monkeypatch, getattr(theirs, f"{learner}_optimizer"))
    real = images(4, 32, 32, dtype)
    terms = [
        getattr(steps, f"{kind}_step")(real, torch.Generator().manual_seed(1)) for steps in (ours, theirs)
    ]
    assert set(terms[0]) == {*terms[1], *filter(is_reading, terms[0])}
    for name in terms[1]:
        assert error(terms[1][name], terms[0][name]) < TOLERANCES[dtype]
    assert found.keys() == expected.keys()
    assert len(found) > 10
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    # float32 gradients of either path are 1e-4 away from the true ones (docs of the measurements)
    tolerance = 1e-3 if dtype == torch.float32 else TOLERANCES[dtype]
    assert all(float((found[i] - expected[i]).abs().max()) < tolerance * largest for i in expected)


def test_steps_move_the_weights_as_the_packages_do() -> None:
    ours, theirs = both_steps(torch.float64)
    real = images(4, 32, 32, torch.float64)
    for steps in (ours, theirs):
        for kind in ("discriminator", "r1", "generator"):
            getattr(steps, f"{kind}_step")(real, torch.Generator().manual_seed(1))
    for name, net in ours.networks.named().items():
        for one, other in zip(net.parameters(), theirs.networks.named()[name].parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)


# ── apart ────────────────────────────────────────────────────────────────────────────────────────


def test_the_package_never_imports_its_benchmarks() -> None:
    package = Path(swapae.__file__).parent
    naming = [
        path.name
        for path in package.rglob("*.py")
        if "import benchmarks" in (text := path.read_text()) or "from benchmarks" in text
    ]
    assert naming == []
