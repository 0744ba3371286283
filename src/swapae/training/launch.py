"""`--gpus N`: a command in several processes of this machine, started and watched by torchrun's agent."""

import logging
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from types import FrameType
from typing import Any

import torch

from swapae.devices import choose_device
from swapae.errors import UserError
from swapae.training.config import TrainConfig
from swapae.training.dealing import deal
from swapae.training.watch import GO_ON, LAUNCHED, PEER_STATUS

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")  # handed on to all processes
POLL = 1.0  # seconds between two looks at them


def check_launch(config: TrainConfig, num_processes: int, device: str) -> str:
    """Refuse processes that could not train together; say where they will.

    Raises:
        UserError: with the numbers.
    """
    deal(config.batch_size, num_processes, config.accumulate)
    return check_machine(num_processes, device, "training")


def check_machine(num_processes: int, device: str, work: str) -> str:
    """Refuse processes for which there are no GPUs, where there are any; say where the work will be done.

    Raises:
        UserError: with the numbers.
    """
    if "RANK" in os.environ:
        raise UserError("torchrun or SLURM has started this process already: leave --gpus out.")
    if find_spec("accelerate") is None:
        raise UserError("--gpus needs Accelerate: pip install 'swapae[train]', or take one process.")
    if choose_device(device).type != "cuda":
        return f"no CUDA device is used: {num_processes} processes share this machine's CPU, over gloo."
    num_devices = torch.cuda.device_count()
    if num_devices < num_processes:
        raise UserError(f"--gpus {num_processes}: this machine has {num_devices}; ask for as many at most.")
    return f"{work} on {num_processes} GPUs, over NCCL."


def launch(command: Sequence[str], num_processes: int, advice: str = GO_ON) -> int:
    """Run a Python program in several processes to its end; signals go on to all of them.

    Args:
        command: what follows `python`.
        num_processes: how many; each finds its number in RANK, as torchrun has it.
        advice: what helps when one was killed.

    Returns:
        the exit status of the process that ended first, or 0.

    Raises:
        UserError: one was killed.
        KeyboardInterrupt: they were, by a signal that came here.
    """
    outcome: list[object] = []
    with (
        tempfile.TemporaryDirectory(prefix="swapae-") as folder,
        _environment(num_processes),
        _handing_on() as handed_on,
    ):
        agent = threading.Thread(
            target=_run_agent, args=(command, num_processes, folder, outcome), daemon=True
        )
        agent.start()
        while agent.is_alive():
            agent.join(POLL)  # not for ever: only between waits does Python call the handlers of signals
    return _status_of(outcome[0], num_processes, handed_on, advice)


def _run_agent(command: Sequence[str], num_processes: int, folder: str, outcome: list[object]) -> None:
    """Run torchrun's agent, which leaves signals alone outside of the main thread."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL + 1)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=num_processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=POLL,
        logs_specs=DefaultLogsSpecs(log_dir=folder),
    )
    try:
        outcome.append(elastic_launch(config, sys.executable)(*command))
    except ChildFailedError as error:
        outcome.append(dict(error.failures))
    except BaseException as error:  # whatever it is, the main thread is to raise it
        outcome.append(error)


def _status_of(outcome: object, num_processes: int, handed_on: list[int], advice: str = GO_ON) -> int:
    """Find out what ended the processes, of how each of them did, in that order."""
    if isinstance(outcome, BaseException):
        raise outcome
    assert isinstance(outcome, Mapping)
    ends = {rank: end.exitcode for rank, end in outcome.items() if end is not None}
    first = next((rank for rank, status in ends.items() if status != PEER_STATUS), None)
    if first is None:
        return PEER_STATUS if ends else 0
    if ends[first] >= 0:
        return int(ends[first])
    if -ends[first] in handed_on:
        raise KeyboardInterrupt
    raise UserError(
        f"process {first} of {num_processes} was killed ({_name_of(-ends[first])}), so the others ended; "
        f"{advice}."
    )


def _name_of(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


@contextmanager
def _environment(num_processes: int) -> Iterator[None]:
    """Let processes started here know that they were, and share the cores."""
    cores = str(max(1, (os.cpu_count() or 1) // num_processes))
    before = dict(os.environ)
    os.environ |= {LAUNCHED: "1", "OMP_NUM_THREADS": before.get("OMP_NUM_THREADS", cores)}
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():  # torchrun leaves one of its own
            os.environ.pop(name)


@contextmanager
def _handing_on() -> Iterator[list[int]]:
    """Hand signals on to the processes started here; give those that came."""
    came: list[int] = []

    def hand_on(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for pid in _children():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before: dict[int, Any] = {}
    for name in SIGNALS:
        if hasattr(signal, name):
            number = getattr(signal, name)
            before[number] = signal.signal(number, hand_on)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _children() -> list[int]:
    import psutil  # which Accelerate needs too

    return [child.pid for child in psutil.Process().children()]
