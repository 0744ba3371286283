"""Videos: frames in, edited frames out, one after the other (docs/video.md). Needs the extra `video`.

The names are imported when they are first asked for: what is no video is refused before torch is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swapae.editing.temporal import Keyframes
    from swapae.video.frames import Facts, Frame, Span
    from swapae.video.job import Done, edit_video
    from swapae.video.look import Look, edited_frames
    from swapae.video.sink import file_sink
    from swapae.video.source import open_video

__all__ = [
    "Done",
    "Facts",
    "Frame",
    "Keyframes",
    "Look",
    "Span",
    "edit_video",
    "edited_frames",
    "file_sink",
    "open_video",
]

_HOMES = {
    "Done": "swapae.video.job",
    "Facts": "swapae.video.frames",
    "Frame": "swapae.video.frames",
    "Keyframes": "swapae.editing.temporal",
    "Look": "swapae.video.look",
    "Span": "swapae.video.frames",
    "edit_video": "swapae.video.job",
    "edited_frames": "swapae.video.look",
    "file_sink": "swapae.video.sink",
    "open_video": "swapae.video.source",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'swapae.video' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
