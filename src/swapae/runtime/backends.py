"""Ways to run a model: folded in torch, compiled by torch, under ONNX Runtime, or the fastest of these."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Generic, Literal, Protocol, TypeVar

import torch
from torch import Tensor, nn

from swapae import native
from swapae.errors import UserError
from swapae.networks import Encoder, Generator
from swapae.networks.generator import Noise
from swapae.runtime.choice import choice_key, choose
from swapae.runtime.compiled import compiled
from swapae.runtime.networks import FoldedEncoder, FoldedGenerator
from swapae.runtime.onnx_backend import OnnxBackend
from swapae.runtime.plans import BudgetTooSmallError, plan_decoding, plan_encoding
from swapae.runtime.room import UNLIMITED, room
from swapae.runtime.tiling import decode_tiled, middle_tiled
from swapae.runtime.weights_key import weights_key

BackendName = Literal["torch", "compile", "onnx", "auto"]
Size = tuple[int, int]
Made = TypeVar("Made")
MOST_UNTILED = 2**21  # pixels of a batch that ONNX Runtime may be given at once, in some 6 GB
FITS_ANYWHERE = 2**19  # pixels of a batch for which nobody looks whether there is the memory
ROOMY = 2  # times the least budget: tiles so small that they fit it are mostly overlap


class Backend(Protocol):
    """What runs a model. Tensors that come out carry no gradients."""

    def encode(self, images: Tensor, structure: bool, texture: bool) -> tuple[Tensor | None, Tensor | None]:
        """Encode images `[B, 3, H, W]` of sides the encoder takes; None for a code that is not wanted."""
        ...

    def decode(self, structure: Tensor, texture: Tensor, noise: Noise | None, size: Size) -> Tensor:
        """Decode codes to images `[B, 3, *size]`, cut at their right and bottom."""
        ...


def make_backend(name: str, encoder: Encoder, generator: Generator) -> Backend:
    """Make a backend.

    Args:
        name: "torch", the default: folded weights, compiled kernels where they are, tiles where memory asks;
            "compile": the networks under `torch.compile`, whose first calls take minutes; "onnx": under ONNX
            Runtime; "auto": "torch" or "onnx", whichever a measurement finds faster; it is remembered.
        encoder: of the model; its present weights are used at every call.
        generator: of the model.

    Raises:
        UserError: there is no such backend, or what it needs is not installed.
    """
    if name == "torch":
        return TorchBackend(encoder, generator)
    if name == "compile":
        return CompiledBackend(encoder, generator)
    if name == "onnx":
        return FreshOnnxBackend(encoder, generator)
    if name == "auto":
        return AutoBackend(encoder, generator)
    raise UserError(f"there is no backend called '{name}'; use torch, compile, onnx or auto.")


class Fresh(Generic[Made]):
    """Something made of a network's weights, made anew when they have changed."""

    def __init__(self, make: Callable[[], Made], *networks: nn.Module) -> None:
        self._make = make
        self._networks = networks
        self._of: Hashable = None
        self._made: Made | None = None
        self._lock = Lock()

    def __call__(self) -> Made:
        key = tuple(weights_key(network) for network in self._networks)
        with self._lock:
            if self._made is None or key != self._of:
                self._made = self._make()
                self._of = key
            return self._made


class TorchBackend:
    """Folded weights, the compiled kernels where they are, and tiles where memory asks for them.

    Args:
        encoder: networks whose weights are folded at the first call, and again when they have changed.
        generator: the same.
        budget: bytes of temporaries; larger images run in tiles. None takes the default, and for images of
            which the smallest tiles need more, what those need.

    Raises:
        ValueError: at a call, when a budget that was given is too small.
    """

    def __init__(self, encoder: Encoder, generator: Generator, budget: int | None = None) -> None:
        self.budget = budget
        self._encoder = Fresh(lambda: FoldedEncoder(encoder), encoder)
        self._generator = Fresh(lambda: FoldedGenerator(generator), generator)

    def encode(self, images: Tensor, structure: bool, texture: bool) -> tuple[Tensor | None, Tensor | None]:
        """Encode, as `Backend.encode`; what both codes share is computed once."""
        with torch.inference_mode():
            encoder = self._encoder()
            middle = self._within_budget(lambda budget: middle_tiled(encoder, images, budget))
            codes = (
                encoder.structure_of(middle) if structure else None,
                encoder.texture_of(middle) if texture else None,
            )
        return _plain(codes[0]), _plain(codes[1])

    def decode(self, structure: Tensor, texture: Tensor, noise: Noise | None, size: Size) -> Tensor:
        """Decode, as `Backend.decode`."""
        with torch.inference_mode():
            generator = self._generator()
            images = self._within_budget(
                lambda budget: decode_tiled(generator, structure, texture, noise, size=size, budget=budget)
            )
        return images.clone(memory_format=torch.contiguous_format)

    def _within_budget(self, run: Callable[[int | None], Tensor]) -> Tensor:
        try:
            return run(self.budget)
        except BudgetTooSmallError as error:
            if self.budget is not None:
                raise
            return run(ROOMY * error.least)


