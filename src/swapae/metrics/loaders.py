"""The measuring nets by name, each loaded when a metric first asks for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

Loader = Callable[[str | Path | None, str | torch.device], Any]


class Nets:
    """The measuring nets, each loaded when first asked for.

    Args:
        weights: file or folder of their weights; else they are found as `find_net` says.
        device: where they work.
    """

    def __init__(self, weights: str | Path | None = None, device: str | torch.device = "cpu") -> None:
        self.weights, self.device = weights, device
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Give the net of this name.

        Raises:
            UserError: its weights or its package are not there.
        """
        if name not in self._loaded:
            self._loaded[name] = LOADERS[name](self.weights, self.device)
        return self._loaded[name]


def _efflite(weights: str | Path | None, device: str | torch.device) -> Any:
    from swapae.metrics.efflite import EffLite0

    return EffLite0.load(weights, device)


def _inception(weights: str | Path | None, device: str | torch.device) -> Any:
    from swapae.metrics.inception import Inception

    return Inception.load(weights, device)


def _vgg(weights: str | Path | None, device: str | torch.device) -> Any:
    from swapae.metrics.vgg import VGG16

    return VGG16.load(weights, device)


def _lpips(trunk: str) -> Loader:
    def load(weights: str | Path | None, device: str | torch.device) -> Any:
        from swapae.metrics.lpips import LPIPS

        return LPIPS.load(weights, device, trunk)  # type: ignore[arg-type]

    return load


LOADERS: dict[str, Loader] = {
    "EffLite0": _efflite,
    "Inception": _inception,
    "VGG16": _vgg,
    "squeeze": _lpips("squeeze"),
    "alex": _lpips("alex"),
    "vgg": _lpips("vgg"),
}
