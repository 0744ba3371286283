"""Quality by hours of training: hours.csv, which LOG.md explains, as a table and a picture for docs/train.md.

python -m benchmarks.hours      # writes docs/images/hours.svg and the table in docs/train.md
"""

import csv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "benchmarks" / "hours.csv"
PAGE, PICTURE = ROOT / "docs" / "train.md", ROOT / "docs" / "images" / "hours.svg"
BEGIN, END = "<!-- hours: made by python -m benchmarks.hours -->", "<!-- end of hours -->"
GENERATED = "synthetic64"
COLOUR_TRANSFER = 0.247  # LPIPS of the trivial answer, docs/synthetic-benchmark.md
HYBRID, OWN, PLAIN = "#c2410c", "#1d4ed8", "#6b7280"
LEFT, TOP, WIDE, HIGH = 52, 16, 560, 250  # the frame, in pixels
TALLEST = 0.5  # LPIPS

Row = dict[str, str]


def main() -> None:
    rows = read()
    PICTURE.write_text(picture(rows), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


def read() -> list[Row]:
    """The measured points, in the order of the file."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def with_table(page: str, rows: Sequence[Row]) -> str:
    """A page with the table between its two marks made anew."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + "\n" + table(rows) + END + rest.split(END)[1]


def table(rows: Sequence[Row]) -> str:
    """Markdown: a row a point."""
    lines = [
        "| training | time | images | hybrids nearer the true swap | LPIPS of hybrids | of reconstructions |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        share = f"{float(row['nearer']):.0%}".replace("%", " %") if row["nearer"] else ""
        images = f"{int(row['images']):,}" if row["images"] else ""
        lines.append(
            f"| `{row['run'].replace(' with ', '` with `')}` | {clock(int(row['minutes']))} | {images} "
            f"| {share} | {row['hybrid']} | {row['reconstruction']} |"
        )
    return "\n".join(lines) + "\n"


def clock(minutes: int) -> str:
    """Hours and minutes as people write them."""
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"


# ── the picture ──────────────────────────────────────────────────────────────────────────────────


def picture(rows: Sequence[Row]) -> str:
    """SVG: LPIPS over hours, of the generated domain and of photos."""
    hours = -(-max(int(row["minutes"]) for row in rows) // 60)
    generated = [row for row in rows if row["run"] == GENERATED]
    parts = [*axes(hours)]
    y = at(0, COLOUR_TRANSFER, hours)[1]
    parts.append(
        f'<path d="M{LEFT} {y:.1f}H{LEFT + WIDE}" stroke="{PLAIN}" stroke-dasharray="4 4" fill="none"/>'
    )
    parts.append(text(LEFT + WIDE - 4, y - 5, "colour transfer, as hybrids", PLAIN, "end"))
    parts += curve([at_row(row, "hybrid", hours) for row in generated], HYBRID)
    parts += curve([at_row(row, "reconstruction", hours) for row in generated], OWN)
    parts += [text(*at_row(generated[-1], "hybrid", hours), "hybrids", HYBRID, "end", -8)]
    parts += [text(*at_row(generated[-1], "reconstruction", hours), "reconstructions", OWN, "end", 17)]
    for row in rows:
        if row["run"] != GENERATED:
            x, y = at_row(row, "reconstruction", hours)
            is_fast = "fast" in row["run"]
            parts.append(
                f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" '
                f'fill="{OWN if is_fast else "none"}" stroke="{OWN}" stroke-width="2"/>'
            )
            down = -16 if is_fast else 4  # where no curve runs through the words
            parts.append(text(x + 9, y + down, f"clothes, {row['run'].split()[0]}", PLAIN))
    size = f'width="{LEFT + WIDE + 16}" height="{TOP + HIGH + 44}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img">'
    )
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    title = "<title>LPIPS by hours of training on one core</title>"
    return "\n".join([head, title, ground, *parts, "</svg>"]) + "\n"


def at(hour: float, lpips: float, hours: int) -> tuple[float, float]:
    """Where a value is drawn."""
    return LEFT + WIDE * hour / hours, TOP + HIGH * (1 - lpips / TALLEST)


def at_row(row: Row, name: str, hours: int) -> tuple[float, float]:
    return at(int(row["minutes"]) / 60, float(row[name]), hours)


def axes(hours: int) -> list[str]:
    """The frame, with hours and LPIPS along it."""
    parts = [f'<rect x="{LEFT}" y="{TOP}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#9ca3af"/>']
    for hour in range(hours + 1):
        parts.append(text(at(hour, 0, hours)[0], TOP + HIGH + 18, str(hour), PLAIN, "middle"))
    for tenth in range(6):
        parts.append(text(LEFT - 8, at(0, tenth / 10, hours)[1] + 4, f"{tenth / 10:.1f}", PLAIN, "end"))
    parts.append(text(LEFT + WIDE / 2, TOP + HIGH + 36, "hours of training, one core", PLAIN, "middle"))
    parts.append(text(LEFT + 8, TOP + 18, "LPIPS, lower is better", PLAIN))
    return parts


def curve(points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    """A line through points, each with its dot."""
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    return [f'<path d="M{way}" stroke="{colour}" stroke-width="2" fill="none"/>', *dots]


def text(x: float, y: float, words: str, colour: str, anchor: str = "start", down: float = 0) -> str:
    return f'<text x="{x:.1f}" y="{y + down:.1f}" fill="{colour}" text-anchor="{anchor}">{words}</text>'


if __name__ == "__main__":
    main()
