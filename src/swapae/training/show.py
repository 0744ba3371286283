"""What a training shows its owner: data report, sample grids, warnings, the page, TensorBoard."""

from collections.abc import Callable, Mapping

from torch import Tensor

from swapae.data.source import Source
from swapae.training.config import TrainConfig
from swapae.training.ema import Ema
from swapae.training.health import Readings
from swapae.training.history import History
from swapae.training.html_report import write_report
from swapae.training.run import DataReport, RunFolder
from swapae.training.samples import Samples, grid_path, write
from swapae.training.tensorboard import Board


class Show:
    """Shows a run; the first process alone has one. Training can do without all that is written here.

    Args:
        run: where.
        config: of the run.
        data: the word for the images, and where they come from.
        fixed: the images that all grids show, `[B, 3, S, S]`.
        tell: hears warnings.
        optional: writes something, or tells that it cannot be written.
    """

    def __init__(
        self,
        run: RunFolder,
        config: TrainConfig,
        data: tuple[str, Source],
        fixed: Tensor,
        tell: Callable[[str], None],
        optional: Callable[[Callable[[], None]], None],
    ) -> None:
        self.run = run
        self.config = config
        self.tell = tell
        self.optional = optional
        self.data = DataReport(run, *data, tell)
        self.samples = Samples(data[1], config, fixed)
        self.history = History()
        self.board: Board | None = None

    def start(self, images_seen: int) -> None:
        """Begin, or begin anew where the run goes on: its log has nothing beyond `images_seen`."""
        self.close()
        self.history = History.of(self.run.log)
        self.board = Board(self.run.tensorboard, images_seen) if self.config.tensorboard else None

    def grids(self, ema: Ema, images_seen: int) -> Readings:
        """Draw the grids of this moment; give what they say of textures and structures."""
        found, grids = self.samples.draw(ema, images_seen)
        side = self.config.discriminator.image_size

        def write_all() -> None:
            for kind, picture in grids.items():
                write(picture, grid_path(self.run.snapshots, images_seen, kind), side)
            if self.board is not None:
                self.board.grids(grids, images_seen)

        self.optional(write_all)
        return found

    def line(self, line: Mapping[str, float]) -> None:
        """Take a line of the log in, and tell of what has gone wrong with it."""
        self.optional(self.data.update)
        for warning in self.history.take(line):
            self.tell(f"warning: {warning}")
        board = self.board
        if board is not None:
            self.optional(lambda: board.line(line))

    def saved(self) -> None:
        """Bring all up to date at a save."""
        self.optional(self.data.update)
        self.optional(lambda: write_report(self.run, self.config, self.history))
        if self.board is not None:
            self.optional(self.board.flush)

    def close(self) -> None:
        """Let go of files."""
        if self.board is not None:
            self.optional(self.board.close)
            self.board = None
