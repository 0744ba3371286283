import pytest
import torch

from swapae.devices import choose_device
from swapae.errors import UserError


@pytest.mark.parametrize(
    ("has_cuda", "has_mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_best_there_is(
    has_cuda: bool, has_mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)
    assert choose_device() == torch.device(expected)
    assert choose_device("auto").type == expected


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "auto "])
def test_an_unknown_name_is_refused_with_those_known(name: str) -> None:
    with pytest.raises(UserError, match="use auto, cpu, cuda or mps"):
        choose_device(name)


@pytest.mark.parametrize("name", ["cuda:97", "mps:3", "xpu", "meta"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"device '{name}' was not found here"):
        choose_device(name)
