"""How the pages' commands are made short before they are run: small networks, few images, no processes.

What is changed is said here, and nowhere else:

- every preset keeps its settings but for narrow networks (as `tests/training/tools.py`), images of a half
  (of up to 128 px) or an eighth, two steps, and a save after each;
- `--total-images N` becomes 12 images, `--pairs N` 4 pairs, which `eval` gets where it names none;
- `eval` does not time the model, `batch` edits and `data` decodes in the test's own process;
- metrics take nets that look at small pictures, and an LPIPS without its weights;
- the studio ends as soon as it could answer, and no browser is opened.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from socket import socket

import pytest
from tests.metrics.test_table import Quick, QuickLpips
from tests.training.tools import micro

from swapae.metrics.loaders import LOADERS
from swapae.metrics.lpips import LPIPS
from swapae.presets import PRESETS
from swapae.training.config import TrainConfig

INSTEAD = {"--total-images": "12", "--pairs": "4"}
ADDED = {
    "eval": {"--pairs": ["4"], "--no-speed": []},
    "batch": {"--workers": ["0"]},
    "data": {"--workers": ["0"]},
    "studio": {"--no-browser": [], "--port": ["0"]},
}


def small(preset: Callable[[], TrainConfig]) -> TrainConfig:
    """The settings of a preset, in networks and images that are trained in a moment."""
    own, tiny = preset(), micro()
    side = own.discriminator.image_size
    part = 2 if side <= 128 else 8
    return replace(
        own,
        model=replace(tiny.model, head_blocks=min(own.model.head_blocks, 1)),
        discriminator=replace(tiny.discriminator, image_size=side // part),
        patch_discriminator=tiny.patch_discriminator,
        data=replace(own.data, load_size=own.data.load_size // part, crop_size=own.data.crop_size // part),
        loss=replace(own.loss, num_patches=2),
        eval=replace(own.eval, pairs=4),
        batch_size=4,
        total_images=8,
        log_images=4,
        snapshot_images=1_000,
        checkpoint_images=8,
    )


def shortened_code(code: str) -> str:
    """Python with fewer pairs."""
    return re.sub(r"\bnum_pairs=\d+", f"num_pairs={INSTEAD['--pairs']}", code)


def shortened(words: list[str]) -> list[str]:
    """A command with fewer images and pairs, in one process."""
    changed = [INSTEAD.get(before, word) for before, word in zip(["", *words], words, strict=False)]
    for option, values in ADDED.get(words[0], {}).items():
        if option not in words and not (words[0] == "eval" and "--shard" in words):
            changed += [option, *values]
    return changed


def _serve(
    make: object, settings: object, listening: socket, begun: Callable[[], None], ended: Callable[[], None]
) -> None:
    with closing(listening):
        begun()


@contextmanager
def everything_small() -> Iterator[None]:
    """Have presets, nets and the studio small while pages are run."""
    with pytest.MonkeyPatch.context() as patch:
        for name, preset in list(PRESETS.items()):
            patch.setitem(PRESETS, name, partial(small, preset))
        for name in ("EffLite0", "Inception", "VGG16"):
            patch.setitem(LOADERS, name, lambda weights, device, name=name: Quick(name))
        for name in ("alex", "vgg"):
            patch.setitem(LOADERS, name, lambda weights, device: QuickLpips())
        patch.setattr(LPIPS, "load", lambda *where: LPIPS().requires_grad_(False))
        patch.setattr("swapae.web.serving.serve", _serve)
        yield
