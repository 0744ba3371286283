"""Steps whose numbers are not finite: skipped and counted; after some in a row, training has diverged."""

from collections.abc import Callable

import torch
from torch import Tensor

from swapae.training.config import TrainConfig
from swapae.training.objective import Terms
from swapae.training.report import DivergedError

KINDS = {"D": "discriminators", "R1": "discriminators on R1", "G": "encoder and generator"}
HALVINGS = 24  # of the scale of gradients in fp16, from 2^16 on: then it is no longer the scale
SKIPPED, IN_A_ROW, LONGEST = range(3)  # places in `Guard.counts`


class Guard:
    """Skips steps whose loss or gradient is not finite, and counts them.

    The fused Adam leaves weights, moments and its own count as they are where its `found_inf` is 1, and the
    averaged weights then go on towards weights that have not changed. So nothing but `settle` waits for the
    device. A gradient so large that its square overflows is not finite either: Adam would keep it for ever.

    Args:
        limit: how many of a kind in a row are the end of it.
        agree: brings a number to its greatest over all ranks.
    """

    def __init__(self, limit: int, agree: Callable[[Tensor], Tensor] = lambda number: number) -> None:
        self.limit = limit
        self.agree = agree
        self._num_told = 0
        self.counts: dict[str, Tensor] = {}  # of each kind of step, [skipped, in a row, longest row]
        # Of each kind, the names of what is looked at, and 1 where one was not finite since `settle`.
        self.wrong: dict[str, tuple[list[str], Tensor]] = {}

    def judge(self, kind: str, terms: Terms, gradients: list[Tensor]) -> Tensor:
        """Count a step, and give 1 if it must be skipped, else 0."""
        norm = torch.stack(torch._foreach_norm(gradients)).sum()
        names = [*terms, "the gradient"]
        numbers = torch.stack([number.detach().float() for number in (*terms.values(), norm)])
        wrong = (~numbers.isfinite()).float()
        found = self.agree(wrong.max())
        known, so_far = self.wrong.get(kind, ([], wrong))
        self.wrong[kind] = (names, torch.maximum(wrong, so_far) if known == names else wrong)
        before = self.counts.get(kind, torch.zeros(3)).to(found.device)
        in_a_row = (before[IN_A_ROW] + 1) * found
        longest = torch.maximum(before[LONGEST], in_a_row)
        self.counts[kind] = torch.stack([before[SKIPPED] + found, in_a_row, longest])
        return found

    def restore(self, skipped: dict[str, int], in_a_row: dict[str, int]) -> None:
        """Go on from the counts that `settle` gave."""
        self._num_told, self.wrong = sum(skipped.values()), {}
        rows = {kind: in_a_row.get(kind, 0) for kind in skipped}
        self.counts = {kind: torch.tensor([float(skipped[kind]), row, row]) for kind, row in rows.items()}

    def settle(self, images_seen: int) -> tuple[dict[str, int], dict[str, int]]:
        """Read the counts of each kind that had to skip: of skipped steps, and of those that were the latest.

        Raises:
            DivergedError: the limit of a kind came one after another since the last call.
        """
        counts = {kind: [int(n) for n in numbers.tolist()] for kind, numbers in self.counts.items()}
        for kind, (_, in_a_row, longest) in counts.items():
            if longest >= self.limit:
                raise DivergedError(self._diagnosis(kind, longest), images_seen)
            self.counts[kind][LONGEST] = in_a_row
        self.wrong = {}
        skipped = {kind: number for kind, (number, _, _) in counts.items() if number}
        return skipped, {kind: counts[kind][IN_A_ROW] for kind in skipped}

    def news(self, skipped: dict[str, int]) -> str | None:
        """Say how many steps were skipped since this was asked last, if any."""
        number, self._num_told = sum(skipped.values()) - self._num_told, sum(skipped.values())
        kinds = ", ".join(f"{count} of the {KINDS[kind]}" for kind, count in skipped.items())
        steps = "1 step was" if number == 1 else f"{number} steps were"
        return f"{steps} skipped, for the numbers were not finite; in all {kinds}." if number else None

    def _diagnosis(self, kind: str, longest: int) -> str:
        names, wrong = self.wrong.get(kind, ([], torch.zeros(0)))
        found = ", ".join(name for name, is_wrong in zip(names, wrong.tolist(), strict=True) if is_wrong)
        steps = "1 step" if longest == 1 else f"{longest} steps"
        return f"{steps} of the {KINDS[kind]} in a row gave numbers that are not finite ({found})"


def limit_of(config: TrainConfig) -> int:
    """Tell how many in a row are too many; the scale of half precision finds its place by such steps."""
    return config.skips_in_a_row + (HALVINGS if config.precision == "fp16" else 0)
