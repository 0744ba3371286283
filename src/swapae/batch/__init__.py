"""One edit for many pictures: on this machine, on a part of a cluster, or by Ray (docs/batch.md).

The names are imported when they are first asked for: what is done can be written down without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swapae.batch.edit import Edit
    from swapae.batch.editor import Editor
    from swapae.batch.rows import EditRows

__all__ = ["Edit", "EditRows", "Editor"]

_HOMES = {"Edit": "swapae.batch.edit", "EditRows": "swapae.batch.rows", "Editor": "swapae.batch.editor"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'swapae.batch' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
