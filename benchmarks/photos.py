"""Measure a model on a folder of photographs that it has never seen.

    python -m benchmarks.photos MODEL PHOTOS -o OUT [--size 64] [--weights PATH] [--json]

Every photo's largest centre square is resized (bicubic, antialiased) to size × size. Written are:

- `OUT/report.json`: reconstruction L1 (mean absolute difference in the [-1, 1] range) and LPIPS-squeeze, mean
  and standard error over all photos, beside those of two trivial answers for scale; how often a hybrid's
  colour is nearer to its texture photo's than to its structure photo's; and what was run where.
- `OUT/grid.png`: structure photos, their reconstructions, and their hybrids with the texture photos on top.

Outputs are clamped to [-1, 1], as a saved picture is, but not rounded to 8 bits.
"""

import argparse
import json
import platform
import random
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from swapae import SwappingAutoencoder, UserError
from swapae.cli.common import claim_folder
from swapae.codes import Codes
from swapae.data.folder import FolderSource
from swapae.data.transforms import DataConfig, prepare
from swapae.images import grid, resize, save_image, to_array, to_pil
from swapae.losses import l1_loss
from swapae.metrics import LPIPS, to_lab
from swapae.metrics.lpips import TRUNKS
from swapae.training.run import write_json
from swapae.weights import digest

CENTER_SQUARE = DataConfig(preprocess="none", crop="square", flip=False)
GRID_SIDE = 6  # photos along either side of the grid
MAGNIFIED = 2  # times, in the grid
NUM_PAIRS = 300
MIN_SIDE = TRUNKS["squeeze"].min_side

