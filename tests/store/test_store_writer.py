"""The writer: what it has flushed is there, once, whatever happens next."""

import multiprocessing
import resource
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sweep.store import SupersededError, SweepInUseError, read_sweep
from sweep.store.layout import PARTS
from sweep.store.manifest import write_manifest
from sweep.store.writer import MERGE_ABOVE_PARTS, StoreWriter


def epoch_row(trial: str, epoch: int, val_loss: float = 1.0) -> dict[str, Any]:
    return {"sweep_id": "s", "trial_id": trial, "epoch": epoch, "val_loss": val_loss}


def trial_row(trial: str, status: str) -> dict[str, Any]:
    return {"sweep_id": "s", "trial_id": trial, "status": status}


@pytest.fixture
def sweep_dir(tmp_path: Path) -> Path:
    write_manifest(tmp_path, {"sweep_id": "s"})
    return tmp_path


def keys(sweep_dir: Path) -> list[tuple[str, int]]:
    epochs = read_sweep(sweep_dir).epochs
    return list(zip(epochs["trial_id"].to_pylist(), epochs["epoch"].to_pylist(), strict=True))


def test_flushed_rows_are_read_before_the_sweep_ends(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    writer.add_epoch(epoch_row("a", 1))
    writer.put_trial(trial_row("a", "RUNNING"))
    assert keys(sweep_dir) == []
    writer.flush()
    assert keys(sweep_dir) == [("a", 1)]
    assert read_sweep(sweep_dir).trials["status"].to_pylist() == ["RUNNING"]


def test_an_epoch_told_twice_is_stored_once_also_by_a_later_driver(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    assert writer.add_epoch(epoch_row("a", 1))
    assert not writer.add_epoch(epoch_row("a", 1, val_loss=9.0))
    writer.flush()
    writer.close()
    later = StoreWriter(sweep_dir)
    assert not later.add_epoch(epoch_row("a", 1, val_loss=9.0))
    assert later.add_epoch(epoch_row("a", 2))
    later.compact()
    assert keys(sweep_dir) == [("a", 1), ("a", 2)]
    assert read_sweep(sweep_dir).epochs["val_loss"].to_pylist() == [1.0, 1.0]


def test_the_last_row_of_a_trial_counts(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    for status in ("RUNNING", "RUNNING", "COMPLETED"):
        writer.put_trial(trial_row("a", status))
        writer.flush()
    assert read_sweep(sweep_dir).trials["status"].to_pylist() == ["COMPLETED"]


def test_many_parts_are_merged_and_no_row_changes(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    count = 2 * MERGE_ABOVE_PARTS + 10
    for epoch in range(1, count + 1):
        writer.add_epoch(epoch_row("a", epoch, val_loss=float(epoch)))
        writer.put_trial(trial_row("a", f"epoch {epoch}"))
        writer.flush()
    parts = list((sweep_dir / PARTS).glob("epochs-*.parquet"))
    assert len(parts) == 2 + 10
    tables = read_sweep(sweep_dir)
    assert tables.epochs["val_loss"].to_pylist() == [float(epoch) for epoch in range(1, count + 1)]
    assert tables.trials["status"].to_pylist() == [f"epoch {count}"]


def test_parts_left_beside_the_merged_one_by_a_kill_change_nothing(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    saved: dict[Path, bytes] = {}
    for epoch in range(1, MERGE_ABOVE_PARTS + 1):
        writer.put_trial(trial_row("a", f"epoch {epoch}"))
        writer.flush()
        saved |= {path: path.read_bytes() for path in (sweep_dir / PARTS).glob("trials-*.parquet")}
    for path, data in saved.items():
        path.write_bytes(data)
    # The part that set the merge off was gone before it could be saved.
    assert len(list((sweep_dir / PARTS).glob("trials-*.parquet"))) == 1 + MERGE_ABOVE_PARTS - 1
    assert read_sweep(sweep_dir).trials["status"].to_pylist() == [f"epoch {MERGE_ABOVE_PARTS}"]


def test_compaction_leaves_one_file_a_table_that_plain_parquet_readers_open(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    for epoch in (2, 1):
        for trial in ("b", "a"):
            writer.add_epoch(epoch_row(trial, epoch))
        writer.flush()
    before = read_sweep(sweep_dir)
    writer.compact()
    assert list((sweep_dir / PARTS).glob("*.parquet")) == []
    assert pq.read_table(sweep_dir / "epochs.parquet").to_pylist() == before.epochs.to_pylist()
    assert keys(sweep_dir) == [("b", 1), ("b", 2), ("a", 1), ("a", 2)]


def test_a_second_driver_is_refused_with_the_holders_pid(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    with pytest.raises(SweepInUseError, match=r"another driver .*pid"):
        StoreWriter(sweep_dir)
    writer.close()
    StoreWriter(sweep_dir).close()


def test_a_superseded_driver_refuses_to_write(sweep_dir: Path) -> None:
    old = StoreWriter(sweep_dir)
    old.add_epoch(epoch_row("a", 1))
    old.close()  # as if its machine had been paused and its lock had run out
    new = StoreWriter(sweep_dir)
    assert new.generation == old.generation + 1
    with pytest.raises(SupersededError, match="later driver"):
        old.flush()
    new.flush()
    assert keys(sweep_dir) == []


def _write_until_killed(sweep_dir: Path) -> None:
    writer = StoreWriter(sweep_dir)
    for epoch in range(1, 10_000):
        writer.add_epoch(epoch_row("a", epoch))
        writer.flush()
        (sweep_dir / "acknowledged").write_text(str(epoch))


def test_rows_acknowledged_before_a_kill_are_all_there(sweep_dir: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_write_until_killed, args=(sweep_dir,))
    process.start()
    acknowledged = sweep_dir / "acknowledged"
    while not (acknowledged.exists() and (acknowledged.read_text() or "0") >= "20"):
        assert process.is_alive()
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    told = int(acknowledged.read_text() or 0)
    stored = [epoch for _, epoch in keys(sweep_dir)]
    assert stored == list(range(1, len(stored) + 1))
    assert told <= len(stored) <= told + 1
    writer = StoreWriter(sweep_dir)
    writer.compact()
    assert [epoch for _, epoch in keys(sweep_dir)] == stored


def _write_with_a_small_file_limit(sweep_dir: Path, result: Any) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = StoreWriter(sweep_dir)
    writer.add_epoch(epoch_row("a", 1))
    writer.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    writer.add_epoch(epoch_row("a", 2))
    try:
        writer.flush()
        result.put("no error")
    except OSError as error:
        result.put(type(error).__name__)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.flush()


def test_a_write_that_fails_leaves_no_half_part_and_keeps_its_rows(sweep_dir: Path) -> None:
    context = multiprocessing.get_context("spawn")
    result = context.Queue()
    process = context.Process(target=_write_with_a_small_file_limit, args=(sweep_dir, result))
    process.start()
    assert result.get(timeout=60) == "OSError"
    process.join()
    assert process.exitcode == 0
    assert keys(sweep_dir) == [("a", 1), ("a", 2)]
    assert list((sweep_dir / PARTS).glob("_*")) == []
