"""A storage that fails at any one call: what was acknowledged is what is read, and a later driver goes on."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from failing_folder import Calls, FailingFolder
from stored_rows import EPOCHS, drive, epoch_row, keys, new_sweep, trial_row

from sweep.store import lease, read_sweep
from sweep.store import writer as writer_module
from sweep.store.folder import LocalFolder
from sweep.store.verify import verify
from sweep.store.writer import StoreWriter


@pytest.fixture(autouse=True)
def _setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MERGE_PARTS", 3)
    # The lease of a driver that could not remove it: here its process, this one, lives on.
    monkeypatch.setattr(lease, "SILENT_AFTER_S", 0.0)


def number_of_calls(folder: Path) -> int:
    calls = Calls()
    drive(FailingFolder(new_sweep(folder), calls))
    assert calls.made > 60
    return calls.made


def check_rows(sweep: LocalFolder, acknowledged: list[int], calls: Calls) -> None:
    """What was acknowledged is there, and nothing else, but for the rows of a flush that was durable when the storage
    would not say whether a later driver had come."""
    stored = [epoch for _, epoch in keys(sweep)]
    assert calls.failing is not None
    before = calls.names[max(0, calls.failing - 2) : calls.failing]
    if len(before) == 2 and before[0].startswith("write generation") and before[1] == "files":
        assert stored in (acknowledged, [*acknowledged, len(acknowledged) + 1])
    else:
        assert stored == acknowledged


def test_at_every_call(tmp_path: Path) -> None:
    failed = 0
    for number in range(1, number_of_calls(tmp_path / "whole") + 1):
        sweep = new_sweep(tmp_path / str(number))
        acknowledged: list[int] = []
        calls = Calls(number)
        try:
            drive(FailingFolder(sweep, calls), acknowledged.append)
        except OSError as error:
            assert "made to fail" in str(error)  # noqa: PT017
            failed += 1
        check_rows(sweep, acknowledged, calls)
        assert verify(sweep) == []
        drive(FailingFolder(sweep, Calls()))
        assert [epoch for _, epoch in keys(sweep)] == list(range(1, EPOCHS + 1))
        assert read_sweep(sweep).trials["status"].to_pylist() == [f"epoch {EPOCHS}"]
    assert failed > 50


def test_a_flush_that_failed_once_succeeds_later(tmp_path: Path) -> None:
    failed = 0
    for number in range(1, 8):
        sweep = new_sweep(tmp_path / str(number))
        calls = Calls()
        writer = StoreWriter(FailingFolder(sweep, calls))
        writer.add_epoch(epoch_row("a", 1))
        writer.put_trial(trial_row("a", "RUNNING"))
        calls.failing, calls.made = number, 0
        try:
            writer.flush()
        except OSError:
            failed += 1
            assert keys(sweep) in ([], [("a", 1)])
            writer.flush()
        assert keys(sweep) == [("a", 1)]
        writer.close()
    assert failed > 0


def test_a_storage_that_stays_away(tmp_path: Path) -> None:
    total = number_of_calls(tmp_path / "whole")
    for number in range(1, total + 1, 7):
        sweep = new_sweep(tmp_path / str(number))
        acknowledged: list[int] = []
        calls = Calls(number, repeats=1000)
        with suppress(OSError):
            drive(FailingFolder(sweep, calls), acknowledged.append)
        check_rows(sweep, acknowledged, calls)
        drive(FailingFolder(sweep, Calls()))
        assert len(keys(sweep)) == EPOCHS


def test_a_storage_that_is_ill_for_a_moment_ends_no_sweep_and_one_that_stays_ill_does(tmp_path: Path) -> None:
    sweep = new_sweep(tmp_path)
    calls = Calls()
    writer = StoreWriter(FailingFolder(sweep, calls), flush_interval_s=0.0, give_up_s=0.3)
    writer.add_epoch(epoch_row("a", 1))
    calls.failing, calls.repeats, calls.made = 1, 2, 0
    writer.flush_if_due()
    writer.flush_if_due()
    assert keys(sweep) == []
    writer.flush_if_due()
    assert keys(sweep) == [("a", 1)]
    writer.add_epoch(epoch_row("a", 2))
    calls.failing, calls.repeats, calls.made = 1, 10**6, 0
    began = time.monotonic()

    def go_on() -> None:
        while time.monotonic() < began + 30:
            writer.flush_if_due()

    with pytest.raises(OSError, match="made to fail"):
        go_on()
    assert time.monotonic() - began >= 0.3
    calls.failing = None
    writer.flush()
    assert keys(sweep) == [("a", 1), ("a", 2)]