Figures = dict[str, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write and print; returns the exit status."""
    options = parse(arguments)
    command = ["python", "-m", "benchmarks.photos", *(sys.argv[1:] if arguments is None else arguments)]
    try:
        claim_folder(options.out, ["grid.png", "report.json"], options.force)
        measured, sheet = measure(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    report = {"command": shlex.join(command), **measured, **machine()}
    save_image(sheet, options.out / "grid.png", force=True)
    write_json(options.out / "report.json", report)
    print(json.dumps(report) if options.json else table(report))
    return 0


def measure(options: argparse.Namespace) -> tuple[dict[str, object], Image.Image]:
    """Compute all figures and the grid."""
    began = time.perf_counter()
    lpips = LPIPS.load(options.weights)
    model = SwappingAutoencoder.from_pretrained(options.model, device="cpu", local_files_only=True)
    source = FolderSource(options.photos)
    paths, photos = load(source, options.size)
    codes = Codes.cat([model.encode(batch) for batch in torch.split(photos, options.batch)])
    reconstructions = decode(model, codes, options.batch)
    answers = {"reconstruction": lambda: reconstructions, **trivial_answers(photos)}
    with torch.no_grad():
        figures = {name: errors(lpips, make(), photos, options.batch) for name, make in answers.items()}
    measured = {
        "model": str(options.model),
        "weights_sha256": digest(model.state_dict()),
        "data": str(options.photos),
        "num_photos": len(photos),
        "unreadable": [path for path, _ in source.skipped],
        "size": options.size,
        "metrics": figures,
        "swap": swap_diagnostics(model, photos, codes, options.seed, options.batch),
        "seconds": round(time.perf_counter() - began, 1),
    }
    return measured, swap_grid(model, photos, codes, reconstructions, deal(paths, options.seed))


# ---- photos


def load(source: FolderSource, size: int) -> tuple[list[str], Tensor]:
    """Read the centre squares of all readable photos: paths, and `[N, 3, size, size]` in [-1, 1]."""
    paths, squares = [], []
    for number, path in enumerate(source.paths):
        unreadable = len(source.skipped)
        (photo,) = source.read([number])
        if len(source.skipped) == unreadable:  # else another photo stands in, which must not count twice
            square = resize(prepare(photo, CENTER_SQUARE, stride=1, rng=None), (size, size))
            squares.append(torch.from_numpy(to_array(square)))
            paths.append(path)
    return paths, torch.stack(squares)


def deal(paths: Sequence[str], seed: int) -> tuple[list[int], list[int]]:
    """Choose structure and texture photos by chance, from as many classes (folders) as there are."""
    draw = random.Random(seed)
    classes: dict[str, list[int]] = {}
    for number, path in enumerate(paths):
        classes.setdefault(str(Path(path).parent), []).append(number)
    for members in classes.values():
        draw.shuffle(members)
    rounds = max(map(len, classes.values()))
    order = draw.sample(sorted(classes), len(classes))
    dealt = [classes[name][r] for r in range(rounds) for name in order if r < len(classes[name])]
    num = min(GRID_SIDE, max(1, len(dealt) // 2))
    return dealt[:num], dealt[-num:] if len(dealt) < 2 * num else dealt[num : 2 * num]


# ---- figures


def decode(model: SwappingAutoencoder, codes: Codes, batch: int) -> Tensor:
    """Decode in batches: `[N, 3, H, W]`, not clamped."""
    parts = [model.decode(codes[start : start + batch]) for start in range(0, len(codes), batch)]
    return torch.cat(parts)


def trivial_answers(photos: Tensor) -> dict[str, Callable[[], Tensor]]:
    """For scale: what an image scores that knows only the mean colour, or only 8×8 colours, of the photo."""
    side = photos.shape[-1]
    return {
        "mean colour": lambda: photos.mean((2, 3), keepdim=True).expand_as(photos),
        "8x8 average, bicubic": lambda: F.interpolate(F.adaptive_avg_pool2d(photos, 8), side, mode="bicubic"),
    }


def errors(lpips: LPIPS, answers: Tensor, photos: Tensor, batch: int) -> dict[str, float]:
    """Compare answers with photos: mean and standard error of both distances."""
    answers = answers.clamp(-1, 1)
    pairs = list(zip(torch.split(answers, batch), torch.split(photos, batch), strict=True))
    distances = {
        "L1": torch.cat([l1_loss(a, b) for a, b in pairs]),
        "LPIPS-squeeze": torch.cat([lpips.distance(a, b) for a, b in pairs]),
    }
    figures = {}
    for name, values in distances.items():
        figures[name] = values.double().mean().item()
        figures[f"{name} standard error"] = standard_error(values)
    return figures


def standard_error(values: Tensor) -> float:
    """Of the mean of independent values; 0 for a single one."""
    return (values.double().std() / len(values) ** 0.5).item() if len(values) > 1 else 0.0


def swap_diagnostics(
    model: SwappingAutoencoder, photos: Tensor, codes: Codes, seed: int, batch: int
) -> dict[str, float]:
    """Ask of hybrids of random pairs whether the texture photo's colour came over.

    Colour is the mean L*a*b* of the middle half of either side, where the garment is. `colour_moved` is how
    far the hybrid's went on the line from the structure photo's (0) to the texture photo's (1), the median.
    """
    pairs = list(random_pairs(len(photos), seed))
    own, other = (torch.tensor(side) for side in zip(*pairs, strict=True))
    hybrids = decode(model, Codes(codes.structure[own], codes.texture[other], codes.size), batch)
    colors = middle_color(photos)
    structure, texture, hybrid = colors[own], colors[other], middle_color(hybrids)
    to_texture, to_structure = (hybrid - texture).norm(dim=1), (hybrid - structure).norm(dim=1)
    line = texture - structure
    moved = ((hybrid - structure) * line).sum(1) / line.square().sum(1).clamp(min=1e-6)
    return {
        "num_pairs": len(pairs),
        "nearer_texture_colour": (to_texture < to_structure).double().mean().item(),
        "colour_moved": moved.median().item(),
        "to_texture_colour": to_texture.mean().item(),
        "to_structure_colour": to_structure.mean().item(),
        "structure_to_texture_colour": line.norm(dim=1).mean().item(),
    }


def random_pairs(num_photos: int, seed: int) -> Iterator[tuple[int, int]]:
    """Draw pairs of two different photos; a lone photo pairs with itself."""
    draw = random.Random(seed)
    for _ in range(NUM_PAIRS):
        structure = draw.randrange(num_photos)
        yield structure, (structure + draw.randrange(1, max(2, num_photos))) % num_photos


def middle_color(images: Tensor) -> Tensor:
    """Average L*a*b* over the middle half of either side: `[B, 3, H, W]` → `[B, 3]`."""
    height, width = images.shape[2:]
    middle = images[:, :, height // 4 : height - height // 4, width // 4 : width - width // 4]
    return to_lab(middle).mean((2, 3))


# ---- pictures and words


def swap_grid(
    model: SwappingAutoencoder,
    photos: Tensor,
    codes: Codes,
    reconstructions: Tensor,
    chosen: tuple[list[int], list[int]],
) -> Image.Image:
    """Lay out structure photos, their reconstructions, and their hybrids with the texture photos on top."""
    rows: list[list[Image.Image | None]] = [[None, None, *(magnified(photos[t]) for t in chosen[1])]]
    for s in chosen[0]:
        structure = codes.structure[s].expand(len(chosen[1]), -1, -1, -1)
        hybrids = model.decode(Codes(structure, codes.texture[chosen[1]], codes.size))
        rows.append([magnified(one) for one in (photos[s], reconstructions[s], *hybrids)])
    return grid(rows, gap=4)


def magnified(image: Tensor) -> Image.Image:
    """Show each pixel as a square of several."""
    picture = to_pil(image.float().numpy())
    size = (picture.width * MAGNIFIED, picture.height * MAGNIFIED)
    return picture.resize(size, Image.Resampling.NEAREST)


def machine() -> dict[str, object]:
    """Say what a figure may depend on."""
    return {
        "machine": {"cpu": cpu_name(), "threads": torch.get_num_threads(), "system": platform.system()},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "torchvision", "numpy", "pillow")},
    }


def cpu_name() -> str:
    """Name the processor's model as the system does."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(report: dict[str, object]) -> str:
    """Lay the report out for reading."""
    figures, swap = report["metrics"], report["swap"]
    assert isinstance(figures, dict)
    assert isinstance(swap, dict)
    lines = [
        f"{report['model']}: {report['num_photos']} photos at {report['size']}²",
        f"{'':22}{'L1':>17}{'LPIPS-squeeze':>17}",
    ]
    for name, row in figures.items():
        cells = (f"{row[key]:.4f} ± {row[f'{key} standard error']:.4f}" for key in ("L1", "LPIPS-squeeze"))
        lines.append(f"{name:22}" + "".join(f"{cell:>17}" for cell in cells))
    lines += [
        f"of {swap['num_pairs']} hybrids {swap['nearer_texture_colour']:.1%} are nearer the texture photo's",
        f"colour than the structure photo's; it moved {swap['colour_moved']:.2f} of the way (median)",
    ]
    return "\n".join(lines)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.photos", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("model", metavar="MODEL", help="folder of a model, or run directory")
    parser.add_argument("photos", metavar="PHOTOS", type=Path, help="folder of photos, searched to any depth")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for grid.png and report.json")
    parser.add_argument("--size", type=int, default=64, help="side in pixels (64)")
    parser.add_argument(
        "--weights", type=Path, help="LPIPS weights: file or folder (else SWAPAE_WEIGHTS, cache)"
    )
    parser.add_argument("--batch", type=int, default=32, help="images at a time (32)")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs and the grid (0)")
    parser.add_argument("--force", action="store_true", help="overwrite a report that is there")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    options = parser.parse_args(arguments)
    if options.size < MIN_SIDE or options.batch < 1:
        parser.error(f"--size must be {MIN_SIDE} or more, and --batch 1 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
