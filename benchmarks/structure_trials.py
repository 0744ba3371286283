"""What keeps structure: variants of the objective, from one half-trained state, against the true swap.

    python -m benchmarks.structure_trials OUT --weights NETS [--base 12000] [--more 6000] [--only NAME …]

The generated domain knows the true swap of any two of its pictures. A base run of the preset `synthetic64`,
in narrower widths, sees `--base` images; each variant goes on from its checkpoint for `--more` images with
one thing changed, ramps reaching their end there. All see the same images in the same order, but for `seed`,
the unchanged objective with other chances: a difference means little unless it is larger than that one's.

On pairs of pictures that no run has seen, the averaged weights' hybrids are compared with the true swaps:

- LPIPS-squeeze, L1 (in the [-1, 1] range) and PSNR [dB];
- edges: the correlation of the two pictures' gradient magnitudes, which hardly depends on colour;
- nearer: share of hybrids that are nearer to the true swap than either of the two pictures is, by LPIPS and
  by L1 (a blurred hybrid hardly ever is by LPIPS);
- LPIPS of reconstructions.

For scale, the same figures of the structure picture and of the texture picture themselves.

Written are the runs, and figures pair by pair in `OUT/results/`. What is there already is not done again, so
a trial that was stopped goes on, and once the base run is there, several processes can share the variants
(`--only`). Intervals are 95 % of the mean over pairs; differences are of the same pairs.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from swapae import SwappingAutoencoder, UserError
from swapae import config as configs
from swapae.codes import Codes
from swapae.data.synthetic import SyntheticSource, render, sample_scenes, structure_of, texture_of
from swapae.images import grid, save_image, to_array, to_pil
from swapae.metrics import LPIPS
from swapae.presets import synthetic64
from swapae.training.config import TrainConfig
from swapae.training.loop import train
from swapae.training.objective import LossConfig
from swapae.training.run import write_json
from swapae.training.schedule import ScheduleConfig

SIZE = 64
NUM_TRAINING = 6_000  # pictures, rendered once
NUM_PAIRS = 400
UNSEEN = 1  # seed of the pictures to measure on; training has 0
BATCH = 50

Figures = dict[str, list[float]]


def base_config() -> TrainConfig:
    """`synthetic64` in half of its widths, with averages that forget what was before a variant."""
    preset = synthetic64()
    return replace(
        preset,
        model=replace(preset.model, encoder_capacity=0.25, generator_capacity=0.125, texture_channels=256),
        discriminator=replace(preset.discriminator, capacity=1 / 32, max_channels=64),
        ema_half_life_kimg=0.5,
        log_images=400,
        snapshot_images=10**9,
        checkpoint_images=10**9,
    )


def variants(base: LossConfig, begin: int, end: int) -> dict[str, LossConfig]:
    """Name the objectives to try; ramps go from `begin` to `end`."""

    def ramp(**goals: float) -> ScheduleConfig:
        return ScheduleConfig(begin=begin, end=end, **goals)

    smaller = {"patch_min_scale": base.patch_min_scale / 2, "patch_max_scale": base.patch_max_scale / 2}
    return {
        "unchanged": base,
        "seed": base,
        "smaller patches": replace(base, schedule=ramp(**smaller)),
        "patch weight to 1/4": replace(base, schedule=ramp(patch=base.patch / 4)),
        "stop-gradient": replace(base, stop_structure_gradient=True),
        "structure consistency": replace(base, structure_consistency=1.0),
        "both consistencies": replace(base, structure_consistency=1.0, texture_consistency=1.0),
        "consistency + smaller": replace(base, structure_consistency=1.0, schedule=ramp(**smaller)),
    }


# ---- training


def run_base(out: Path, images: int) -> TrainConfig:
    """Render the pictures and train the base run, or go on with it."""
    data = out / "pictures"
    if not (data / "done").exists():
        data.mkdir(parents=True, exist_ok=True)
        source = SyntheticSource(SIZE, seed=0)
        there = len(list(data.glob("*.png"))) // BATCH * BATCH
        for first in range(there, NUM_TRAINING, BATCH):
            for i, picture in enumerate(source.read(range(first, first + BATCH))):
                picture.save(data / f"{first + i:05d}.png")
        (data / "done").touch()
    config = replace(base_config(), total_images=images)
    train(config, data, out / "base", device="cpu")
    return config


def run_variant(out: Path, name: str, base: TrainConfig, loss: LossConfig, more: int) -> tuple[Path, float]:
    """Go on from the base run with another objective; gives the run and the seconds that took."""
    run = out / plain(name)
    seed = base.seed + (name == "seed")
    config = replace(base, loss=loss, total_images=base.total_images + more, seed=seed)
    if not (run / "begun").exists():
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(out / "base", run)
        configs.save(config, run / "config.yaml")  # the one way to go on with another objective
        (run / "begun").touch()
    began = time.perf_counter()
    train(config, out / "pictures", run, device="cpu")
    return run, time.perf_counter() - began


# ---- measuring


class Pairs:
    """Pictures in pairs, and what the swap of each pair truly is."""

    def __init__(self) -> None:
        a = sample_scenes(UNSEEN, range(NUM_PAIRS))
        b = sample_scenes(UNSEEN, range(NUM_PAIRS, 2 * NUM_PAIRS))
        self.structure, self.texture, self.swap = (
            torch.stack([torch.from_numpy(to_array(Image.fromarray(one))) for one in render(*scene, SIZE)])
            for scene in (
                (structure_of(a), texture_of(a)),
                (structure_of(b), texture_of(b)),
                (structure_of(a), texture_of(b)),
            )
        )


def measure(run: Path, pairs: Pairs, lpips: LPIPS) -> tuple[Figures, Tensor]:
    """Give every figure for every pair, and the hybrids."""
    model = SwappingAutoencoder.from_pretrained(run, device="cpu", local_files_only=True)
    hybrids, reconstructions = [], []
    for first in range(0, NUM_PAIRS, BATCH):
        some = slice(first, first + BATCH)
        own, other = model.encode(pairs.structure[some]), model.encode(pairs.texture[some])
        hybrids.append(model.decode(Codes(own.structure, other.texture, own.size)).clamp(-1, 1))
        reconstructions.append(model.decode(own).clamp(-1, 1))
    hybrid = torch.cat(hybrids)
    return figures_of(hybrid, torch.cat(reconstructions), pairs, lpips), hybrid


def figures_of(hybrid: Tensor, reconstruction: Tensor, pairs: Pairs, lpips: LPIPS) -> Figures:
    """Compare answers with the true swaps, and reconstructions with what they are of."""
    error = (hybrid - pairs.swap).flatten(1)
    answers = (hybrid, pairs.structure, pairs.texture)
    by_lpips = [distances(lpips, one, pairs.swap) for one in answers]
    by_l1 = [(one - pairs.swap).flatten(1).abs().mean(1) for one in answers]
    figures = {
        "LPIPS": by_lpips[0],
        "L1": by_l1[0],
        "PSNR": 10 * torch.log10(4 / error.square().mean(1)),
        "edges": correlation(edges(hybrid), edges(pairs.swap)),
        "nearer": (by_lpips[0] < torch.minimum(*by_lpips[1:])).float(),
        "nearer by L1": (by_l1[0] < torch.minimum(*by_l1[1:])).float(),
        "reconstruction": distances(lpips, reconstruction, pairs.structure),
    }
    return {name: values.tolist() for name, values in figures.items()}


def distances(lpips: LPIPS, a: Tensor, b: Tensor) -> Tensor:
    """LPIPS, pair by pair."""
    return torch.cat([lpips.distance(x, y) for x, y in zip(a.split(BATCH), b.split(BATCH), strict=True)])


def edges(images: Tensor) -> Tensor:
    """Gradient magnitude of the gray picture `[B, (S-1)²]`."""
    gray = images.mean(1)
    down, right = gray[:, 1:, :-1] - gray[:, :-1, :-1], gray[:, :-1, 1:] - gray[:, :-1, :-1]
    return (down.square() + right.square()).sqrt().flatten(1)


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's, row by row; 0 where a row is flat."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp_min(1e-8)


def show(out: Path, name: str, pairs: Pairs, hybrid: Tensor) -> None:
    """Draw some pairs: structure, texture, the true swap, the hybrid; one row each."""
    columns = (pairs.structure, pairs.texture, pairs.swap, hybrid)
    rows = [[to_pil(column[i].numpy()) for column in columns] for i in range(8)]
    save_image(grid(rows, gap=2), out / f"{plain(name)}.png", force=True)


# ---- words


def plain(name: str) -> str:
    """Turn a variant's name into a file's."""
    return name.replace("/", "_").replace(" ", "_")


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half of its 95 % interval."""
    x = torch.tensor(values, dtype=torch.float64)
    return x.mean().item(), 1.96 * x.std().item() / len(x) ** 0.5


