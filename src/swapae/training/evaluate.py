"""What is measured in the course of a training: by it the best checkpoints are told.

At every save, on the images of the sample grids: how well they are reconstructed. And as often as
`EvalConfig` says, what `swapae eval` measures, with the same figures; all processes of the training share
that work. Averaged weights are measured, and nothing here draws from the generators of the training: a run
that is measured learns what one that is not does.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.data.open import open_source
from swapae.errors import UserError
from swapae.evaluation import synthetic
from swapae.evaluation.photos import Photos, evaluate
from swapae.metrics.collectors import Batch, all_figures
from swapae.metrics.loaders import Nets
from swapae.metrics.lpips import LPIPS
from swapae.metrics.memory import Memory
from swapae.metrics.pairs import PairList
from swapae.metrics.table import choose, start
from swapae.model import SwappingAutoencoder
from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.figures import OWN, TRUE_SWAPS, best, figures
from swapae.training.samples import as_it_is

REMEMBERED = 128 * 2**20  # bytes that are kept through a training: of features, or of rendered pairs
FEW = 4  # images and pairs of the rehearsal; no metric needs more


@torch.no_grad()
def measure(model: SwappingAutoencoder, images: Tensor) -> dict[str, float]:
    """Measure what a model makes of `[B, 3, H, W]` in [-1, 1]: finite numbers, of which less is better."""
    made = model.decode(model.encode(images))
    return finite({OWN: float((made - images).abs().mean())})


def finite(figures: dict[str, float]) -> dict[str, float]:
    """Leave out what is no number: no log and no checkpoint holds it."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


class AbandonedError(UserError):
    """The training was asked to stop, and did not wait for a measurement to end."""


