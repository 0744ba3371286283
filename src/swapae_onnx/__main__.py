"""`python -m swapae_onnx swap A B -m DIR -o out.png`."""

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from swapae_onnx import __version__
from swapae_onnx.errors import UserError
from swapae_onnx.files import shown

MOST_THREADS = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status: 0, 1 user's mistake, 2 usage."""
    options = _parser().parse_args(arguments)
    try:
        _swap(options)
    except UserError as error:
        return _refused(str(error))
    except MemoryError:
        return _refused("there is not enough memory: take smaller images.")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except Exception as error:  # nobody should have to read a traceback
        return _refused(f"something went wrong inside swapae_onnx ({type(error).__name__}: {shown(error)}).")
    return 0


def _refused(sentence: str) -> int:
    sys.stderr.write(f"error: {sentence}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("swapae_onnx", description="Swapping autoencoder without PyTorch.")
    parser.add_argument("--version", action="version", version=f"swapae_onnx {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    swap = commands.add_parser("swap", help="give one image the texture of another")
    swap.add_argument("structure", metavar="STRUCTURE", type=Path, help="image that keeps its structure")
    swap.add_argument("texture", metavar="TEXTURE", type=Path, help="image whose texture it takes")
    add = swap.add_argument
    add("-m", "--model", metavar="DIR", type=Path, required=True, help="folder that swapae export wrote")
    add("-o", "--out", metavar="OUT", type=Path, required=True, help="file to write")
    add("--strength", metavar="A", type=_number, default=1.0, help="0 reconstructs, 1 swaps; default 1")
    add("--threads", metavar="N", type=_count, help="threads to use; default: one a core")
    add("--force", action="store_true", help="overwrite a file that exists")
    return parser


def _swap(options: argparse.Namespace) -> None:
    from swapae_onnx.images import check_target, open_image, save_image
    from swapae_onnx.model import SwappingAutoencoder

    check_target(options.out, options.force)
    structure, texture = open_image(options.structure), open_image(options.texture)
    model = SwappingAutoencoder.from_pretrained(options.model, threads=options.threads)
    save_image(model.swap_images(structure, texture, options.strength), options.out, options.force)
    sys.stdout.write(f"wrote {shown(options.out)}\n")


def _number(text: str) -> float:
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    raise argparse.ArgumentTypeError(f"{shown(text)} is not a number")


def _count(text: str) -> int:
    with suppress(ValueError):
        if 1 <= (number := int(text)) <= MOST_THREADS:
            return number
    raise argparse.ArgumentTypeError(f"{shown(text)} is not a number from 1 to {MOST_THREADS}")


if __name__ == "__main__":
    sys.exit(main())
