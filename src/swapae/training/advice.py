"""What to change, and by how much, when a training does not fit into memory."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from swapae.errors import UserError
from swapae.runtime.room import room
from swapae.training.config import TrainConfig
from swapae.training.estimate import KINDS, Memory, estimate

# What allocators hold beyond what tensors take: fragments, and memory that is kept for the next tensor.
SLACK = {"cuda": 1.1, "cpu": 1.3}
WORDS = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out: on a GPU, in torch's allocator, or in Python."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in WORDS)


def out_of_memory(
    config: TrainConfig, device: torch.device, num_processes: int, has_begun: bool
) -> UserError:
    """Make the error of a training that does not fit: what it needs, what there is, and what would fit.

    Args:
        config: of the training.
        device: of this process.
        num_processes: that share a batch.
        has_begun: whether the run has a checkpoint, with which only some settings can go on.
    """
    text = "there is not enough memory"
    try:
        needs = needs_of(config, device.type)
        return UserError(f"{text}: {advise(config, needs, room(device), num_processes, has_begun)}")
    except (MemoryError, RuntimeError):  # not even for that
        fix = "set --accumulate higher, --checkpoint-activations true, --batch-size or the resolution lower"
        return UserError(f"{text}: {fix}.")


# ── what is needed ───────────────────────────────────────────────────────────────────────────────

Needs = Callable[[int, bool], float]  # images in a pass, activations checkpointed → bytes at the peak


@dataclass(frozen=True)
class Line:
    """Bytes of a kind of step: some for the networks, and so many for each image of a pass."""

    fixed: float
    per_image: float

    def at(self, num_images: int) -> float:
        return self.fixed + self.per_image * num_images


def needs_of(config: TrainConfig, device_type: str) -> Needs:
    """Find what steps of any size need, from estimates of two and of four images."""
    lines = {False: _lines(replace(config, checkpoint_activations=False), KINDS)}
    lines[True] = lines[False] | _lines(replace(config, checkpoint_activations=True), KINDS[-1:])
    standing = estimate(config, 2, only=()).standing
    slack = SLACK.get(device_type, max(SLACK.values()))

    def needs(num_images: int, is_checkpointed: bool) -> float:
        peak = max(line.at(num_images) for line in lines[is_checkpointed].values())
        return slack * (standing + peak)

    return needs


def _lines(config: TrainConfig, kinds: tuple[str, ...]) -> dict[str, Line]:
    two, four = (estimate(config, number, only=kinds).steps for number in (2, 4))
    slopes = {kind: (four[kind] - two[kind]) / 2 for kind in kinds}
    return {kind: Line(two[kind] - 2 * slopes[kind], slopes[kind]) for kind in kinds}


# ── what would fit ───────────────────────────────────────────────────────────────────────────────


def advise(config: TrainConfig, needs: Needs, there: int | None, num_processes: int, has_begun: bool) -> str:
    """Say what a training needs and what there is, then the settings that fit, the mildest first."""
    images, is_checkpointed = images_in_a_pass(config, num_processes), config.checkpoint_activations
    now = needs(images, is_checkpointed)
    has = "" if there is None else f", and {gigabytes(there)} can be had"
    text = f"a pass over {images} images needs about {gigabytes(now)}{has}."
    limit = now / 1.3 if there is None or there >= now else there
    if there is not None and there >= now:
        text += " Other programs may have taken it meanwhile."
    fitting = options(config, needs, limit, num_processes, has_begun)
    if fitting:
        return f"{text} Set {', or '.join(fitting)}."
    least = needs(2, True)
    smaller = f"images of half the side take about a quarter of what is beyond {gigabytes(needs(0, True))}"
    return (
        f"{text} Even two images at a time take {gigabytes(least)}: choose a smaller resolution ({smaller})."
    )


def options(
    config: TrainConfig, needs: Needs, limit: float, num_processes: int, has_begun: bool
) -> list[str]:
    """List the settings that fit: the same training in smaller parts, then a smaller batch."""
    found = []
    whole = images_in_a_pass(replace(config, accumulate=1), num_processes)
    is_checkpointed = config.checkpoint_activations
    if not is_checkpointed and (need := needs(whole // config.accumulate, True)) <= limit:
        found.append(f"--checkpoint-activations true ({gigabytes(need)}, G steps 1.3 × as long)")
    for checkpointed in dict.fromkeys((is_checkpointed, True)):
        parts = [n for n in range(config.accumulate + 1, whole // 2 + 1) if whole % (2 * n) == 0]
        part = next((n for n in parts if needs(whole // n, checkpointed) <= limit), None)
        if part is not None:
            also = "" if checkpointed == is_checkpointed else " with --checkpoint-activations true"
            size = gigabytes(needs(whole // part, checkpointed))
            found.append(f"--accumulate {part}{also} ({size}, the same training in smaller parts)")
            break
    sizes = range(whole // config.accumulate - 2, 1, -2)
    images = next((n for n in sizes if needs(n, is_checkpointed) <= limit), None)
    if images is not None:
        where = ", in a new run" if has_begun else ""
        batch = images * config.accumulate * num_processes
        found.append(f"--batch-size {batch} ({gigabytes(needs(images, is_checkpointed))}{where})")
    return found


def images_in_a_pass(config: TrainConfig, num_processes: int) -> int:
    """How many images one process holds at a time."""
    return max(2, config.batch_size // (config.accumulate * num_processes))


def gigabytes(number: float) -> str:
    """Write bytes for a sentence."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def peak_of(memory: Memory, device_type: str) -> float:
    """What an allocator takes at the peak of a training."""
    return SLACK.get(device_type, max(SLACK.values())) * memory.peak
