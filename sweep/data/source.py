"""Dataset names: digits | cifar10 | cifar100 | parquet:PATH | folder:PATH. Light: neither torch nor numpy."""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sweep.data.errors import DataError
from sweep.data.layout import class_folders, parquet_shards

NAMED = ("digits", "cifar10", "cifar100")
WITH_PATH = ("parquet", "folder")
ALLOWED = "digits, cifar10, cifar100, parquet:PATH or folder:PATH"


@dataclass(frozen=True)
class Source:
    """What a dataset's name means. path: absolute, for parquet and folder only."""

    kind: str
    path: Path | None = None


def parse_dataset(name: str) -> Source:
    """Read a name; a relative PATH starts at the current directory, `~` is the home directory.

    Raises DataError for anything but the allowed forms. Does not look at the disk.
    """
    kind, colon, path = name.partition(":")
    if kind in WITH_PATH:
        if not path.strip():
            raise DataError(f"dataset {name!r}: no path given; write {kind}:PATH")
        if "://" in path:
            raise DataError(f"dataset {name!r}: PATH is to be on a disk; copy the data to each machine that trains")
        return Source(kind, Path(os.path.abspath(os.path.expanduser(path))))
    if kind in NAMED:
        if colon:
            raise DataError(f"dataset {name!r}: {kind} takes no path; write {kind}, or parquet:PATH or folder:PATH")
        return Source(kind)
    nearest = get_close_matches(kind.lower().replace("-", ""), NAMED + WITH_PATH, n=1)
    hint = f"; did you mean {nearest[0]}{':PATH' if nearest[0] in WITH_PATH else ''}?" if nearest else ""
    raise DataError(f"dataset {name!r}: unknown; allowed: {ALLOWED}{hint}")


def check_dataset(name: str) -> None:
    """Raise DataError unless the name is allowed and a PATH holds files laid out as its kind wants them."""
    source = parse_dataset(name)
    if source.path is not None:
        if not os.path.exists(source.path):  # Path.exists raises for names that no file can have
            raise DataError(f"dataset {name!r}: there is no {source.path}; give a path that exists")
        if source.kind == "parquet":
            parquet_shards(source.path)
        else:
            class_folders(source.path)


def absolute_name(name: str) -> str:
    """The same dataset's name with its PATH absolute: trials run in directories of their own."""
    source = parse_dataset(name)
    return name if source.path is None else f"{source.kind}:{source.path}"
