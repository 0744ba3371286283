"""Steps whose numbers are not finite: skipped and counted; after some in a row, training has diverged."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Adam

from swapae.training.objective import Terms
from swapae.training.report import DivergedError

KINDS = {"D": "discriminators", "R1": "discriminators on R1", "G": "encoder and generator"}
SKIPPED, IN_A_ROW, LONGEST = range(3)  # places in `Guard.counts`


class Guard:
    """Skips steps whose loss or gradient is not finite, and counts them.

    The fused Adam leaves weights, moments and its own count as they are where its `found_inf` is 1, and the
    averaged weights then go on towards weights that have not changed. So nothing but `settle` waits for the
    device. A gradient so large that its square overflows is not finite either: Adam would keep it for ever.

    Args:
        agree: brings a number to its greatest over all ranks.
    """

    def __init__(self, agree: Callable[[Tensor], Tensor] = lambda number: number) -> None:
        self.agree = agree
        self.counts: dict[str, Tensor] = {}  # of each kind of step, [skipped, in a row, longest row]
        self.wrong: dict[
            str, dict[str, Tensor]
        ] = {}  # of each kind, what was not finite when one was skipped

    def descend(self, kind: str, optimizer: Adam, terms: Terms) -> None:
        """Take a step of the optimizer, or none."""
        found = self.judge(kind, optimizer, terms)
        optimizer.found_inf = found  # type: ignore[attr-defined]
        optimizer.step()

    def judge(self, kind: str, optimizer: Adam, terms: Terms) -> Tensor:
        """Count a step, and give 1 if it must be skipped, else 0."""
        gradients = [
            p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None
        ]
        norms = torch.stack(torch._foreach_norm(gradients))
        numbers = {name: term.detach() for name, term in terms.items()} | {"the gradient": norms}
        wrong = {name: 1 - number.isfinite().all().float() for name, number in numbers.items()}
        found = self.agree(torch.stack(list(wrong.values())).max())
        before = self.counts.get(kind, torch.zeros(3)).to(found.device)
        in_a_row = (before[IN_A_ROW] + 1) * found
        longest = torch.maximum(before[LONGEST], in_a_row)
        self.counts[kind] = torch.stack([before[SKIPPED] + found, in_a_row, longest])
        known = self.wrong.get(kind, {})
        self.wrong[kind] = {
            name: torch.maximum(known.get(name, value), value) for name, value in wrong.items()
        }
        return found

    def restore(self, skipped: dict[str, int], in_a_row: dict[str, int]) -> None:
        """Go on from the counts that `settle` gave."""
        rows = {kind: in_a_row.get(kind, 0) for kind in skipped}
        self.counts = {kind: torch.tensor([float(skipped[kind]), row, row]) for kind, row in rows.items()}

    def settle(self, limit: int, images_seen: int) -> tuple[dict[str, int], dict[str, int]]:
        """Read the counts of each kind that had to skip: of skipped steps, and of those that were the latest.

        Raises:
            DivergedError: `limit` of a kind came one after another since the last call.
        """
        counts = {kind: [int(n) for n in numbers.tolist()] for kind, numbers in self.counts.items()}
        for kind, (_, in_a_row, longest) in counts.items():
            if longest >= limit:
                raise DivergedError(self._diagnosis(kind, longest), images_seen)
            self.counts[kind][LONGEST] = in_a_row
        self.wrong = {}
        skipped = {kind: number for kind, (number, _, _) in counts.items() if number}
        return skipped, {kind: counts[kind][IN_A_ROW] for kind in skipped}

    def _diagnosis(self, kind: str, longest: int) -> str:
        names = [name for name, value in self.wrong.get(kind, {}).items() if value]
        found = f" ({', '.join(names)})" if names else ""
        return f"{longest} steps of the {KINDS[kind]} in a row gave numbers that are not finite{found}"
