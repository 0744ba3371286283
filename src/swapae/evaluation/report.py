"""What an evaluation found, as an object and as a table."""

from collections.abc import Mapping, Sequence

from swapae.cards.figures import is_end, number, written
from swapae.evaluation.figures import interval
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
    names = [name for name in metrics if not is_end(name, metrics)]
    count = int(str(report["pairs"]))
    cells = {name: cell(name, metrics, errors, count) for name in names}
    wide, middle = max(map(len, names), default=0), max([20, *map(len, cells.values())])
    lines = []
    for columns, rows in blocks(names, answers):
        lines.append(f"{'':{wide}}  {'model':>{middle}}" + "".join(f"{column:>17}" for column in columns))
        for name in rows:
            others = (number(answers[column][name]) if name in answers[column] else "" for column in columns)
            row = f"{name:{wide}}  {cells[name]:>{middle}}" + "".join(f"{other:>17}" for other in others)
            lines.append(row.rstrip())
    return "\n".join(lines)


def blocks(names: Sequence[str], answers: Mapping[str, Figures]) -> list[tuple[list[str], list[str]]]:
    """Divide figures where the answers change that have them: answers and figures of each block.

    Reconstructions have other trivial answers than swaps. A figure that only models have divides nothing.
    """
    found: list[tuple[list[str], list[str]]] = []
    for name in names:
        having = [answer for answer, figures in answers.items() if name in figures]
        if found and having in ([], found[-1][0]):
            found[-1][1].append(name)
        else:
            found.append((having, [name]))
    return found


def cell(name: str, metrics: Figures, errors: Figures, count: int = 0) -> str:
    """A figure with what is known of its certainty: its interval, or its standard error.

    A share of `count` pairs has an interval: where all are alike, its standard error would be 0.
    """
    return written(metrics[name], interval(name, metrics, {}, count), errors.get(name))
