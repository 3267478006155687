"""Storages that fail under a real sweep: a call that fails, a disk that fills up."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from real_sweeps import RealSweep, check_exactly_once

from analysis import load

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))

from failing_folder import Calls, FailingFolder

import sweep
from cluster.errors import PreflightError
from sweep.store import StoreError, read_sweep
from sweep.store.folder import LocalFolder
from sweep.tuning import launch

MakeSweep = Callable[..., RealSweep]
SMALL: dict[str, Any] = {
    "name": "small",
    "model": "mlp",
    "model_args": {"hidden": [16]},
    "dataset": "digits",
    "train_size": 100,
    "epochs": 2,
    "mode": "study",
    "space": {"lr": {"choice": [0.01, 0.001]}},
}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_real_sweep_whose_storage_fails_at_any_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(number: int | None, storage: Path) -> Calls:
        calls = Calls(number)
        monkeypatch.setattr(launch, "open_folder", lambda place: FailingFolder(LocalFolder(Path(place)), calls))
        try:
            sweep.run(SMALL, storage=storage)
        except (OSError, StoreError, PreflightError) as error:
            assert "made to fail" in str(error)  # noqa: PT017
        finally:
            monkeypatch.undo()
        return calls

    total = run(None, tmp_path / "whole").made
    print(f"{total} calls")
    for number in range(1, total + 1):
        storage = tmp_path / str(number)
        run(number, storage)
        folders = [path.parent for path in storage.glob("*/sweep.json")]
        if not folders:
            continue  # refused before anything started
        read_sweep(folders[0])
        # This process, in which the lease was taken, lives on.
        result = sweep.resume(folders[0], take_over=True)
        assert dict(result.statuses) == {"COMPLETED": 2}, f"call {number}"
        tables = load(folders[0])
        assert len(tables.epochs) == 4
        check_exactly_once(tables.epochs, tables.trials)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs needs more rights than this test has")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Callable[[], object]:
    """Write until the disk is full. Returns what makes room again."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(os.urandom(4096)):
            pass
    return ballast.unlink


def forbid_writing(disk: Path) -> Callable[[], object]:
    """Make the file system read-only, as a kernel does on errors. Returns what makes it writable again."""

    def remount(how: str) -> bool:
        return subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], capture_output=True).returncode == 0

    deadline = time.monotonic() + 60
    while not remount("ro"):  # refused while a file is open for writing
        assert time.monotonic() < deadline
    return lambda: remount("rw")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("breaking", "message"), [(fill, "No space left on device"), (forbid_writing, "Read-only file system")]
)
def test_a_disk_that_fails_in_the_middle(
    make_sweep: MakeSweep, small_disk: Path, breaking: Callable[[Path], Callable[[], object]], message: str
) -> None:
    study = {**SMALL, "epochs": 400, "train_size": None}
    sweep_ = make_sweep(study, storage=small_disk / "storage")
    process = sweep_.start()
    sweep_.wait_for_rows(process, 4)
    mend = breaking(small_disk)
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 1, printed
    assert message in printed
    assert str(sweep_.folder) in printed
    assert f"sweep resume {sweep_.folder}" in printed
    assert "Traceback" not in printed
    if breaking is fill:  # nothing can be tidied up where nothing can be written
        assert list(sweep_.folder.rglob("_*")) == []
    assert sweep_.rows() >= 4
    mend()
    sweep_.resume("--set", "max_retries=2")
    epochs, trials = sweep_.tables()
    assert len(epochs) == 800
    check_exactly_once(epochs, trials)