class CompiledBackend:
    """The networks as they are, under `torch.compile`.

    Raises:
        UserError: there is no compiler.
    """

    def __init__(self, encoder: Encoder, generator: Generator) -> None:
        self._encoder, self._generator = compiled(encoder), compiled(generator)

    @torch.no_grad()
    def encode(self, images: Tensor, structure: bool, texture: bool) -> tuple[Tensor | None, Tensor | None]:
        """Encode, as `Backend.encode`; both codes are always computed."""
        codes = self._encoder(images)
        return codes[0] if structure else None, codes[1] if texture else None

    @torch.no_grad()
    def decode(self, structure: Tensor, texture: Tensor, noise: Noise | None, size: Size) -> Tensor:
        """Decode, as `Backend.decode`."""
        images: Tensor = self._generator(structure, texture, noise)
        return images[:, :, : size[0], : size[1]].contiguous()


class FreshOnnxBackend:
    """ONNX Runtime, with sessions of the present weights.

    Raises:
        UserError: onnx or onnxruntime is not installed; at a call, when there is not the memory for it.
    """

    def __init__(self, encoder: Encoder, generator: Generator) -> None:
        self._shapes = encoder.config, generator.config
        self._sessions = Fresh(lambda: OnnxBackend(encoder, generator), encoder, generator)
        self._sessions()

    def encode(self, images: Tensor, structure: bool, texture: bool) -> tuple[Tensor | None, Tensor | None]:
        """Encode, as `Backend.encode`."""
        size = (images.shape[2], images.shape[3])
        self._check_room(len(images), size, lambda: plan_encoding(self._shapes[0], images, UNLIMITED).bytes)
        structures, textures = self._sessions().encode(images, structure, texture)
        return _like(structures, images), _like(textures, images)

    def decode(self, structure: Tensor, texture: Tensor, noise: Noise | None, size: Size) -> Tensor:
        """Decode, as `Backend.decode`."""
        batch = max(len(structure), len(texture))
        self._check_room(
            batch,
            size,
            lambda: (
                plan_decoding(
                    self._shapes[1], structure.expand(batch, -1, -1, -1), texture, UNLIMITED, size
                ).bytes
            ),
        )
        images = self._sessions().decode(structure, texture, noise)
        return images[:, :, : size[0], : size[1]].to(structure).contiguous()

    def _check_room(self, batch: int, size: Size, needed: Callable[[], int]) -> None:
        """Refuse what would not fit: a process that takes too much is ended by the system, without a word."""
        if batch * size[0] * size[1] <= FITS_ANYWHERE:
            return
        needs, there = needed(), room(torch.device("cpu"))
        if there is not None and needs > there:
            raise UserError(
                f"{batch} × {size[1]}×{size[0]} pixels take about {needs / 1e9:.0f} GB under ONNX Runtime, "
                f"and {there / 1e9:.0f} GB are there: take the backend torch, which works in tiles."
            )


class AutoBackend:
    """The faster of torch and ONNX Runtime, for encoding and for decoding on its own.

    The first call of a size measures for some seconds, and the answer is remembered for this machine.
    `torch.compile` is no candidate: trying it takes minutes.
    """

    def __init__(self, encoder: Encoder, generator: Generator) -> None:
        self._candidates: dict[str, Backend] = {"torch": TorchBackend(encoder, generator)}
        try:
            self._candidates["onnx"] = FreshOnnxBackend(encoder, generator)
        except UserError:
            pass  # it is not installed
        self._shape = f"{encoder.config} {generator.config}"
        self._chosen: dict[Hashable, Backend] = {}

    def encode(self, images: Tensor, structure: bool, texture: bool) -> tuple[Tensor | None, Tensor | None]:
        """Encode, as `Backend.encode`."""
        kind = f"encode {structure} {texture}"
        fit = self._fitting(images, images.shape[2] * images.shape[3])
        run = {n: lambda b=b: b.encode(images, structure, texture) for n, b in fit.items()}
        return self._choice(kind, len(images), images.shape[2:], run).encode(images, structure, texture)

    def decode(self, structure: Tensor, texture: Tensor, noise: Noise | None, size: Size) -> Tensor:
        """Decode, as `Backend.decode`."""
        kind = f"decode {texture.ndim} {noise is not None}"
        fit = self._fitting(structure, size[0] * size[1])
        run = {n: lambda b=b: b.decode(structure, texture, noise, size) for n, b in fit.items()}
        return self._choice(kind, len(structure), size, run).decode(structure, texture, noise, size)

    def _fitting(self, given: Tensor, pixels: int) -> dict[str, Backend]:
        """Leave ONNX Runtime out where it would not run as torch does: it has one precision and no tiles."""
        is_its = given.dtype == torch.float32 and given.device.type == "cpu"
        is_whole = len(given) * pixels <= MOST_UNTILED
        return {n: b for n, b in self._candidates.items() if n == "torch" or (is_its and is_whole)}

    def _choice(
        self, kind: str, batch: int, size: Size | torch.Size, run: Mapping[str, Callable[[], object]]
    ) -> Backend:
        key = choice_key(
            f"{kind} {self._shape} {native.kernels_name()}",
            batch,
            size[0],
            size[1],
            torch.get_num_threads(),
            ("swapae", "torch", "onnxruntime"),
        )
        found = tuple(key.values())
        if found not in self._chosen:
            self._chosen[found] = self._candidates[choose(run, key)]
        return self._chosen[found]


def _like(code: Tensor | None, images: Tensor) -> Tensor | None:
    return None if code is None else code.to(images)


def _plain(code: Tensor | None) -> Tensor | None:
    """Copy out of inference mode, so that the code may take part in a computation with gradients."""
    return None if code is None else code.clone(memory_format=torch.contiguous_format)
