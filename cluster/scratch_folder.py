"""Folders for what Ray and Ray Tune write while a driver lives, and nobody reads afterwards."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Ray's socket paths are limited to about 100 characters, so the folder must be short.
_PARENT = Path("/tmp")
_PREFIX = "gapsweep-"
_LOCK = "in-use"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed at the end; those of drivers that were killed are removed first."""
    _remove_left_behind()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_PARENT))
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process, however that ends
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind() -> None:
    for lock_path in _PARENT.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            if time.time() - lock_path.stat().st_mtime < 60:
                continue  # its driver may be about to lock it
            with lock_path.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock_path.parent, ignore_errors=True)
        except OSError:
            continue  # in use, another user's, or just removed
