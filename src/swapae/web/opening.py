"""How the model's process makes its `Studio`; a description that can be sent to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swapae.runtime.backends import BackendName


@dataclass(frozen=True)
class Opening:
    """What `Studio.open` is given, in the process of the model: only there is torch imported."""

    name: str
    device: str = "cpu"
    backend: "BackendName" = "torch"
    directions: tuple[str, ...] = ()
    max_side: int = 1024

    def __call__(self) -> object:
        """Load the model."""
        from swapae.runtime import tune_allocator
        from swapae.web.studio import Studio

        tune_allocator()
        return Studio.open(
            self.name,
            device=self.device,
            backend=self.backend,
            directions=self.directions,
            max_side=self.max_side,
        )
