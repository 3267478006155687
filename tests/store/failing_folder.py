"""A storage whose n-th call fails, over real files."""

import errno
from dataclasses import dataclass, field
from typing import Any

from sweep.store.folder import Folder


@dataclass
class Calls:
    """Counts the calls to a storage; the one numbered `failing` (from 1) and `repeats - 1` after it fail."""

    failing: int | None = None
    repeats: int = 1
    made: int = 0
    names: list[str] = field(default_factory=list)

    def make(self, name: str) -> None:
        self.made += 1
        self.names.append(name)
        if self.failing is not None and self.failing <= self.made < self.failing + self.repeats:
            raise OSError(errno.EIO, "made to fail", name)


@dataclass(frozen=True)
class FailingFolder(Folder):
    """Everything goes to `real`, after `calls` has had its say."""

    real: Folder
    calls: Calls

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def path(self) -> Any:
        return self.real.path

    @property
    def parent(self) -> Folder:
        return self.real.parent

    def __str__(self) -> str:
        return str(self.real)

    def __truediv__(self, name: str) -> Folder:
        # Workers have a copy of the checkpoints' folder, and of its own count.
        return self.real / name if name == "checkpoints" else FailingFolder(self.real / name, self.calls)

    def files(self) -> list[str]:
        self.calls.make("files")
        return self.real.files()

    def folders(self) -> list[str]:
        self.calls.make("folders")
        return self.real.folders()

    def read(self, name: str) -> bytes:
        self.calls.make(f"read {name}")
        return self.real.read(name)

    def write(self, name: str, data: bytes) -> None:
        self.calls.make(f"write {name}")
        self.real.write(name, data)

    def remove(self, name: str) -> None:
        self.calls.make(f"remove {name}")
        self.real.remove(name)

    def modified(self, name: str) -> float:
        self.calls.make(f"modified {name}")
        return self.real.modified(name)
