"""What the C library does with memory that tensors give back."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of glibc's malloc.h


def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed tensors for the next ones. False where the C library is not glibc.

    By default glibc maps every block above some megabytes anew and unmaps it when it is freed; the kernel then clears
    each of its pages again. A training step frees and allocates the same sizes over and over.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    # 32 MiB is the most that glibc takes for the first; the second: give back nothing below 2 GiB.
    return bool(mallopt(_MMAP_THRESHOLD, 32 * 2**20)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))
