"""A model runs on any backend with the same numbers, and always with its present weights."""

import copy
import ctypes
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from swapae import SwappingAutoencoder, UserError
from swapae.networks import Encoder, Generator
from swapae.runtime import backends, plans, tune_allocator
from swapae.runtime.backends import AutoBackend, TorchBackend, make_backend
from swapae.runtime.plans import BudgetTooSmallError


@pytest.fixture
def model(tiny_model: Path) -> SwappingAutoencoder:
    model = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    model.codes_cache = None
    return model


def images(batch: int = 1, size: tuple[int, int] = (32, 40), seed: int = 0) -> Tensor:
    return 2 * torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed)) - 1


def plain(model: SwappingAutoencoder, given: Tensor) -> Tensor:
    """What the networks themselves make of images that need no padding."""
    with torch.no_grad():
        result: Tensor = model.generator(*model.encoder(given))
    return result


def error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", ["torch", "onnx", "auto"])
def test_every_backend_gives_the_numbers_of_the_networks(
    model: SwappingAutoencoder, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "torch":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    monkeypatch.setenv("SWAPAE_CACHE", str(tmp_path))
    assert model.use_backend(name) is model  # type: ignore[arg-type]
    for given in (images(), images(3, seed=1)):
        assert error(model.decode(model.encode(given)), plain(model, given)) <= 1e-5


def test_the_compiled_backend_runs_the_networks(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "compiled", lambda network: network)  # compiling takes minutes
    model.use_backend("compile")
    assert error(model.decode(model.encode(images())), plain(model, images())) <= 1e-6


def test_an_unknown_backend_is_refused(model: SwappingAutoencoder) -> None:
    with pytest.raises(UserError, match="torch, compile, onnx or auto"):
        model.use_backend("fast")  # type: ignore[arg-type]


def test_a_model_is_loaded_with_its_backend(tiny_model: Path, tmp_path: Path) -> None:
    loaded = SwappingAutoencoder.from_pretrained(tiny_model, backend="compile")
    assert isinstance(loaded._runner(), backends.CompiledBackend)
    with pytest.raises(UserError, match="torch, compile, onnx or auto"):
        SwappingAutoencoder.from_pretrained(tiny_model, backend="fast")  # type: ignore[arg-type]


def changed_by_load(model: SwappingAutoencoder) -> None:
    model.load_state_dict({name: 1.1 * value for name, value in model.state_dict().items()})


def changed_by_adam(model: SwappingAutoencoder) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    codes = model.encoder(images())
    (model.generator(*codes) ** 2).mean().backward()
    optimizer.step()


def changed_by_average(model: SwappingAutoencoder) -> None:
    with torch.no_grad():
        weights = list(model.parameters())
        torch._foreach_lerp_(weights, [torch.randn_like(weight) for weight in weights], 0.3)


@pytest.mark.parametrize("change", [changed_by_load, changed_by_adam, changed_by_average])
def test_changed_weights_are_folded_anew(model: SwappingAutoencoder, change) -> None:
    given = images()
    before = model.decode(model.encode(given))
    change(model)
    after = model.decode(model.encode(given))
    assert error(after, plain(model, given)) <= 1e-5
    assert error(after, before) > 1e-3


def test_unchanged_weights_are_folded_once(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = backends.FoldedEncoder
    monkeypatch.setattr(backends, "FoldedEncoder", lambda net: made.append(1) or real(net))
    for seed in range(3):
        model.encode(images(seed=seed))
    assert made == [1]


def test_a_copy_and_an_unpickled_model_run_on_their_own_weights(model: SwappingAutoencoder) -> None:
    given = images()
    expected = model.decode(model.encode(given))
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    for other in (copy.deepcopy(model), torch.load(buffer, weights_only=False)):
        assert torch.equal(other.decode(other.encode(given)), expected)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.mul_(1.5)
        assert error(other.decode(other.encode(given)), plain(other, given)) <= 1e-5
    assert torch.equal(model.decode(model.encode(given)), expected)


def test_a_model_moved_to_other_numbers_runs_in_them(model: SwappingAutoencoder) -> None:
    model.encode(images())
    model.double()
    codes = model.encode(images().double())
    assert codes.structure.dtype == torch.float64
    assert error(model.decode(codes), plain(model, images().double())) <= 1e-12


def test_what_comes_out_may_take_part_in_gradients(model: SwappingAutoencoder) -> None:
    codes = model.encode(images())
    texture = codes.texture.requires_grad_()
    model.generator(codes.structure, texture).sum().backward()
    assert texture.grad is not None
    assert not model.decode(model.encode(images())).is_inference()


def test_a_default_budget_grows_with_what_an_image_needs(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "MOST_BUDGET", 1000)
    assert error(model.decode(model.encode(images())), plain(model, images())) <= 1e-5


def test_a_given_budget_is_kept(model: SwappingAutoencoder) -> None:
    backend = TorchBackend(model.encoder, model.generator, budget=1000)
    with pytest.raises(BudgetTooSmallError, match="1000 bytes"):
        backend.encode(images(), True, True)


def test_auto_keeps_to_torch_where_nothing_else_is_installed(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(encoder: Encoder, generator: Generator) -> None:
        raise UserError("not installed")

    monkeypatch.setattr(backends, "FreshOnnxBackend", absent)
    backend = make_backend("auto", model.encoder, model.generator)
    assert isinstance(backend, AutoBackend)
    structure, texture = backend.encode(images(), True, False)
    assert structure is not None
    assert texture is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is glibc's")
def test_the_allocator_is_set_when_asked_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("this C library has no mallopt")
    asked = []

    class Library:
        @staticmethod
        def mallopt(parameter: int, value: int) -> int:
            asked.append((parameter, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library)
    assert asked == []
    assert tune_allocator() is True
    assert asked == [(-3, 2**30), (-1, 2**31 - 1)]


def test_a_replaced_network_is_run(model: SwappingAutoencoder, tiny_model: Path) -> None:
    before = model.encode(images()).texture
    other = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    with torch.no_grad():
        for parameter in other.encoder.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    model.encoder = other.encoder
    assert error(model.encode(images()).texture, before) > 1e-3


def test_threads_may_share_a_model_from_its_first_call_on(tiny_model: Path) -> None:
    for _ in range(3):
        model = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
        model.codes_cache = None
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _, m=model: m.decode(m.encode(images())), range(4)))
        assert all(torch.equal(one, found[0]) for one in found)


def test_an_empty_batch_gives_an_empty_batch(model: SwappingAutoencoder) -> None:
    assert model.decode(model.encode(torch.zeros(0, 3, 32, 40))).shape == (0, 3, 32, 40)


def test_noise_for_other_images_is_refused(model: SwappingAutoencoder) -> None:
    codes = model.encode(images(3))
    shapes = model.generator.noise_shapes(*codes.structure.shape[2:])
    with pytest.raises(ValueError, match="noise for 5 images does not go with 3"):
        model.decode(codes, [torch.zeros(5, *shape[1:]) for shape in shapes])


def test_onnx_gives_numbers_of_the_kind_it_was_given(model: SwappingAutoencoder) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    model.double().use_backend("onnx")
    codes = model.encode(images().double())
    assert codes.structure.dtype == model.decode(codes).dtype == torch.float64


def test_auto_does_not_try_what_onnx_cannot_do_in_tiles(
    model: SwappingAutoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    backend = AutoBackend(model.encoder, model.generator)
    assert set(backend._fitting(images(), 32 * 40)) == {"torch", "onnx"}
    assert set(backend._fitting(images(), 4096**2)) == {"torch"}
    assert set(backend._fitting(images().double(), 32 * 40)) == {"torch"}


@pytest.mark.parametrize("work", ["encode", "decode"])
def test_what_onnx_runtime_has_no_memory_for_is_refused_in_a_sentence(
    model: SwappingAutoencoder, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    codes = model.encode(images())
    model.use_backend("onnx")
    monkeypatch.setattr(backends, "FITS_ANYWHERE", 32 * 40 - 1)
    monkeypatch.setattr(backends, "room", lambda _: 2**40)
    assert model.decode(model.encode(images())).shape == (1, 3, 32, 40)
    monkeypatch.setattr(backends, "room", lambda _: 1000)
    with pytest.raises(UserError, match=r"1 × 40×32 pixels take about .* ONNX Runtime"):
        model.encode(images()) if work == "encode" else model.decode(codes)
    monkeypatch.setattr(backends, "FITS_ANYWHERE", 32 * 40)
    assert model.decode(model.encode(images())).shape == (1, 3, 32, 40)
