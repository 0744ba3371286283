"""Devices, processes, precision and the averaging of gradients: the only file that knows them.

One process needs torch alone. Several (torchrun or SLURM has set RANK and WORLD_SIZE) are held together by
Accelerate, the extra `train`: it starts the process group, and wraps networks for DDP.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Adam

from swapae.devices import choose_device
from swapae.errors import UserError
from swapae.networks import PatchDiscriminator
from swapae.runtime.compiled import has_compiler
from swapae.training.config import Precision, TrainConfig
from swapae.training.dealing import Share, deal
from swapae.training.group import TIMEOUT, num_processes, together
from swapae.training.watch import Watch, ending_at_once

if TYPE_CHECKING:
    from accelerate import Accelerator


T = TypeVar("T")
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
BACKEND = "inductor"  # of torch.compile


class Part(nn.Module):
    """Networks whose gradients one backward pass completes.

    Its forward runs whatever it is given. So DDP, which averages a module's gradients over the processes
    while those of its last forward come in, can hold any computation with the networks.
    """

    def __init__(self, *networks: nn.Module) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, compute: Callable[[], T]) -> T:
        return compute()


class Engine:
    """Where and how a training computes.

    Args:
        device: of this process.
        precision: of what is `computing`; weights, optimizers and R1 are always in full precision.
        accelerator: joins several processes; None for one.
        is_compiling: whether `settle` compiles networks, to be compiled when they first run.

    Attributes:
        rank: number of this process; the first one, 0, writes files and speaks.
        num_processes: how many there are.
    """

    def __init__(
        self,
        device: torch.device,
        precision: Precision = "fp32",
        accelerator: "Accelerator | None" = None,
        is_compiling: bool = False,
    ) -> None:
        self.device = device
        self.precision = precision
        self.is_compiling = is_compiling
        self.rank: int = 0 if accelerator is None else accelerator.process_index
        self.num_processes: int = 1 if accelerator is None else accelerator.num_processes
        self._accelerator = accelerator
        self._scaler = torch.amp.GradScaler(device.type) if precision == "fp16" else None
        self._all: Any = None if accelerator is None else torch.distributed.new_group(backend="gloo")

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    # ---- where data and weights lie

    @property
    def memory_format(self) -> torch.memory_format:
        """How images and kernels lie in memory; on the CPU the operations choose for themselves."""
        return torch.channels_last if self.device.type == "cuda" else torch.contiguous_format

    def place(self, images: Tensor) -> Tensor:
        """Bring images from a loader to the device, without waiting for it."""
        if self.device.type == "cuda":
            images = images.pin_memory()
        return images.to(self.device, non_blocking=True, memory_format=self.memory_format)

    def places(self, batch_size: int, accumulate: int) -> list[int]:
        """The places, in a batch over all processes, of the images that this one takes, in its order."""
        return [place for share in self.shares(batch_size, accumulate) for place in share.positions]

    def generator(self, seed: int) -> torch.Generator:
        """Give the device's random generator of a seed, the same in every process."""
        return torch.Generator(self.device).manual_seed(seed)

    def settle(self, network: nn.Module) -> None:
        """Bring a network to the device and into its memory format, where it stays the same object."""
        network.to(self.device)
        lay_out(network, self.memory_format)
        if self.is_compiling:  # the compiler looks at gradients that are not there, and warns of it
            warnings.filterwarnings("ignore", message="The .grad attribute of a Tensor that is not a leaf")
            for module in _called(network):
                module.compile(backend=BACKEND)

    def shares(self, batch_size: int, accumulate: int) -> list[Share]:
        """Give this process's micro-batches of a batch over all processes.

        Raises:
            UserError: it cannot be dealt so.
        """
        shares = deal(batch_size, self.num_processes, accumulate)
        return shares[self.rank * accumulate : (self.rank + 1) * accumulate]

    # ---- computing

    def part(self, *networks: nn.Module) -> nn.Module:
        """Make what `forward` takes, of networks that require gradients."""
        part = Part(*networks)
        if self._accelerator is None:
            return part
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")
            wrapped: nn.Module = self._accelerator.prepare_model(part)
        # Kernels of 1×1 have many strides that mean the same.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        return wrapped

    def forward(self, part: nn.Module, compute: Callable[[], T], *, is_last: bool = True) -> T:
        """Run a computation with the networks of a part, in the precision of the training.

        Args:
            part: whose gradients the next backward pass brings.
            compute: gives tensors.
            is_last: whether gradients are complete with it, and to be averaged over the processes.
        """
        is_joined = self._accelerator is not None and not is_last
        waiting = self._accelerator.no_sync(part) if self._accelerator and is_joined else nullcontext()
        with waiting, self.computing():
            found: T = part(compute)
        return found

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Run networks in the precision of the training.

        Raises:
            UserError: they cannot be compiled.
        """
        dtype = DTYPES.get(self.precision)
        try:
            with torch.autocast(self.device.type, dtype) if dtype else nullcontext():
                yield
        except RuntimeError as error:
            if not type(error).__module__.startswith("torch._dynamo"):
                raise
            why = " ".join(str(error).splitlines()[:2])
            raise UserError(f"the networks cannot be compiled ({why}): set compile to false.") from error

    def differentiating_twice(self) -> AbstractContextManager[Any]:
        """Run networks as they are, in full precision: what is compiled has no second derivatives."""
        return torch.compiler.set_stance("force_eager") if self.is_compiling else nullcontext()

    def scaled(self, loss: Tensor) -> Tensor:
        """Multiply a loss by what keeps its gradients in the range of half precision."""
        return loss if self._scaler is None else self._scaler.scale(loss)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss to those that are there."""
        self.scaled(loss).backward()  # type: ignore[no-untyped-call]

    def average(self, parameters: list[nn.Parameter]) -> None:
        """Average gradients that came without `forward`; those that are None are so in every process."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self._accelerator is None or not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients]).div_(self.num_processes)
        torch.distributed.all_reduce(flat)
        means = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))

    def gradient_scale(self) -> Tensor | float:
        """Give by how much gradients are too large until `descend`, without waiting for the device."""
        scale = None if self._scaler is None else self._scaler._scale
        return 1.0 if scale is None else scale

    def descend(self, optimizer: Adam, skipped: Tensor) -> None:
        """Take a step without waiting for the device: none if `skipped` is 1 or scaled gradients overflow."""
        if self._scaler is None:
            optimizer.found_inf = skipped  # type: ignore[attr-defined]
            optimizer.step()
        else:  # which looks for itself, but at gradients alone
            first = next(
                p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None
            )
            first.add_(torch.where(skipped > 0, torch.nan, 0.0))
            self._scaler.step(optimizer)
            self._scaler.update()

    def scaling(self) -> dict[str, float]:
        """Give what the scaling of gradients has learnt, for a checkpoint; it waits for the device."""
        return {} if self._scaler is None else dict(self._scaler.state_dict())

    def restore(self, scaling: dict[str, float]) -> None:
        """Go on with what `scaling` gave."""
        if self._scaler is not None and scaling:
            self._scaler.load_state_dict(scaling)

    def greatest(self, number: Tensor) -> Tensor:
        """Give the greatest number of all processes, on the device, without waiting for it."""
        if self._accelerator is not None:
            torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MAX)
        return number

    # ---- the processes together

    def wait(self) -> None:
        """Wait for all processes."""
        if self._accelerator is not None:
            torch.distributed.barrier(self._all)

    def agree(self, is_asked: bool) -> bool:
        """Whether any process asks; all get the same answer, and no device is waited for."""
        if self._accelerator is None:
            return is_asked
        flag = torch.tensor(int(is_asked))
        torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX, self._all)
        return bool(flag)

    def sum(self, number: Tensor) -> Tensor:
        """Add a number of every process up, on the device; no process waits for its device."""
        if self._accelerator is None:
            return number
        number = number.clone()
        torch.distributed.all_reduce(number)
        return number

    def from_first(self, value: Any) -> Any:
        """Give every process the value that the first one has."""
        if self._accelerator is None:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, group=self._all, device=torch.device("cpu"))
        return values[0]

    def gather(self, values: list[T]) -> list[T]:
        """Give every process the values of all, one process after another."""
        if self._accelerator is None:
            return values
        lists: list[list[T]] = [[] for _ in range(self.num_processes)]
        torch.distributed.all_gather_object(lists, values, self._all)
        return [value for some in lists for value in some]

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Average numbers, of the same names in every process."""
        if self._accelerator is None or not values:
            return values
        flat = torch.tensor(list(values.values()), dtype=torch.float64)
        torch.distributed.all_reduce(flat, group=self._all)
        return dict(zip(values, (flat / self.num_processes).tolist(), strict=True))

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process do something before the others do it."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()


