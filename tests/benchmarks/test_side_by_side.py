"""Reports side by side: what is compared, what is refused, and the intervals."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from scipy.optimize import brentq

ROOT = Path(__file__).parents[2]

ANSWERS = {
    "copy texture": {"KID-EffLite0": 0.001, "ColorNearer": 1.0},
    "mean colour": {"LPIPS-squeeze": 0.65},
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    import benchmarks.side_by_side

    return benchmarks.side_by_side


def report(folder: Path, lpips: float, kid: float, nearer: float, **changes: object) -> Path:
    made = {
        "model": str(folder),
        "data": "photos",
        "images": 341,
        "unreadable": [],
        "size": 64,
        "pairs": 300,
        "seed": 0,
        "metrics": {
            "LPIPS-squeeze": lpips,
            "KID-EffLite0": kid,
            "KID-EffLite0 low": kid - 0.02,
            "KID-EffLite0 high": kid + 0.02,
            "ColorNearer": nearer,
            "ColorNearer low": nearer - 0.05,
            "ColorNearer high": nearer + 0.04,
        },
        "standard_errors": {"LPIPS-squeeze": 0.01},
        "answers": ANSWERS,
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def rows(text: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    return {line[0]: line[1:] for line in lines}


def test_the_table_has_figures_with_intervals_comparisons_and_trivial_answers(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = report(tmp_path / "runs" / "a", 0.25, 0.1, 0.9)
    b = report(tmp_path / "runs" / "b", 0.5, 0.3, 0.75)
    log = [{"images_seen": 320, "seconds": 30.0}, {"images_seen": 22720, "seconds": 2727.8, "G_l1": 0.2}]
    (b.parent / "log.jsonl").write_text("\n".join(map(json.dumps, log)) + "\n", encoding="utf-8")
    assert tool.main([str(a), str(b)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("341 images, 300 pairs, 64², seed 0")
    found = rows(text)
    assert found[""] == ["a", "b", "a against b", "copy texture", "mean colour"]
    assert found["images seen"][:2] == ["–", "22,720"]
    assert found["minutes of training"][:2] == ["–", "45"]
    mine, other, ratio, *answers = found["LPIPS-squeeze ↓"]
    assert (mine, other) == ("0.2500 (0.2304 to 0.2696)", "0.5000 (0.4804 to 0.5196)")
    assert ratio.startswith("2.00 × (1.8")
    assert answers == ["", "0.6500"]
    assert found["KID-EffLite0 ↓"][0] == "0.1000 (0.0800 to 0.1200)"
    assert found["KID-EffLite0 ↓"][2].startswith("3.00 × (2.")
    assert found["ColorNearer ↑"][2].startswith("+0.150 (+0.")
    assert not any("low" in name or "high" in name for name in found)


def test_it_is_written_where_asked_and_overwrites_nothing(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, out = report(tmp_path / "a", 0.25, 0.1, 0.9), tmp_path / "out" / "table.md"
    assert tool.main([str(a), "--names", "ours", "-o", str(out)]) == 0
    assert rows(out.read_text("utf-8"))[""] == ["ours", "copy texture", "mean colour"]
    assert tool.main([str(a), "-o", str(out)]) == 1
    assert "--force" in capsys.readouterr().err
    assert tool.main([str(a), "-o", str(out), "--force"]) == 0
    with pytest.raises(SystemExit):
        tool.main([str(a), "--names", "one", "two"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pairs": 200}, "pairs is 300 and 200"),
        ({"size": 128}, "size is 64 and 128"),
        (
            {"answers": {"copy texture": {"KID-EffLite0": 0.02}}},
            "KID-EffLite0 of copy texture is 0.0010 and 0.0200",
        ),
        ({"metrics": 3}, "is no report of swapae eval"),
    ],
)
def test_reports_of_other_things_are_refused_in_one_sentence(
    tool: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    sentence: str,
) -> None:
    a = report(tmp_path / "a", 0.25, 0.1, 0.9)
    b = report(tmp_path / "b", 0.5, 0.3, 0.75, **changes)
    assert tool.main([str(a), str(b)]) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_report_is_refused(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("torn", "{"), ("list", "[]"), ("bare", '{"metrics": {}}')):
        (tmp_path / name).write_text(content, encoding="utf-8")
        assert tool.main([str(tmp_path / name)]) == 1
        assert "is no report of swapae eval" in capsys.readouterr().err
    assert tool.main([str(tmp_path / "nothing")]) == 1


def test_names_are_as_long_as_it_takes(tool: ModuleType) -> None:
    assert tool.names_of(["runs/a", "runs/b"]) == ["a", "b"]
    assert tool.names_of(["x/a", "y/a", "y/b"]) == ["x/a", "y/a", "y/b"]
    assert tool.names_of(["a", "a"]) == ["a (1)", "a (2)"]


def test_the_interval_of_a_ratio_holds_what_the_figures_do_not_rule_out(tool: ModuleType) -> None:
    a, error_a, b, error_b = 0.5, 0.01, 0.25, 0.02
    low, high = tool.ratio(
        (a, (a - 1.96 * error_a, a + 1.96 * error_a)), (b, (b - 1.96 * error_b, b + 1.96 * error_b))
    )

    def excess(r: float) -> float:
        return abs(a - r * b) - 1.96 * (error_a**2 + (r * error_b) ** 2) ** 0.5

    assert low == pytest.approx(brentq(excess, 1.0, 2.0))
    assert high == pytest.approx(brentq(excess, 2.0, 4.0))
    assert tool.ratio((1.0, (0.9, 1.1)), (0.1, (-0.1, 0.3))) is None


def test_it_holds_the_true_ratio_19_times_of_20(tool: ModuleType) -> None:
    draw = torch.Generator().manual_seed(0)
    tries = torch.randn(4000, 2, generator=draw, dtype=torch.float64) * torch.tensor([0.04, 0.03])
    held = 0
    for a, b in (tries + torch.tensor([0.6, 0.3])).tolist():
        low, high = tool.ratio(
            (a, (a - 1.96 * 0.04, a + 1.96 * 0.04)), (b, (b - 1.96 * 0.03, b + 1.96 * 0.03))
        )
        held += low <= 2 <= high
    assert held / len(tries) == pytest.approx(0.95, abs=0.012)


def test_the_interval_of_a_difference_of_shares_is_newcombes(tool: ModuleType) -> None:
    from swapae.metrics.intervals import wilson

    shares = [(56 / 70, wilson(56 / 70, 70)), (48 / 80, wilson(48 / 80, 80))]  # his first example
    assert tool.difference(*shares) == pytest.approx((0.0524, 0.3339), abs=1e-4)
