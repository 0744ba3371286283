"""What a training shows its owner: log, data report, sample grids, warnings, the page, TensorBoard."""

from collections.abc import Callable, Mapping

from torch import Tensor

from swapae.data.source import Source
from swapae.training.config import TrainConfig
from swapae.training.ema import Ema
from swapae.training.health import Readings
from swapae.training.history import History
from swapae.training.html_report import write_report
from swapae.training.run import DataReport, RunFolder, append_log
from swapae.training.samples import Samples
from swapae.training.tensorboard import Board


class Show:
    """Shows a run; the first process alone has one.

    Args:
        run: where; its log has nothing beyond `images_seen`.
        config: of the run.
        data: the word for the images, and where they come from.
        fixed: the images that all grids show, `[B, 3, S, S]`.
        images_seen: where the run goes on.
        tell: hears warnings.
    """

    def __init__(
        self,
        run: RunFolder,
        config: TrainConfig,
        data: tuple[str, Source],
        fixed: Tensor,
        images_seen: int,
        tell: Callable[[str], None],
    ) -> None:
        self.run = run
        self.config = config
        self.tell = tell
        self.data = DataReport(run, *data, tell)
        self.samples = Samples(data[1], config, fixed)
        self.history = History.of(run.log)
        self.board = Board(run.tensorboard, images_seen) if config.tensorboard else None

    def grids(self, ema: Ema, images_seen: int) -> Readings:
        """Draw the grids of this moment; give what they say of textures and structures."""
        found = self.samples.draw(ema, images_seen, self.run.snapshots)
        if self.board is not None:
            self.board.grids(self.run.snapshots, images_seen)
        return found

    def line(self, line: Mapping[str, float]) -> None:
        """Write a line of the log, and tell of what has gone wrong with it."""
        append_log(self.run, line)
        self.data.update()
        if self.board is not None:
            self.board.line(line)
        for warning in self.history.take(line):
            self.tell(f"warning: {warning}")

    def saved(self) -> None:
        """Bring all up to date at a save."""
        self.data.update()
        write_report(self.run, self.config, self.history)
        if self.board is not None:
            self.board.flush()

    def close(self) -> None:
        """Let go of files."""
        if self.board is not None:
            self.board.close()
