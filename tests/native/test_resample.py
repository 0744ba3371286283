import pytest
import torch
from tests.native.tools import ISAS, disguises, error, kernels_of, needs_kernels, random, threads
from torch import Tensor

from swapae import native
from swapae.native import Lines
from swapae.ops.resample import dense, doubling_lines, fir_lines, resample_reference, transposed

BLUR = (0.125, 0.375, 0.375, 0.125)


def lines_of(matrix: Tensor) -> Lines:
    rows = [row.nonzero().flatten() for row in matrix]
    begin = torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)
    index = torch.cat(rows)
    weight = torch.cat([one[row] for one, row in zip(matrix, rows, strict=True)])
    return Lines(begin.int(), index.int(), weight.double(), matrix.shape[1])


def some_lines(kind: str, size: int) -> Lines:
    return {
        "blur": lambda: fir_lines(size, BLUR, 1, 1, 2, 2),
        "reflected": lambda: fir_lines(size, BLUR, 1, 2, 2, 2, reflect=True),
        "up": lambda: fir_lines(size, BLUR, 2, 1, 2, 1),
        "down": lambda: fir_lines(size, BLUR, 1, 2, 2, 1),
        "cropped": lambda: fir_lines(size, (1.0,), 1, 2, 0, -1),
        "doubled": lambda: doubling_lines(size),
        "full": lambda: lines_of(random(5, size).double()),  # as many entries in a row as there are columns
        "empty rows": lambda: lines_of(torch.zeros(3, size).index_put((torch.tensor(1),), torch.tensor(2.0))),
    }[kind]()


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    "kind", ["blur", "reflected", "up", "down", "cropped", "doubled", "full", "empty rows"]
)
@pytest.mark.parametrize("shape", [(1, 1, 5, 7), (2, 17, 33, 8), (1, 47, 9, 40), (3, 16, 6, 5)], ids=str)
def test_resampling_is_that_of_float64(isa: str, kind: str, shape: tuple[int, ...]) -> None:
    x, vertical, horizontal = random(*shape), some_lines(kind, shape[2]), some_lines(kind, shape[3])
    exact = resample_reference(x.double(), vertical, horizontal)
    with kernels_of(isa):
        assert error(native.resample(x, vertical, horizontal), exact) < 1e-6
        bias, noise = random(shape[1]), random(shape[0], 1, *exact.shape[2:])
        for one in (noise, noise[:1]):
            after = native.resample(
                x, vertical, horizontal, bias=bias, noise=one, noise_weight=0.4, slope=0.2, gain=1.3
            )
            wanted = exact + 0.4 * one.double() + bias.double()[:, None, None]
            wanted = 1.3 * torch.where(wanted > 0, wanted, 0.2 * wanted)
            assert error(after, wanted) < 1e-6


@pytest.mark.parametrize("isa", ISAS)
def test_threads_and_layouts_change_no_bit(isa: str) -> None:
    x, vertical, horizontal = random(2, 5, 9, 8), some_lines("blur", 9), some_lines("doubled", 8)
    with kernels_of(isa):
        y = native.resample(x, vertical, horizontal)
        for other in disguises(x):
            for number in (1, 2, 3, 40):
                with threads(number):
                    assert torch.equal(native.resample(other, vertical, horizontal), y)
        assert native.resample(x[:0], vertical, horizontal).shape == (0, *y.shape[1:])


@needs_kernels
def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="images of 8×9 pixels, and this one has 9×8"):
        native.resample(torch.zeros(1, 1, 9, 8), doubling_lines(8), doubling_lines(9))
    with pytest.raises(ValueError, match="noise is"):
        native.resample(
            torch.zeros(1, 1, 2, 2), doubling_lines(2), doubling_lines(2), noise=torch.zeros(1, 1, 2, 2)
        )


@pytest.mark.parametrize(
    ("begin", "index", "weight", "message"),
    [
        ([0, 1], [2], [1.0], "outside its 2 columns"),
        ([0, 1], [-1], [1.0], "outside its 2 columns"),
        ([0, 2], [1], [1.0], "use all entries"),
        ([0, 1, 0, 1], [1], [1.0], "follow one another"),
        ([0, 1], [1], [1.0, 2.0], "1 columns but 2 values"),
    ],
)
def test_what_is_no_matrix_is_refused(
    begin: list[int], index: list[int], weight: list[float], message: str
) -> None:
    parts = (torch.tensor(begin).int(), torch.tensor(index).int(), torch.tensor(weight).double())
    with pytest.raises(ValueError, match=message):
        Lines(*parts, columns=2)
    with pytest.raises(ValueError, match=r"begin .* torch.int32"):
        Lines(parts[0].long(), *parts[1:], columns=2)


def test_transposing_is_transposing() -> None:
    for kind in ("blur", "reflected", "up", "full", "empty rows"):
        lines = some_lines(kind, 7)
        assert torch.equal(dense(transposed(lines)), dense(lines).T)
