"""Reports of `swapae eval -o`, for a card."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from swapae.errors import UserError
from swapae.files import shown

KEPT = "data split images size pairs seed generator benchmark net metrics standard_errors answers speed"
NEEDED = ("data", "size", "pairs", "seed", "metrics", "standard_errors", "answers")


def read_reports(
    files: Sequence[Path], models: Collection[str], size: int | None = None
) -> list[dict[str, Any]]:
    """Read reports of `swapae eval -o`, and keep what is no path of this machine.

    Args:
        files: the reports.
        models: how the model may be called there; others are refused.
        size: of its images, where that is known; other sizes are refused.

    Raises:
        UserError: a file is no report, or one of another model or size.
    """
    reports = []
    for file in files:
        report = _read(file)
        model = report["model"]
        if str(model) not in models and str(Path(model).resolve()) not in models:
            raise UserError(f"{file} is of {model}, not of this model ({', '.join(models)}).")
        if size is not None and report["size"] != size:
            raise UserError(f"{file} was measured at {report['size']} px, this model's images have {size}.")
        kept = {key: report[key] for key in KEPT.split() if key in report}
        reports.append(kept | {"data": Path(str(report["data"])).name})
    return reports


def _read(file: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        is_sound = isinstance(report["model"], str) and all(key in report for key in NEEDED)
        is_sound = is_sound and bool(report["metrics"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        is_sound = False
    if not is_sound:
        raise UserError(f"{shown(file)} is no report of `swapae eval -o`.")
    return report
