"""How metrics stream: batches of images go in, parts of several processes add up, figures come out."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from torch import Tensor

from swapae.metrics.accumulators import Moments, Part, Samples
from swapae.metrics.intervals import standard_error, wilson
from swapae.metrics.memory import Memory, Rows
from swapae.metrics.processes import Processes

T = TypeVar("T")
Figures = dict[str, float]


@dataclass(frozen=True)
class Batch:
    """Images that were seen or made, by the part they play, each `[B, 3, H, W]` in [-1, 1].

    Of a data set: `photo` and its `reconstruction`. Of a pair: the `structure` and the `texture` image, the
    `hybrid`, and `unswapped`, which is what the model makes of the structure image's own codes; with them
    comes `texture_change` [B], the Euclidean distance of the two texture codes.

    - numbers: of the images in their data set, or of the pairs in their list [B].
    - photos: by role, if its images are photos, their numbers in the data set [B].
    - memory: what is known of photos, from other batches too.
    """

    numbers: Tensor
    images: Mapping[str, Tensor]
    known: dict[Hashable, tuple[list[Tensor], object]] = field(default_factory=dict, repr=False)
    photos: Mapping[str, Tensor] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory, repr=False)

    def has(self, roles: Sequence[str]) -> bool:
        """Whether all of these are there."""
        return all(role in self.images for role in roles)

    def once(self, kind: Hashable, roles: Sequence[str], compute: Callable[..., T]) -> T:
        """Compute something of the images of these roles, when it is first asked for.

        It is known to every batch that was `replaced` from this one and holds the same images.
        """
        images = [self.images[role] for role in roles]
        key = (kind, *map(id, images))
        if key not in self.known:
            self.known[key] = images, compute(*images)  # kept with them: no other gets their id
        return self.known[key][1]  # type: ignore[return-value]

    def rows(self, kind: Hashable, role: str, compute: Callable[[Tensor], Rows]) -> Rows:
        """Compute rows of each image of a role, by name `[B, …]`; those of a photo once in all batches."""
        if role not in self.photos:
            return self.once(kind, [role], compute)
        numbers = self.photos[role]
        return self.once(kind, [role], lambda images: self.memory.rows(kind, numbers, images, compute))

    def replaced(self, **images: Tensor) -> "Batch":
        """The same batch with other images for some roles; copies of photos are known for what they are."""
        roles = {**self.images, **images}
        number_of = {id(self.images[role]): numbers for role, numbers in self.photos.items()}
        photos = {role: number_of[id(image)] for role, image in roles.items() if id(image) in number_of}
        return replace(self, images=roles, photos=photos)

    def only(self, roles: Sequence[str]) -> "Batch":
        """The same batch without the other roles."""
        kept = {role: self.images[role] for role in roles}
        return replace(self, images=kept)


class Collector(Protocol):
    """A metric at work."""

    def update(self, batch: Batch) -> None:
        """Take in a batch; one of other roles is passed over."""
        ...

    def parts(self) -> list[Part]:
        """What was kept, to be sent to another process."""
        ...

    def absorb(self, parts: Sequence[Part]) -> None:
        """Add what another process kept."""
        ...

    def figures(self) -> Figures:
        """The figures by name; none if nothing was taken in."""
        ...


class PerImage:
    """The mean over images or pairs, and its standard error; of a share, its interval.

    Args:
        roles: what must be in a batch.
        measure: figures by name of a batch, each `[B]`.
        shares: names of those that are 0 or 1: their mean is a share.
    """

    def __init__(
        self,
        roles: Sequence[str],
        measure: Callable[[Batch], Mapping[str, Tensor]],
        shares: Sequence[str] = (),
    ) -> None:
        self.roles, self.measure, self.shares = roles, measure, shares
        self.values: dict[str, Samples] = {}

    def update(self, batch: Batch) -> None:
        """Measure each image or pair."""
        if not batch.has(self.roles):
            return
        for name, values in self.measure(batch).items():
            kept = self.values.setdefault(name, Samples(name=name))
            kept.add(batch.numbers, values.detach().cpu().double()[:, None])

    def parts(self) -> list[Part]:
        """Samples for each name; a name that only another process saw has none here."""
        return list(self.values.values())

    def absorb(self, parts: Sequence[Part]) -> None:
        """Add the other's values, name by name."""
        for part in parts:
            assert isinstance(part, Samples)
            self.values[part.name] = self.values.get(part.name, Samples()).merged(part)

    def by_number(self, name: str) -> tuple[Tensor, Tensor]:
        """Numbers and values [N] of the images or pairs, to find the best and the worst."""
        numbers, rows = self.values[name].read()
        return numbers, rows[:, 0]

    def singles(self) -> dict[str, dict[int, float]]:
        """The value of each image or pair, by figure and by number."""
        found = {name: self.by_number(name) for name in self.values}
        return {
            name: dict(zip(*(side.tolist() for side in pair), strict=True)) for name, pair in found.items()
        }

    def figures(self) -> Figures:
        """The mean of each name, and beside it its standard error, or the ends of a share's interval."""
        found: Figures = {}
        for name in self.values:
            values = self.by_number(name)[1]
            found[name] = values.mean().item()
            if name in self.shares:
                found[f"{name} low"], found[f"{name} high"] = wilson(found[name], len(values))
            else:
                found[f"{name} standard error"] = standard_error(values)
        return found


