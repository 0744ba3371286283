"""`python -m swapae_onnx swap`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.swapae_onnx.conftest import Both

from swapae_onnx.__main__ import main


def test_a_swap_is_written_and_not_over_another_unasked(
    both: Both, photo: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = str(photo("a.png", (31, 18))), str(photo("b.png", (13, 40), 1))
    words = ["swap", a, b, "-m", str(both.folder), "-o", str(tmp_path / "new" / "out.png"), "--threads", "1"]
    assert main([*words, "--strength", "0.8"]) == 0
    with Image.open(tmp_path / "new" / "out.png") as out:
        expected = np.asarray(both.torch.swap_images(a, b, 0.8)).astype(int)
        assert np.abs(np.asarray(out).astype(int) - expected).max() <= 1
    assert main(words) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"-m": "nowhere"}, "there is no folder nowhere"),
        ({"-o": "out.txt"}, "must end in a picture format"),
        ({"A": "nowhere.png"}, "nowhere.png does not exist"),
    ],
)
def test_a_mistake_is_one_sentence(
    both: Both,
    photo: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    said: str,
) -> None:
    given = {"A": str(photo("a.png")), "-m": str(both.folder), "-o": str(tmp_path / "out.png")} | change
    assert main(["swap", given["A"], str(photo("b.png")), "-m", given["-m"], "-o", given["-o"]]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")
    assert said in err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MemoryError(), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyError("x"), 1, "KeyError"),
    ],
)
def test_nobody_reads_a_traceback(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("swapae_onnx.__main__._swap", fail)
    assert main(["swap", "a", "b", "-m", "c", "-o", "d.png"]) == status
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


SWAP = ["swap", "a", "b", "-m", "c", "-o", "d.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["swap"], "STRUCTURE, TEXTURE"),
        ([*SWAP, "--strength", "nan"], "--strength: nan is not a number"),
        ([*SWAP, "--threads", "0"], "--threads: 0 is not a number from 1 to 1024"),
        ([*SWAP, "--threads", "99999999999"], "--threads: 99999999999 is not a number from 1 to 1024"),
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: swapae_onnx")
    assert said in err.splitlines()[-1]
