"""How the networks are run: the same numbers in less time and memory, and the choice between ways."""

from swapae.runtime.allocator import tune_allocator

__all__ = ["tune_allocator"]
