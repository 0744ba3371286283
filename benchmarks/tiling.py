"""Encode and decode one large image in tiles, and tell time, peak memory and (asked for) the error.

    python -m benchmarks.tiling                    # 4096² at full width: minutes
    python -m benchmarks.tiling --size 1024 --budget 0.15 --compare

The weights and the image are random. `--compare` runs the same untiled afterwards, which takes its memory.
"""

import argparse
import json
import resource
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from swapae import ModelConfig
from swapae.networks import Encoder, Generator, random_noise
from swapae.runtime.plans import Plan, plan_decoding, plan_encoding
from swapae.runtime.tiling import decode_tiled, encode_tiled

GIB = 2**30


def main() -> None:
    """Print figures of one run, one a line or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, nargs="+", default=[4096], help="side, or height and width")
    parser.add_argument("--budget", type=float, default=None, help="GiB of temporaries (the package's own)")
    parser.add_argument("--noise", action="store_true", help="with noise at every layer")
    parser.add_argument("--map", type=int, help="with a texture map of this side instead of a vector")
    parser.add_argument("--compare", action="store_true", help="run untiled too")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    figures = run(options)
    if options.json:
        print(json.dumps(figures))
    else:
        print(*(f"{name:28} {value}" for name, value in figures.items()), sep="\n")


@torch.inference_mode()
def run(options: argparse.Namespace) -> dict[str, Any]:
    """Encode and decode, then compare if asked."""
    torch.manual_seed(0)
    budget = None if options.budget is None else int(options.budget * GIB)
    encoder, generator = Encoder(ModelConfig().encoder()).eval(), Generator(ModelConfig().generator()).eval()
    images = torch.rand(1, 3, options.size[0], options.size[-1]) * 2 - 1
    figures: dict[str, Any] = {"size": list(images.shape[2:]), "budget_gib": options.budget}
    figures |= {"torch": torch.__version__, "threads": torch.get_num_threads(), "before_gib": peak()}

    figures["encode"] = described(plan_encoding(encoder.config, images, budget))
    seconds, (structure, texture) = timed(lambda: encode_tiled(encoder, images, budget))
    figures |= {"encode_seconds": seconds, "after_encode_gib": peak()}

    style = texture if not options.map else texture[..., None, None] * torch.rand(1, 1, *2 * [options.map])
    noise = noise_for(generator, structure) if options.noise else None
    figures["decode"] = described(plan_decoding(generator.config, structure, style, budget))
    seconds, decoded = timed(lambda: decode_tiled(generator, structure, style, noise, budget=budget))
    figures |= {"decode_seconds": seconds, "peak_gib": peak()}

    if options.compare:
        seconds, codes = timed(lambda: encoder(images))
        figures |= {"untiled_encode_seconds": seconds}
        seconds, untiled = timed(lambda: generator(structure, style, noise))
        figures |= {"untiled_decode_seconds": seconds, "untiled_peak_gib": peak()}
        figures["structure_error"] = error(structure, codes[0])
        figures["texture_error"] = error(texture, codes[1])
        figures["image_error"] = error(decoded, untiled)
    return figures


def noise_for(generator: Generator, structure: Tensor) -> list[Tensor]:
    """Draw noise for a structure code, and give it a weight."""
    for name, parameter in generator.named_parameters():
        if name.endswith("noise.weight"):
            parameter.fill_(0.1)
    return random_noise(generator.noise_shapes(*structure.shape[2:]), torch.Generator().manual_seed(0))


def described(plan: Plan) -> str:
    """Say how a run is cut."""
    tiles = f"{len(plan.rows.tiles)}×{len(plan.columns.tiles)} tiles"
    return f"{tiles}, {plan.whole_blocks} blocks whole, estimate {plan.bytes / GIB:.2f} GiB"


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Run, and give the seconds it took with its result."""
    start = perf_counter()
    result = work()
    return round(perf_counter() - start, 2), result


def peak() -> float:
    """Give the most memory the process ever had resident, in GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB, 3)


def error(tiled: Tensor, untiled: Tensor) -> float:
    """Give the largest error as a share of the largest value."""
    return float((tiled - untiled).abs().max() / untiled.abs().max())


if __name__ == "__main__":
    main()
