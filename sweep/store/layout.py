"""Where a sweep keeps what, and how a file gets there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

MANIFEST = "sweep.json"
COMPACTED = {"epochs": "epochs.parquet", "trials": "trials.parquet"}
PARTS = "log"
CHECKPOINTS = "checkpoints"


def checkpoint_path(checkpoints: Path, trial_id: str) -> Path:
    """Where a trial keeps its state while it is unfinished."""
    return checkpoints / f"{trial_id}.pt"


def part_name(table: str, generation: int, first: int, last: int) -> str:
    """Name of a part that holds flushes `first` to `last` of one driver generation; sorts in order of writing."""
    return f"{table}-g{generation:04d}-{first:08d}-{last:08d}.parquet"


def part_key(name: str) -> tuple[str, int, int, int] | None:
    """(table, generation, first, last) of a part's file name; None if it is not one."""
    pieces = name.removesuffix(".parquet").split("-")
    if not name.endswith(".parquet") or len(pieces) != 4 or pieces[0] not in COMPACTED or pieces[1][:1] != "g":
        return None
    try:
        return pieces[0], int(pieces[1][1:]), int(pieces[2]), int(pieces[3])
    except ValueError:
        return None


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that is there whole after a crash, or not at all.

    The temporary name starts with `_`, which every reader passes over. Raises OSError (disk full, read-only), having
    removed the temporary file.
    """
    # The process id keeps two writers of one file from sharing a temporary name.
    temporary = path.with_name(f"_{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    # The rename itself must survive a power cut before the rows count as acknowledged.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
