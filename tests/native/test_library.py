import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from tests.native.tools import needs_kernels, random, threads

from swapae import native
from swapae.cli import doctor
from swapae.native import build, library, memory

REPORT = """
import torch, sys
from swapae import native
from swapae.ops import conv2d, fused_leaky_relu
torch.manual_seed(0)
x, w = torch.randn(1, 64, 16, 16), torch.randn(64, 64, 3, 3)
print(native.is_available(), conv2d(x, w, padding=1).double().pow(2).sum().item())
"""


def run(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_the_off_switch_leads_to_the_plain_path_and_the_same_numbers() -> None:
    off, total = run(REPORT, SWAPAE_NATIVE="0")
    assert off == "False"
    _, other = run(REPORT, SWAPAE_NATIVE="")
    assert float(other) == pytest.approx(float(total), rel=1e-5)


@needs_kernels
def test_an_instruction_set_is_picked_by_name() -> None:
    code = "from swapae.native import library as l; k = l.chosen_kernels(); print(k and k.name.decode())"
    assert run(code, SWAPAE_NATIVE="portable") == ["portable"]
    assert run(code, SWAPAE_NATIVE="abacus") == ["None"]


def test_without_a_library_the_plain_path_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.library.cache_clear()
    library.chosen_kernels.cache_clear()
    monkeypatch.setattr(build, "LIBRARY", tmp_path / "none.so")
    try:
        assert not native.is_available()
        with pytest.raises(RuntimeError, match="no compiled kernels"):
            native.activate(torch.zeros(1, 1), None, 0.2, 1.0)
        assert doctor._kernels().startswith("none (not built): install a C++ compiler")
        (tmp_path / "none.so").write_bytes(b"not a library")
        library.library.cache_clear()
        library.chosen_kernels.cache_clear()
        assert not native.is_available()
        assert "of another version" in doctor._kernels()
    finally:
        library.library.cache_clear()
        library.chosen_kernels.cache_clear()


@needs_kernels
def test_a_library_of_another_interface_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "interface", lambda: "0123456789abcdef")
    assert library.library.__wrapped__() is None


def test_doctor_names_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.LOOKS["CPU kernels"] is doctor._kernels
    kernels = library.chosen_kernels()
    if kernels is not None:
        assert doctor._kernels() == kernels.name.decode()
        monkeypatch.setattr(library, "chosen_kernels", lambda: None)
        monkeypatch.setenv("SWAPAE_NATIVE", "0")
        assert doctor._kernels() == "none, as SWAPAE_NATIVE=0 has it"


@pytest.mark.parametrize("compiler", ["/nowhere/c++", "/bin/false", " "])
def test_without_a_working_compiler_nothing_is_written(
    compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", compiler)
    assert not build.build(tmp_path / "_kernels.so")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "_kernels.so").write_text("before")
    assert not build.build(tmp_path / "_kernels.so")
    assert (tmp_path / "_kernels.so").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_compiler_may_come_with_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", f"{sys.executable} -O")
    assert build.find_compiler() == [sys.executable, "-O"]


OWN_THREADS = """
import torch
from swapae import native
from swapae.native import library
torch.manual_seed(0)
x, w, g = torch.randn(2, 20, 30, 31), torch.randn(40, 20, 3, 3), torch.randn(2, 40, 30, 31)
def all_of_it(number):
    torch.set_num_threads(number)
    return [native.conv3x3(x, native.pack(w), 40, 1), native.conv3x3_grad(x, g, 1),
            *native.activate_grad(g, g, None, 0.2, 1.0, with_bias=True)]
before = all_of_it(3)
library.library().swapae_use_openmp(None, None, None)
print(all(torch.equal(a, b) for number in (1, 2, 3) for a, b in zip(before, all_of_it(number))))
"""


@needs_kernels
def test_without_openmp_threads_are_made_and_no_bit_changes() -> None:
    assert run(OWN_THREADS) == ["True"]


@needs_kernels
def test_python_threads_do_not_share_scratch_memory() -> None:
    x, w = random(1, 40, 20, 20), [random(40, 40, 3, 3, seed=seed) for seed in range(4)]
    expected = [native.conv3x3(x, native.pack(one, keep=False), 40, 1) for one in w]
    wrong = []

    def work(which: int) -> None:
        for _ in range(20):
            y = native.conv3x3(x, native.pack(w[which], keep=False), 40, 1)
            if not torch.equal(y, expected[which]):
                wrong.append(which)

    with threads(2):
        workers = [threading.Thread(target=work, args=(which,)) for which in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert wrong == []


FORKED = """
import torch
from torch.utils.data import DataLoader, Dataset
from swapae.ops import upsample2
class Doubled(Dataset):
    def __len__(self): return 4
    def __getitem__(self, index): return upsample2(torch.full((1, 3, 8, 8), float(index)))[0]
torch.set_num_threads(2)
upsample2(torch.ones(1, 3, 64, 64))
loader = DataLoader(Doubled(), num_workers=1, multiprocessing_context="fork")
print(*(float(batch.mean()) for batch in loader))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_workers_that_were_forked_off_can_use_the_kernels() -> None:
    assert run(FORKED) == ["0.0", "1.0", "2.0", "3.0"]


def test_little_work_wakes_few_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(64)
    try:
        assert [memory.threads_for(n * memory.GRAIN) for n in (0, 1, 3, 64, 1000)] == [1, 1, 3, 64, 64]
    finally:
        torch.set_num_threads(before)
