"""kill -9 of a driver before each single step that its storage takes, compaction's included."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from failing_folder import Calls, FailingFolder
from stored_rows import EPOCHS, drive, keys, new_sweep

from sweep.store import read_sweep
from sweep.store import writer as writer_module
from sweep.store.folder import LocalFolder
from sweep.store.verify import verify


@dataclass
class Steps(Calls):
    """Kills its process where `Calls` would fail."""

    def make(self, name: str) -> None:
        self.made += 1
        if self.made == self.failing:
            os.kill(os.getpid(), signal.SIGKILL)


def count_inner_steps(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what a file's atomic write is made of: before it is flushed to the disk, and before it gets its name."""
    fsync, replace = os.fsync, Path.replace

    def counted_fsync(file: int) -> None:
        steps.make("fsync")
        fsync(file)

    def counted_replace(path: Path, target: Path) -> Path:
        steps.make("replace")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", counted_fsync)
    monkeypatch.setattr(Path, "replace", counted_replace)


def drive_until_killed(sweep: LocalFolder, step: int, told: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """In a process of its own; what is acknowledged goes to `told`. True if it was killed, False if it came through."""
    child = os.fork()
    if child == 0:
        # Only os._exit leaves this process: it is a copy of the whole test run.
        try:
            steps = Steps(step)
            count_inner_steps(steps, monkeypatch)
            with told.open("a", buffering=1) as file:
                drive(FailingFolder(sweep, steps), lambda epoch: print(epoch, file=file))
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.slow
def test_before_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MERGE_PARTS", 3)
    step = 0
    killed = True
    while killed:
        step += 1
        sweep = new_sweep(tmp_path / str(step))
        told = tmp_path / f"{step}.txt"
        killed = drive_until_killed(sweep, step, told, monkeypatch)
        acknowledged = [int(line) for line in told.read_text().split()]
        # The row that was being flushed may have become durable.
        assert [epoch for _, epoch in keys(sweep)] in (acknowledged, [*acknowledged, len(acknowledged) + 1])
        assert verify(sweep) == []
        drive(sweep)
        assert [epoch for _, epoch in keys(sweep)] == list(range(1, EPOCHS + 1))
        assert read_sweep(sweep).trials["status"].to_pylist() == [f"epoch {EPOCHS}"]
    assert step > 150