class RatioOfSums(PerImage):
    """The sum of one figure over that of another: a mean rate, in which pairs count by their denominators.

    Args:
        name: of the ratio.
        roles: what must be in a batch.
        measure: numerators and denominators of a batch, each `[B]`.
    """

    def __init__(
        self, name: str, roles: Sequence[str], measure: Callable[[Batch], tuple[Tensor, Tensor]]
    ) -> None:
        def both(batch: Batch) -> dict[str, Tensor]:
            above, below = measure(batch)
            return {"above": above, "below": below}

        super().__init__(roles, both)
        self.name = name

    def singles(self) -> dict[str, dict[int, float]]:
        """The ratio of each image or pair."""
        found = super().singles()
        if not found:
            return {}
        below = found["below"]
        return {
            self.name: {number: value / max(below[number], 1e-12) for number, value in found["above"].items()}
        }

    def figures(self) -> Figures:
        """The ratio, and beside it its standard error by linearisation."""
        if not self.values:
            return {}
        above, below = (self.by_number(name)[1] for name in ("above", "below"))
        ratio = (above.sum() / below.sum().clamp(min=1e-12)).item()
        error = standard_error(above - ratio * below) / max(below.mean().item(), 1e-12)
        return {self.name: ratio, f"{self.name} standard error": error}


class BetweenSets:
    """A distance between two sets of images by their features.

    Args:
        roles: of the made images, and of the real ones.
        features: of a role in a batch, `[B, D]`.
        start: makes what each set is kept as.
        formula: figures by name, of both.
    """

    def __init__(
        self,
        roles: tuple[str, str],
        features: Callable[[Batch, str], Tensor],
        start: type[Moments] | type[Samples],
        formula: Callable[[Part, Part], Figures],
    ) -> None:
        self.roles, self.features, self.formula = roles, features, formula
        self.sets: list[Part] = [start(), start()]

    def update(self, batch: Batch) -> None:
        """Keep the features of the roles that are there."""
        for side, role in enumerate(self.roles):
            if not batch.has([role]):
                continue
            features, kept = self.features(batch, role), self.sets[side]
            if isinstance(kept, Moments):
                kept.add(features)
            else:
                kept.add(batch.numbers, features.float())

    def parts(self) -> list[Part]:
        """The two sets."""
        return list(self.sets)

    def absorb(self, parts: Sequence[Part]) -> None:
        """Add the other's sets."""
        self.sets = [_merged(mine, other) for mine, other in zip(self.sets, parts, strict=True)]

    def figures(self) -> Figures:
        """What the formula says."""
        return {} if any(part.is_empty for part in self.sets) else self.formula(*self.sets)


def pool(collectors: Sequence[Collector], processes: Processes) -> None:
    """Add up the parts of all processes, so that each has the whole; all call it with the same collectors."""
    if processes.num_processes == 1:
        return
    everyone = processes.gather([[collector.parts() for collector in collectors]])
    for rank, theirs in enumerate(everyone):
        if rank == processes.rank:
            continue
        for collector, parts in zip(collectors, theirs, strict=True):
            collector.absorb(parts)


def all_figures(collectors: Sequence[Collector]) -> Figures:
    """The figures of all, in their order."""
    return {name: value for collector in collectors for name, value in collector.figures().items()}


def _merged(mine: Part, other: Part) -> Part:
    if isinstance(mine, Moments) and isinstance(other, Moments):
        return mine.merged(other)
    assert isinstance(mine, Samples)
    assert isinstance(other, Samples)
    return mine.merged(other)
