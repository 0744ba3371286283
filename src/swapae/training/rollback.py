"""Back to the last checkpoint, with lower rates, when training has diverged."""

from collections.abc import Callable
from pathlib import Path

from swapae.training.checkpoint import Learner, load_checkpoint, newest_valid
from swapae.training.config import TrainConfig
from swapae.training.report import DivergedError

FACTOR = 0.5  # on the learning rates, at each rollback


def roll_back(
    learner: Learner,
    checkpoints: Path,
    config: TrainConfig,
    error: DivergedError,
    begin: Callable[[Learner], None],
    tell: Callable[[str], None],
) -> None:
    """Restore the last checkpoint, or the start where there is none, and halve the learning rates.

    The state has both numbers, so a run that is resumed later goes on with them; one that is killed before
    its next checkpoint diverges and comes back here once more, the same way.

    Args:
        learner: what has diverged; restored in place.
        checkpoints: the run's.
        config: says whether, and how often.
        error: why.
        begin: brings a learner to its state before the first step.
        tell: hears of it.

    Raises:
        DivergedError: it has been done often enough, or is not wanted.
    """
    scale, rollbacks = learner.state.rate_scale * FACTOR, learner.state.rollbacks + 1
    if config.on_diverged == "stop" or rollbacks > config.max_rollbacks:
        raise error
    if newest_valid(checkpoints) is None:
        begin(learner)
    else:
        load_checkpoint(checkpoints, learner, tell)
    state = learner.state
    state.rate_scale, state.rollbacks, state.in_a_row = scale, rollbacks, {}
    tell(
        f"{error.what}: back to {state.images_seen} images, with {scale:g} × the learning rates "
        f"(rollback {rollbacks} of {config.max_rollbacks})."
    )