def table(results: dict[str, Figures]) -> str:
    """Every figure of every variant, then its difference to the unchanged objective, pair by pair."""
    names = list(next(iter(results.values())))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for variant, figures in results.items():
        cells = (f"{mean:.4f} ± {half:.4f}" for mean, half in (interval(figures[name]) for name in names))
        lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    if "unchanged" not in results:
        return "\n".join(lines)
    lines += ["", "| minus unchanged | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    unchanged = results["unchanged"]
    for variant, figures in results.items():
        if variant in ("unchanged", "base") or variant.startswith("the "):
            continue
        pairs = ([a - b for a, b in zip(figures[n], unchanged[n], strict=True)] for n in names)
        cells = (f"{mean:+.4f} ± {half:.4f}" for mean, half in map(interval, pairs))
        lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and print; returns the exit status."""
    options = parse(arguments)
    torch.set_num_threads(1)
    try:
        results = trials(options, print)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(results))
    return 0


def trials(options: argparse.Namespace, tell: Callable[[str], None]) -> dict[str, Figures]:
    """Run and measure what is not there yet."""
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    (out / "results").mkdir(exist_ok=True)
    lpips, pairs = LPIPS.load(options.weights), Pairs()

    def take(name: str, run: Path, seconds: float) -> None:
        figures, hybrid = measure(run, pairs, lpips)
        show(out, name, pairs, hybrid)
        write_json(kept(name), figures)
        tell(f"{name}: {seconds:.0f} s, LPIPS {interval(figures['LPIPS'])[0]:.4f}")

    def kept(name: str) -> Path:
        return out / "results" / f"{plain(name)}.json"

    inputs = {"the structure picture": pairs.structure, "the texture picture": pairs.texture}
    scale = {name: figures_of(one, pairs.structure, pairs, lpips) for name, one in inputs.items()}
    began = time.perf_counter()
    base = run_base(out, options.base)
    if not kept("base").exists():
        take("base", out / "base", time.perf_counter() - began)
    losses = variants(base.loss, options.base, options.base + options.more)
    for name in options.only or losses:
        if not kept(name).exists():
            take(name, *run_variant(out, name, base, losses[name], options.more))
    there = [name for name in ("base", *losses) if kept(name).exists()]
    return scale | {name: json.loads(kept(name).read_text()) for name in there}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.structure_trials", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for pictures, runs and results")
    parser.add_argument("--weights", type=Path, help="LPIPS weights: file or folder (else SWAPAE_WEIGHTS)")
    parser.add_argument("--base", type=int, default=12_000, help="images of the base run (12000)")
    parser.add_argument("--more", type=int, default=6_000, help="images of each variant (6000)")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="variants to run (all)")
    options = parser.parse_args(arguments)
    known = variants(LossConfig(), 0, 1)
    if wrong := [name for name in options.only or () if name not in known]:
        parser.error(f"there is no variant {wrong[0]!r} among {', '.join(known)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
