"""Ramps: weights and patch sizes that change in the course of a training."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ScheduleConfig:
    """Straight ramps of some `loss` fields, from their own values to those given here; none is off."""

    begin: int = 0  # images seen when the ramps begin
    end: int = 0  # images seen when they have arrived; values stay from there on
    l1: float | None = None  # value of loss.l1 at the end; none leaves it as it is
    gan: float | None = None  # of loss.gan
    patch: float | None = None  # of loss.patch
    patch_min_scale: float | None = None  # of loss.patch_min_scale
    patch_max_scale: float | None = None  # of loss.patch_max_scale
    structure_consistency: float | None = None  # of loss.structure_consistency
    texture_consistency: float | None = None  # of loss.texture_consistency

    def __post_init__(self) -> None:
        if not 0 <= self.begin <= self.end:
            raise ValueError(
                f"loss.schedule.begin={self.begin} and end={self.end} must be at least 0, "
                "the first not after the second."
            )
        if self.end == 0 and self.goals():
            raise ValueError(
                f"loss.schedule.{next(iter(self.goals()))} needs loss.schedule.end: images seen."
            )

    def goals(self) -> dict[str, float]:
        """Give the values at the end, by field; those left alone are not among them."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None and name not in _CLOCK}

    def share(self, images_seen: int) -> float:
        """Say how much of the way is behind, from 0 to 1."""
        if self.begin == self.end:
            return float(images_seen >= self.end)
        return min(max((images_seen - self.begin) / (self.end - self.begin), 0.0), 1.0)


_CLOCK = ("begin", "end")
