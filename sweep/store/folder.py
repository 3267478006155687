"""A place for files: a folder on a disk here; `object_folder` has the prefix of an object store.

Every file is there whole or not at all, and durable once `write` has returned. Names that start with `_` are temporary:
readers pass over them.
"""

import errno
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from sweep.store.errors import StoreError

Parsed = TypeVar("Parsed")


class Folder(ABC):
    """Files by name, and folders within. `str` gives what a user would type to reach it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The last part of its path."""

    @property
    @abstractmethod
    def path(self) -> Path | None:
        """Where it is on this machine's disks; None in an object store."""

    @property
    @abstractmethod
    def parent(self) -> "Folder":
        """The folder that it is in."""

    @abstractmethod
    def __truediv__(self, name: str) -> "Folder":
        """The folder of that name within; it need not exist."""

    @abstractmethod
    def files(self) -> list[str]:
        """The names of the files directly within, ascending, temporary ones left out; empty if there is no folder."""

    @abstractmethod
    def folders(self) -> list[str]:
        """The names of the folders directly within, ascending."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError, OSError."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write or replace a file. Raises OSError naming it; then nothing has changed."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is fine."""

    def parsed(self, name: str, parse: Callable[[bytes], Parsed]) -> Parsed:
        """What `parse` makes of a file's content. Raises ValueError as `parse` does, and what `read` raises.

        An object store hands over as much of a file's new content as the old one had, if it is replaced meanwhile: what
        cannot be parsed is read again until it stays as it is.
        """
        data = self.read(name)
        while True:
            try:
                return parse(data)
            except ValueError:
                again = self.read(name)
                if again == data:
                    raise
                data = again

    def read_each(self, names: Sequence[str]) -> list[bytes]:
        """What `read` gives for each of many files."""
        return list(map(self.read, names))

    def remove_each(self, names: Sequence[str]) -> None:
        """`remove` for each of many files."""
        for name in names:
            self.remove(name)

    def clear(self) -> None:
        """Remove the files that are directly within. Raises OSError."""
        self.remove_each(self.files())

    @abstractmethod
    def modified(self, name: str) -> float:
        """When a file was last written, in seconds by the storage's own clock. Raises FileNotFoundError."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        try:
            self.modified(name)
        except FileNotFoundError:
            return False
        return True

    def age_s(self, name: str) -> float:
        """How long ago a file was written. By the storage's clock: machines that share it may disagree on the time.

        Raises FileNotFoundError.
        """
        written = self.modified(name)
        probe = f"_now-{uuid4().hex}"
        self.write(probe, b"")
        try:
            return self.modified(probe) - written
        finally:
            self.remove(probe)

    def file(self, name: str) -> str:
        """A file as messages name it."""
        return f"{self}/{name}"


@dataclass(frozen=True)
class LocalFolder(Folder):
    """A folder of a disk of this machine, or of one that it shares with others."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def path(self) -> Path:
        return self.root

    @property
    def parent(self) -> "LocalFolder":
        return LocalFolder(self.root.parent)

    def __str__(self) -> str:
        return str(self.root)

    def __truediv__(self, name: str) -> "LocalFolder":
        return LocalFolder(self.root / name)

    def files(self) -> list[str]:
        return self._names(folders=False)

    def folders(self) -> list[str]:
        return self._names(folders=True)

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        write_atomically(self.root / name, data)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """And the folder, with what else is in it."""
        if self.root.exists():
            shutil.rmtree(self.root)

    def modified(self, name: str) -> float:
        return (self.root / name).stat().st_mtime

    def _names(self, *, folders: bool) -> list[str]:
        try:
            with os.scandir(self.root) as entries:
                return sorted(e.name for e in entries if e.is_dir() is folders and not e.name.startswith("_"))
        except (FileNotFoundError, NotADirectoryError):
            return []


def open_folder(place: "str | Path | Folder") -> Folder:
    """The folder at a path or a URI such as s3://bucket/results; nothing is made or looked at yet.

    Raises StoreError for a URI that names no storage known here.
    """
    if isinstance(place, Folder):
        return place
    if str(place).startswith("file://"):
        pieces = urlsplit(str(place))
        if pieces.netloc not in ("", "localhost") or pieces.query or pieces.fragment:
            raise StoreError(f"{place}: not a folder of this machine; allowed: file:///ABSOLUTE/PATH, or just the path")
        place = unquote(pieces.path)
    if re.match(r"[a-z][a-z0-9+.-]+://", str(place)):
        from sweep.store.object_folder import ObjectFolder  # opening pyarrow's object stores takes a while

        return ObjectFolder(str(place))
    return LocalFolder(Path(place).expanduser().absolute())


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that is there whole after a crash, or not at all.

    Raises OSError (disk full, read-only) naming the file, having removed the temporary one.
    """
    # Two writers of one file share no temporary name; containers may share host name and process id.
    temporary = path.with_name(f"_{path.name}.{token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        # The rename itself must survive a power cut before the rows count as stored.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system whose folders have none
                raise
        finally:
            os.close(folder)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename != str(path):
            raise type(error)(error.errno, error.strerror or str(error), str(path)) from error
        raise
