"""An export with fewer bits: chosen by pictures, measured by others, and told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from swapae.cli.calibration import MADE_UP_WORD, pictures_of
from swapae.cli.common import Common
from swapae.errors import UserError
from swapae.export.precision import Precision, PrecisionName
from swapae.export.reduced import LINES, Perceptual, feeds_of, measured, spelled, write_error
from swapae.model import SwappingAutoencoder


@dataclass(frozen=True)
class Reduced:
    """A model's precision, and what its error is measured by.

    - model: in PyTorch, float32.
    - precision: of the graphs to write.
    - pictures: none of those by which ranges were found; none at all for float32.
    - of: what they are, in words.
    """

    model: SwappingAutoencoder
    precision: Precision
    pictures: Sequence[Tensor] = ()
    of: str = ""

    @classmethod
    def choose(
        cls, name: str, model: SwappingAutoencoder, precision: PrecisionName, photos: Path | None
    ) -> "Reduced":
        """Find pictures; half of them find the ranges of int8.

        Raises:
            UserError: there are too few photos, or none and no gallery, which int8 needs.
        """
        if precision == "float32":
            return cls(model, Precision())
        pictures, words = pictures_of(name, model, photos)
        if precision != "int8":
            return cls(model, Precision(precision), pictures, words)
        if words == MADE_UP_WORD:
            raise UserError(
                f"int8 finds its ranges by pictures, and {name} has no gallery: name a folder of photos like "
                "those it was trained on by --calibrate PHOTOS."
            )
        feeds = feeds_of(pictures[::2], model, model.generator)
        return cls(model, Precision(precision, feeds), pictures[1::2], words)

    def measure(self, folder: Path, config: Mapping[str, Any], common: Common) -> dict[str, Any]:
        """Measure the error of what was written, say it, and write it down; gives the config with it."""
        if not self.pictures:
            return dict(config)
        perceptual = _lpips(common)
        error = measured(folder, self.model, self.pictures, perceptual) | {"of": self.of}
        figures = ", ".join(f"{name} {spelled(name, error)}" for name in LINES)
        common.say(f"beside float32, {error['hybrids']} hybrids of {self.of}: {figures}")
        return write_error(folder, config, error)


def _lpips(common: Common) -> Perceptual | None:
    from swapae.metrics import LPIPS

    try:
        return LPIPS.load().distance
    except UserError as error:
        common.say(f"LPIPS is left out: {error}")
        return None
