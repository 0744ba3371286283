"""The synthetic benchmark: how near a system's swaps are to the true ones (docs/synthetic-benchmark.md)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from swapae.codes import Codes, paired
from swapae.data.synthetic import VERSION
from swapae.data.synthetic.benchmark import BENCHMARK_VERSION, draw_swaps, render_swaps
from swapae.data.synthetic.renderer import Pixels
from swapae.data.synthetic.sample import Split
from swapae.errors import UserError
from swapae.evaluation.report import Report, assembled
from swapae.files import shown, write_text
from swapae.images import open_image, save_image, to_array
from swapae.metrics.answers import TRIVIAL
from swapae.metrics.collectors import Batch, Collector, pool
from swapae.metrics.lpips import LPIPS
from swapae.metrics.processes import ALONE, Processes, done_by_all, first_of, share, together
from swapae.metrics.synthetic_swaps import answered, rounded, scores
from swapae.model import SwappingAutoencoder

NUM_PAIRS, SIZE = 1000, 64
KINDS = {"hybrid": "swap", "reconstruction": "rec", "interpolated": "mid"}  # role → how its files end

System = Callable[[Batch], dict[str, Tensor]]
Progress = Callable[[int], None]
Collected = Callable[[Sequence[Collector]], None]


def benchmark(
    system: System,
    lpips: LPIPS,
    *,
    num_pairs: int = NUM_PAIRS,
    seed: int = 0,
    split: Split = "seen",
    size: int = SIZE,
    batch: int = 50,
    progress: Progress = lambda done: None,
    processes: Processes = ALONE,
    has_answers: bool = True,
    collected: Collected = lambda collectors: None,
    render: Callable[[range], Batch] | None = None,
) -> Report:
    """Measure a system on the first pairs of a list, beside the trivial answers.

    Args:
        system: makes `hybrid`, and `reconstruction` and `interpolated` where it can, `[B, 3, size, size]` in
            [-1, 1]. Its batch has `structure`, `texture`, `other` and `strength` [B], and no true answer.
        lpips: what distances are measured by.
        num_pairs: how many.
        seed: of the list.
        split: of forms and materials.
        size: of the pictures.
        batch: pairs at a time.
        progress: is told how many pairs are done.
        processes: that share the work; each gets the report, and is given the same.
        has_answers: whether the trivial answers are measured too.
        collected: is given the collectors of the system in the end: what they keep of single pairs.
        render: gives the pairs of these places in the list, as `batches` does; None renders them.

    Raises:
        UserError: the size is too small for the LPIPS, or there are no pairs.
    """
    check_benchmark(lpips, num_pairs, size)
    mine = scores(lpips)
    others = {name: scores(lpips) for name in TRIVIAL} if has_answers else {}

    def measure_all() -> None:
        for places in share(num_pairs, batch, processes):
            seen = render(places) if render else next(batches(places, seed, split, size, batch))
            _measure(system, seen, mine, others)
            progress(done_by_all(places, num_pairs, batch, processes))

    together(processes, measure_all)
    pool([*mine, *(collector for found in others.values() for collector in found)], processes)
    collected(mine)
    head: Report = {
        "data": "synthetic",
        "pairs": num_pairs,
        "split": split,
        "seed": seed,
        "size": size,
        "generator": VERSION,
        "benchmark": BENCHMARK_VERSION,
        "net": lpips.name,
    }
    return first_of(processes, lambda: assembled(head, mine, others))


def check_benchmark(lpips: LPIPS, num_pairs: int, size: int) -> None:
    """Refuse what cannot be measured.

    Raises:
        UserError: the size is too small for the LPIPS, or there are no pairs.
    """
    if size < (least := lpips.trunk.min_side) or num_pairs < 1:
        raise UserError(
            f"the benchmark needs pictures of {least} pixels or more, and a pair, not {size} and {num_pairs}."
        )


@torch.no_grad()
def _measure(
    system: System, seen: Batch, mine: list[Collector], others: Mapping[str, list[Collector]]
) -> None:
    """Ask the system, and let the collectors see its answers, and the trivial ones."""
    made = answer(system, seen)
    for collector in mine:
        collector.update(seen.replaced(**made))
    for name, collectors in others.items():
        trivial = answered(seen, name)
        for collector in collectors:
            collector.update(trivial)


ASKED = ("structure", "texture", "other", "strength")


def answer(system: System, seen: Batch) -> dict[str, Tensor]:
    """What a system makes of a batch, of which it is shown no true answer; rounded as saved pictures are."""
    asked = Batch(seen.numbers, {role: seen.images[role] for role in ASKED})
    return {role: rounded(images.to(seen.numbers.device).float()) for role, images in system(asked).items()}


def batches(numbers: Sequence[int], seed: int, split: Split, size: int, batch: int) -> Iterator[Batch]:
    """The pairs of these numbers, rendered: all true pictures by role, and `strength` [B]."""
    for start in range(0, len(numbers), batch):
        swaps = draw_swaps(numbers[start : start + batch], seed, split)
        images = {role: as_tensor(pixels) for role, pixels in render_swaps(swaps, size).items()}
        yield Batch(torch.tensor(swaps.numbers), images | {"strength": torch.from_numpy(swaps.strength)})


def as_tensor(pixels: Pixels) -> Tensor:
    """Turn uint8 `[B, H, W, 3]` into `[B, 3, H, W]` in [-1, 1]."""
    return torch.from_numpy(np.stack([to_array(Image.fromarray(picture)) for picture in pixels]))


# ── systems ──────────────────────────────────────────────────────────────────────────────────────


def of_model(model: SwappingAutoencoder) -> System:
    """A model as a system: texture codes are swapped, and lerped for the in-between."""

    def make(batch: Batch) -> dict[str, Tensor]:
        own, texture, other = (model.encode(batch.images[role]) for role in ("structure", "texture", "other"))
        strength = batch.images["strength"].to(own.texture)[:, None]
        mixed = (1 - strength) * own.texture + strength * other.texture
        codes = {"hybrid": paired(own, texture.texture), "reconstruction": own}
        codes["interpolated"] = Codes(own.structure, mixed, own.size)
        return {role: model.decode(these) for role, these in codes.items()}

    return make


def of_folder(folder: str | Path) -> System:
    """A folder of pictures that some system made of what `write_inputs` wrote, as a system.

    `00000_swap.png` must be there for each pair; `00000_rec.png` and `00000_mid.png` are read if the first
    pair has them. Suffixes of all formats that can be read are found.

    Raises:
        UserError: when it is asked: a picture is missing, cannot be read, or has another size.
    """
    root = Path(folder)

    def make(batch: Batch) -> dict[str, Tensor]:
        size = batch.images["structure"].shape[2:]
        return {
            role: torch.stack([_read(root, number, end, tuple(size)) for number in batch.numbers.tolist()])
            for role, end in KINDS.items()
            if end == "swap" or list(root.glob(f"00000_{end}.*"))
        }

    return make


def is_outputs(folder: str | Path) -> bool:
    """Whether a folder holds what `of_folder` reads."""
    return any(Path(folder).glob("00000_swap.*"))


def write_inputs(
    folder: str | Path, num_pairs: int = NUM_PAIRS, seed: int = 0, split: Split = "seen", size: int = SIZE
) -> None:
    """Write what a system is asked, for `swapae pairs` or any other: never the true answers.

    `input_structure/00000.png` and `input_style/00000.png` are the pairs. `input_other/00000.png` with the
    share in `strengths.json` asks for the in-between.

    Raises:
        UserError: a file exists or cannot be written.
    """
    root = Path(folder)
    parts = {"structure": "input_structure", "texture": "input_style", "other": "input_other"}
    strengths: dict[str, float] = {}
    for start in range(0, num_pairs, 50):
        swaps = draw_swaps(range(start, min(start + 50, num_pairs)), seed, split)
        pictures = render_swaps(swaps, size)
        for row, number in enumerate(swaps.numbers):
            for role, part in parts.items():
                save_image(Image.fromarray(pictures[role][row]), root / part / f"{number:05}.png")
            strengths[f"{number:05}"] = float(swaps.strength[row])
    lines = ",\n".join(f' "{name}": {share}' for name, share in strengths.items())
    write_text(root / "strengths.json", f"{{\n{lines}\n}}\n")


def _read(root: Path, number: int, end: str, size: tuple[int, ...]) -> Tensor:
    found = sorted(root.glob(f"{number:05}_{end}.*"))
    if not found:
        raise UserError(f"{shown(root)} has no {number:05}_{end}.png: every pair needs one.")
    image = torch.from_numpy(to_array(open_image(found[0]).convert("RGB")))
    if tuple(image.shape[1:]) != size:
        given, wanted = (f"{side[1]}x{side[0]}" for side in (image.shape[1:], size))
        raise UserError(f"{shown(found[0])} is {given}, the benchmark's pictures are {wanted}.")
    return image
