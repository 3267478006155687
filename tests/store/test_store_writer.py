"""The writer: what it has flushed is there, once, whatever happens next."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from stored_rows import epoch_row, keys, parts, trial_row, write_epochs

from sweep.store import SupersededError, SweepInUseError, lease, read_sweep
from sweep.store.folder import LocalFolder
from sweep.store.writer import MERGE_PARTS, StoreWriter


def test_flushed_rows_are_read_before_the_sweep_ends(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    writer.add_epoch(epoch_row("a", 1))
    writer.put_trial(trial_row("a", "RUNNING"))
    assert keys(sweep) == []
    writer.flush()
    assert keys(sweep) == [("a", 1)]
    assert read_sweep(sweep).trials["status"].to_pylist() == ["RUNNING"]


def test_an_epoch_told_twice_is_stored_once_also_by_a_later_driver(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    assert writer.add_epoch(epoch_row("a", 1))
    assert not writer.add_epoch(epoch_row("a", 1, val_loss=9.0))
    writer.flush()
    writer.close()
    later = StoreWriter(sweep)
    assert not later.add_epoch(epoch_row("a", 1, val_loss=9.0))
    assert later.add_epoch(epoch_row("a", 2))
    later.compact()
    assert keys(sweep) == [("a", 1), ("a", 2)]
    assert read_sweep(sweep).epochs["val_loss"].to_pylist() == [1.0, 1.0]


def test_the_last_row_of_a_trial_counts(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    for status in ("RUNNING", "RUNNING", "COMPLETED"):
        writer.put_trial(trial_row("a", status))
        writer.flush()
    assert read_sweep(sweep).trials["status"].to_pylist() == ["COMPLETED"]


def test_many_parts_are_merged_also_over_resumes_and_no_row_changes(sweep: LocalFolder) -> None:
    count = 2 * MERGE_PARTS + 10
    write_epochs(sweep, 1, 50)
    write_epochs(sweep, 51, count)
    assert len(parts(sweep, "epochs")) == 2 + 10
    tables = read_sweep(sweep)
    assert tables.epochs["val_loss"].to_pylist() == [float(epoch) for epoch in range(1, count + 1)]
    assert tables.trials["status"].to_pylist() == [f"epoch {count}"]


def test_compaction_publishes_one_file_a_table_that_plain_parquet_readers_open(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    for epoch in (2, 1):
        for trial in ("b", "a"):
            writer.add_epoch(epoch_row(trial, epoch))
        writer.flush()
    before = read_sweep(sweep)
    writer.compact()
    assert len(parts(sweep, "epochs")) == 1
    assert pq.read_table(sweep.root / "epochs.parquet").to_pylist() == before.epochs.to_pylist()
    assert keys(sweep) == [("b", 1), ("b", 2), ("a", 1), ("a", 2)]


def test_a_sweep_whose_log_was_removed_after_its_end_reads_and_goes_on(sweep: LocalFolder) -> None:
    write_epochs(sweep, 1, 3)
    writer = StoreWriter(sweep)
    writer.compact()
    writer.close()
    sweep.write("sweep.json", b'{"schema_version": 1, "sweep_id": "s", "state": "COMPLETED", "generation": 2}')
    for name in (sweep / "log").files():
        (sweep / "log").remove(name)
    assert len(keys(sweep)) == 3
    write_epochs(sweep, 4, 4)
    assert len(keys(sweep)) == 4


def test_a_second_driver_is_refused_with_the_holders_pid(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    with pytest.raises(SweepInUseError, match=r"another driver \(pid \d+ on host .*--take-over"):
        StoreWriter(sweep)
    writer.close()
    StoreWriter(sweep).close()


def test_a_driver_that_died_or_fell_silent_is_no_hindrance(sweep: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import os, sys; from sweep.store.folder import LocalFolder; from pathlib import Path\n"
    script += "from sweep.store.writer import StoreWriter; StoreWriter(LocalFolder(Path(sys.argv[1]))); os._exit(1)"
    subprocess.run([sys.executable, "-c", script, str(sweep)], check=False)
    assert sweep.root.joinpath("log", "driver.json").exists()
    StoreWriter(sweep)  # and now it is this process that holds it
    monkeypatch.setattr(lease, "SILENT_AFTER_S", 0.2)
    time.sleep(0.3)
    assert StoreWriter(sweep).generation == 3


def test_signs_of_life_keep_a_sweep(sweep: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY_S", 0.0)
    writer = StoreWriter(sweep)
    long_ago = time.time() - 2 * lease.SILENT_AFTER_S
    os.utime(sweep.root / "log" / "driver.json", (long_ago, long_ago))
    writer.flush_if_due()
    with pytest.raises(SweepInUseError):
        StoreWriter(sweep)


def test_a_superseded_driver_refuses_to_write_and_leaves_the_later_ones_lease(sweep: LocalFolder) -> None:
    old = StoreWriter(sweep)
    old.add_epoch(epoch_row("a", 1))
    new = StoreWriter(sweep, take_over=True)
    assert new.generation == old.generation + 1
    with pytest.raises(SupersededError, match="later driver"):
        old.flush()
    with pytest.raises(SupersededError, match="later driver"):
        old.compact()
    old.close()
    assert (sweep / "log").exists("driver.json")
    new.add_epoch(epoch_row("b", 1))
    new.compact()
    assert keys(sweep) == [("b", 1)]


def _write_until_killed(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    with (sweep.root / "acknowledged").open("w") as told:
        for epoch in range(1, 10_000):
            writer.add_epoch(epoch_row("a", epoch))
            writer.flush()
            print(epoch, file=told, flush=True)


def test_rows_acknowledged_before_a_kill_are_all_there(sweep: LocalFolder) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_write_until_killed, args=(sweep,))
    process.start()
    acknowledged = sweep.root / "acknowledged"
    while not (acknowledged.exists() and acknowledged.read_text().count("\n") >= 20):
        assert process.is_alive()
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    told = acknowledged.read_text().count("\n")
    stored = [epoch for _, epoch in keys(sweep)]
    assert stored == list(range(1, len(stored) + 1))
    assert told <= len(stored) <= told + 1
    writer = StoreWriter(sweep)
    writer.compact()
    assert [epoch for _, epoch in keys(sweep)] == stored


def _write_with_a_small_file_limit(sweep: LocalFolder, result: Any) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = StoreWriter(sweep)
    writer.add_epoch(epoch_row("a", 1))
    writer.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    writer.add_epoch(epoch_row("a", 2))
    try:
        writer.flush()
        result.put("no error")
    except OSError as error:
        result.put(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.flush()


def test_a_write_that_fails_names_its_file_leaves_no_half_part_and_keeps_its_rows(sweep: LocalFolder) -> None:
    context = multiprocessing.get_context("spawn")
    result = context.Queue()
    process = context.Process(target=_write_with_a_small_file_limit, args=(sweep, result))
    process.start()
    assert str(sweep / "log" / "epochs-g0001") in result.get(timeout=60)
    process.join()
    assert process.exitcode == 0
    assert keys(sweep) == [("a", 1), ("a", 2)]
    assert list(Path(sweep.root).rglob("_*")) == []


@dataclass(frozen=True)
class TakenOver(LocalFolder):
    """A sweep that a second driver takes over, and stores an epoch in, while the first one writes `during`."""

    during: str = ""

    def write(self, name: str, data: bytes) -> None:
        super().write(name, data)
        if name == self.during:
            later = StoreWriter(LocalFolder(self.root), take_over=True)
            later.add_epoch(epoch_row("a", 3))
            later.flush()


@pytest.mark.parametrize("during", ["epochs.parquet", "trials.parquet"])
def test_a_driver_that_is_superseded_while_it_compacts_removes_nothing_of_the_later_ones(
    sweep: LocalFolder, during: str
) -> None:
    old = StoreWriter(TakenOver(sweep.root, during))
    for epoch in (1, 2):
        old.add_epoch(epoch_row("a", epoch))
    with suppress(SupersededError):
        old.compact()
    assert keys(sweep) == [("a", 1), ("a", 2), ("a", 3)]
    with pytest.raises(SupersededError):
        old.compact()
    assert keys(sweep) == [("a", 1), ("a", 2), ("a", 3)]


def test_a_superseded_driver_shows_no_sign_of_life(sweep: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY_S", 0.0)
    old = StoreWriter(sweep)
    StoreWriter(sweep, take_over=True)
    held = (sweep / "log").read("driver.json")
    with pytest.raises(SupersededError, match="later driver"):
        old.flush_if_due()
    assert (sweep / "log").read("driver.json") == held


def test_who_waits_for_rows_to_be_stored_is_told_once_they_are(sweep: LocalFolder) -> None:
    writer = StoreWriter(sweep)
    seen: list[list[tuple[str, int]]] = []
    writer.when_stored.append(lambda: seen.append(keys(sweep)))
    writer.add_epoch(epoch_row("a", 1))
    assert seen == []
    writer.flush()
    writer.flush()
    assert seen == [[("a", 1)]]