class Evaluation:
    """The measurements of a training. Making one loads the nets, and looks whether they can be used.

    Args:
        config: of the run; its `eval.data` is given.
        engine: the processes that share the work.
        stop: whether this process is asked to stop.

    Attributes:
        best: the figure that tells the best checkpoints.
        note: what was measured the last time, and how long that took.

    Raises:
        UserError: the images, or a net, are not there; or the images are too small or too few.
    """

    def __init__(self, config: TrainConfig, engine: Engine, stop: Callable[[], bool] | None = None) -> None:
        self.config = config.eval
        self.interval = config.eval.interval(config.checkpoint_images)
        self.size = config.discriminator.image_size
        self.best = best(config.eval, config.best_metric, self.size)
        self.note = ""
        self.engine = engine
        self.stop = stop or (lambda: False)
        data = config.eval.data
        assert data is not None
        self.nets = Nets(config.eval.weights, engine.device)
        self.choices = [] if data == TRUE_SWAPS else choose(config.eval.metrics)
        self.source = None if data == TRUE_SWAPS else open_source(data, resolution=self.size)
        self.known: dict[int, Tensor] = {}  # images, and what nets make of them, from one time to the next
        self.memory = Memory(REMEMBERED)
        self.rendered: dict[int, Batch] = {}  # by the first of their pairs
        try:
            self._rehearse()
        except ValueError as error:
            raise UserError(f"eval: {error}") from None

    def is_due(self, evaluated: int, images_seen: int) -> bool:
        """Whether it is time, where the last measurement was made after `evaluated` images."""
        return images_seen // self.interval > evaluated // self.interval

    def figures(self, model: SwappingAutoencoder) -> dict[str, float]:
        """Measure a model; all processes call it, and get the figures.

        Raises:
            AbandonedError: the training is to stop.
            UserError: images cannot be read, or a metric cannot be computed of what there is.
        """
        measured, begun = as_it_is(model), time.monotonic()
        try:
            report = self._true_swaps(measured) if self.source is None else self._photos(measured)
        except ValueError as error:
            raise UserError(str(error)) from None
        self.note = f"{_what(report)}, in {time.monotonic() - begun:.1f} s"
        found = report["metrics"]
        assert isinstance(found, dict)
        return finite(found)

    def lines(self, total_images: int) -> list[str]:
        """Say what will be measured, and how often, in a training of so many images."""
        config, number = self.config, self.source and self.source.num_images
        on = f"{config.split} forms and materials" if number is None else f"{number:,} images"
        names = figures(config, self.size)
        return [
            f"measured on {config.data}: {on}, {config.pairs:,} pairs, {self.size} px; every "
            f"{self.interval:,} images, {-(-total_images // self.interval):,} times in all",
            f"figures: {', '.join(names)}",
            f"best is the {'highest' if self.best.is_high_better else 'lowest'} {self.best.name}",
        ]

    def _true_swaps(self, model: SwappingAutoencoder) -> dict[str, object]:
        config = self.config
        return synthetic.benchmark(
            synthetic.of_model(model),
            self._lpips(),
            num_pairs=config.pairs,
            seed=config.seed,
            split=config.split,
            size=self.size,
            batch=config.batch,
            progress=lambda done: self._go_on(),
            processes=self.engine,
            has_answers=False,
            render=self._render,
        )

    def _render(self, places: range) -> Batch:
        """Give pairs that were rendered before; what is known of a batch is of the model before."""
        found = self.rendered.get(places.start)
        if found is None:
            config = self.config
            (found,) = synthetic.batches(places, config.seed, config.split, self.size, config.batch)
            size = sum(images.nbytes for images in found.images.values())
            if (len(self.rendered) + 1) * size <= REMEMBERED:
                self.rendered[places.start] = found
        return Batch(found.numbers, found.images)

    def _photos(self, model: SwappingAutoencoder) -> dict[str, object]:
        config = self.config
        assert self.source is not None
        photos = replace(Photos.of(self.source, self.size), known=self.known, memory=self.memory)
        report, _ = evaluate(
            model,
            photos,
            self.choices,
            self.nets,
            lambda num_images: PairList.draw(str(config.data), num_images, config.pairs, config.seed),
            batch=config.batch,
            progress=lambda what, done, of: self._go_on(),
            processes=self.engine,
            has_answers=False,
        )
        return report

    def _go_on(self) -> None:
        if self.stop():
            raise AbandonedError("the training stops.")

    def _lpips(self) -> LPIPS:
        lpips: LPIPS = self.nets["squeeze"]
        return lpips

    def _rehearse(self) -> None:
        """Measure a few pictures, of the size and no more than there will be, as if a model had made them."""
        if self.source is None:
            synthetic.check_benchmark(self._lpips(), self.config.pairs, self.size)
            return
        images, pairs = (min(FEW, count or FEW) for count in (self.source.num_images, self.config.pairs))
        PairList.draw(str(self.config.data), images, pairs)  # or say that there are too few
        collectors = start(self.choices, self.nets)
        made = {"photo": images, "reconstruction": images}
        made |= dict.fromkeys(("structure", "texture", "hybrid", "unswapped"), pairs)
        pictures = {role: _pictures(count, self.size, i) for i, (role, count) in enumerate(made.items())}
        of_photos = {role: pictures.pop(role) for role in ("photo", "reconstruction")}
        for batch in (of_photos, pictures | {"texture_change": torch.ones(pairs)}):
            for collector in collectors:
                collector.update(Batch(torch.arange(len(next(iter(batch.values())))), batch))
        all_figures(collectors)


def evaluation_of(
    config: TrainConfig, engine: Engine, stop: Callable[[], bool] | None = None
) -> Evaluation | None:
    """Make the measurements that a config asks for; None if it asks for none.

    Raises:
        UserError: as `Evaluation`.
    """
    return None if config.eval.data is None else Evaluation(config, engine, stop)


def _what(report: dict[str, object]) -> str:
    lost = report.get("unreadable")
    unreadable = f" ({len(lost)} more cannot be read)" if isinstance(lost, list) and lost else ""
    images = f"{report['images']} images{unreadable} and " if "images" in report else ""
    return f"measured {images}{report['pairs']} pairs of {report['data']}"


def _pictures(count: int, size: int, seed: int) -> Tensor:
    """Draw soft pictures `[count, 3, size, size]` that differ, from a generator of their own."""
    cells = torch.rand(count, 3, 3, 3, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return F.interpolate(cells, size, mode="bilinear")
