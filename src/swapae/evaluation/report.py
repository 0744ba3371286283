"""What an evaluation found, as an object and as a table."""

from collections.abc import Mapping, Sequence

from swapae.metrics.collectors import Collector, Figures, all_figures

Report = dict[str, object]
ERROR = " standard error"


def split_errors(figures: Figures) -> tuple[Figures, Figures]:
    """Figures, and their standard errors under the figures' names."""
    errors = {name.removesuffix(ERROR): value for name, value in figures.items() if name.endswith(ERROR)}
    return {name: value for name, value in figures.items() if not name.endswith(ERROR)}, errors


def assembled(
    head: Report, collectors: Sequence[Collector], answers: Mapping[str, Sequence[Collector]]
) -> Report:
    """The report: `head`, the figures, their standard errors, and the figures of the trivial answers."""
    metrics, errors = split_errors(all_figures(collectors))
    beside = {name: split_errors(all_figures(found))[0] for name, found in answers.items()}
    return head | {"metrics": metrics, "standard_errors": errors, "answers": beside}


def table(report: Report) -> str:
    """Lay a report out for reading: a row for each figure, the model first, then the trivial answers."""
    metrics, errors, answers = report["metrics"], report["standard_errors"], report["answers"]
    assert isinstance(metrics, dict)
    assert isinstance(errors, dict)
    assert isinstance(answers, dict)
    wide = max(map(len, metrics), default=0)
    lines = [f"{'':{wide}}  {'model':>20}" + "".join(f"{name:>17}" for name in answers)]
    for name, value in metrics.items():
        cell = number(value) + (f" ± {number(errors[name])}" if name in errors else "")
        others = (number(found[name]) if name in found else "" for found in answers.values())
        row = f"{name:{wide}}  {cell:>20}" + "".join(f"{other:>17}" for other in others)
        lines.append(row.rstrip())
    return "\n".join(lines)


def number(value: float) -> str:
    """Four digits that matter, without an exponent."""
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"
