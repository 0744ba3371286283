"""The C library's allocator, set for large tensors."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LARGEST = 2**31 - 1  # bytes: never give memory back to the system
MMAP_FROM = (2**30, 2**25)  # bytes: smaller blocks come from the heap; older versions refuse the first


def tune_allocator() -> bool:
    """Keep freed memory for the next tensor rather than giving it back to the system.

    By default glibc maps every large block anew, and the system clears each page at its first touch: that
    takes longer than most layers compute. The setting is of the whole process and its memory does not shrink
    again, so the library never makes it by itself; commands and servers do at their start.

    Returns:
        Whether there was a glibc to set. Elsewhere nothing is done.

    Example:
        >>> from swapae.runtime import tune_allocator
        >>> is_tuned = tune_allocator()
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    is_mapped = any(mallopt(M_MMAP_THRESHOLD, size) for size in MMAP_FROM)
    return bool(mallopt(M_TRIM_THRESHOLD, LARGEST)) and is_mapped
