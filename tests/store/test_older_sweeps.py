"""Sweeps that an older version has written (0.1.0 before drivers committed lists of their parts) stay readable."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stored_rows import epoch_row, keys, parts

from sweep.store import DamagedFileError, read_sweep
from sweep.store.folder import LocalFolder
from sweep.store.verify import quarantine, verify
from sweep.store.writer import StoreWriter

ASSETS = Path(__file__).parents[1] / "assets/older"
# Rows of epochs and of trials, and the sum of val_acc, as that version itself read them.
READ_THEN = {"completed": (6, 4, 1.4041811846689896), "interrupted": (177, 6, 86.16724738675958)}


def copy_of(name: str, to: Path) -> LocalFolder:
    return LocalFolder(Path(shutil.copytree(ASSETS / name, to / name)))


@pytest.mark.parametrize("name", READ_THEN)
def test_is_read_as_it_was_then(name: str) -> None:
    tables = read_sweep(ASSETS / name)
    epochs = tables.epochs.to_pandas()
    assert (len(epochs), len(tables.trials)) == READ_THEN[name][:2]
    assert epochs["val_acc"].sum() == pytest.approx(READ_THEN[name][2], rel=1e-12)
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert verify(ASSETS / name) == []


@pytest.mark.parametrize("name", READ_THEN)
def test_a_new_driver_keeps_every_row(name: str, tmp_path: Path) -> None:
    sweep = copy_of(name, tmp_path)
    before = read_sweep(sweep)
    writer = StoreWriter(sweep)
    assert read_sweep(sweep).epochs == before.epochs
    trial, epoch = keys(sweep)[0]
    assert not writer.add_epoch(epoch_row(trial, epoch))
    assert writer.add_epoch(epoch_row(trial, 99))
    writer.compact()
    writer.close()
    assert set(keys(sweep)) == {*keys(LocalFolder(ASSETS / name)), (trial, 99)}
    assert pq.read_table(sweep.root / "epochs.parquet").num_rows == len(before.epochs) + 1
    assert read_sweep(sweep).trials == before.trials
    assert len(parts(sweep, "epochs")) == len(parts(sweep, "trials")) == 1


def test_a_damaged_part_is_named_and_can_be_left_out(tmp_path: Path) -> None:
    sweep = copy_of("interrupted", tmp_path)
    name = parts(sweep, "epochs")[-1]
    sweep_log = sweep.root / "log"
    rows = pq.read_metadata(sweep_log / name).num_rows
    (sweep_log / name).write_bytes((sweep_log / name).read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match=name):
        read_sweep(sweep)
    assert [damage.name for damage in quarantine(sweep)] == [name]
    assert len(keys(sweep)) == READ_THEN["interrupted"][0] - rows
