"""Files that another process replaces while they are read, as an object store then hands them over."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sweep.store.errors import DamagedFileError
from sweep.store.folder import Folder, LocalFolder
from sweep.store.generations import Generation, commit, committed
from sweep.store.lease import Lease, holder
from sweep.store.manifest import read_manifest, write_manifest


@dataclass(frozen=True)
class ReplacedWhileRead(LocalFolder):
    """The first time that a file is read, as much of its content as an earlier, shorter one had."""

    reads: Counter[str] = field(default_factory=Counter)

    def __truediv__(self, name: str) -> Folder:
        return ReplacedWhileRead(self.root / name, self.reads)

    def read(self, name: str) -> bytes:
        self.reads[name] += 1
        whole = super().read(name)
        return whole if self.reads[name] > 1 else whole[:-9]


def test_they_are_read_again(tmp_path: Path) -> None:
    as_it_is, seen = LocalFolder(tmp_path), ReplacedWhileRead(tmp_path)
    write_manifest(as_it_is, {"sweep_id": "a"})
    assert read_manifest(seen)["sweep_id"] == "a"
    commit(as_it_is / "log", Generation(1, "abcdef12", {"epochs": (), "trials": ()}))
    found = committed(seen / "log")
    assert found is not None
    assert found.number == 1
    lease = Lease(as_it_is)
    driver = holder(seen)
    assert driver is not None
    assert driver.pid != "unknown"
    lease.release()


def test_what_stays_damaged_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"sweep_id": ')
    with pytest.raises(DamagedFileError, match=r"sweep\.json: damaged"):
        read_manifest(LocalFolder(tmp_path))