def _called(network: nn.Module) -> list[nn.Module]:
    """The largest modules of a network that are called: the patch discriminator has two entrances."""
    return list(network.children()) if isinstance(network, PatchDiscriminator) else [network]


@torch.no_grad()
def lay_out(module: nn.Module, memory_format: torch.memory_format) -> None:
    """Bring the kernels of plain convolutions into a memory format: same shapes, names and values."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)


# ── starting ─────────────────────────────────────────────────────────────────────────────────────


def start(device: str, config: TrainConfig) -> Engine:
    """Start this process's engine: alone, or as one of those that torchrun or SLURM has started.

    Args:
        device: "auto", "cpu", "cuda", "mps".
        config: of the training.

    Raises:
        UserError: there is no such device, no Accelerate, or the batch cannot be dealt.
    """
    where = choose_device(device)
    if config.compile and where.type == "cpu" and not has_compiler():
        raise UserError("compile needs a C++ compiler, and none was found: install g++, or set it to false.")
    if num_processes() == 1:
        return Engine(where, config.precision, is_compiling=config.compile)
    deal(config.batch_size, num_processes(), config.accumulate)  # or say that it cannot be
    # Without noise, its weights get no gradient: DDP must look for them.
    with ending_at_once():
        accelerator = _join(where, has_unused=not config.model.use_noise)
        engine = Engine(accelerator.device, config.precision, accelerator, config.compile)
        first = os.environ.get("MASTER_ADDR", "127.0.0.1")
        together.watch = Watch(engine.rank, engine.num_processes, engine.from_first, first)
    return engine


def _join(device: torch.device, has_unused: bool) -> "Accelerator":
    """Join the other processes, on a GPU each, or by gloo on the CPU."""
    try:
        from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
    except ImportError:
        raise UserError(
            f"{num_processes()} processes need Accelerate: pip install 'swapae[train]', or train with one."
        ) from None
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    wrapping = DistributedDataParallelKwargs(
        broadcast_buffers=False, gradient_as_bucket_view=True, find_unused_parameters=has_unused
    )
    grouping = InitProcessGroupKwargs(timeout=TIMEOUT)
    return Accelerator(cpu=device.type == "cpu", kwargs_handlers=[wrapping, grouping])
