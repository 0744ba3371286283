"""Print the worst error of every golden file against its tolerance: `python -m benchmarks.golden_errors`.

`--full` adds the full-width model, where its file lies beside the checkout (a few minutes).
"""

import argparse
from collections.abc import Iterable

import torch
from tests.golden_op_tools import CASES, op_figures
from tests.golden_tools import FULL_WIDTH, MODELS, Figure, figures

DTYPES = {"float32": torch.float32, "float64": torch.float64}
MEASURES = {
    "outputs": "÷ max(1, largest)",
    "gradients": "÷ max(1, largest)",
    "codes": "absolute",
    "images": "÷ largest",
    "logits, features": "absolute",
    "losses": "relative",
    "gradient norms": "relative",
    "gradient norms of 0": "absolute",
}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="with the full-width model")
    names = [*MODELS, FULL_WIDTH] if parser.parse_args().full else [*MODELS]
    print("| golden file | figures | number | measure | float32 | tolerance | float64 | tolerance |")
    print("|---|---|---|---|---|---|---|---|")
    print_rows("ops", {key: ops(dtype) for key, dtype in DTYPES.items()})
    for name in names:
        print_rows(name, {key: figures(name, dtype) for key, dtype in DTYPES.items()})


def ops(dtype: torch.dtype) -> list[Figure]:
    """Compute the figures of all cases of `ops.json`."""
    return [figure for case in CASES for figure in op_figures(case, dtype)]


def print_rows(name: str, found: dict[str, Iterable[Figure]]) -> None:
    """Print a row for every kind of figure a file has."""
    for kind, measure in MEASURES.items():
        cells = [worst(found[dtype], kind) for dtype in DTYPES]
        number = sum(figure.kind == kind for figure in found["float32"])
        if number:
            print(f"| {name} | {kind} | {number} | {measure} | {' | '.join(cells)} |", flush=True)


def worst(found: Iterable[Figure], kind: str) -> str:
    """Give the figure that comes closest to its tolerance, and the tolerance."""
    of_kind = [figure for figure in found if figure.kind == kind]
    if not of_kind:
        return "– | –"
    figure = max(of_kind, key=lambda figure: figure.error / figure.tolerance)
    verdict = "" if figure.error <= figure.tolerance else " **missed**"
    return f"{figure.error:.1e}{verdict} | {figure.tolerance:.0e}"


if __name__ == "__main__":
    main()
