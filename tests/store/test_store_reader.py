"""The reader: damage is an error that names the file, never fewer rows."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep.store import DamagedFileError, NotASweepError, StoreError, read_sweep
from sweep.store.manifest import write_manifest
from sweep.store.schema import EPOCHS, SCHEMA_VERSION
from sweep.store.writer import StoreWriter


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    write_manifest(tmp_path, {"sweep_id": "s"})
    writer = StoreWriter(tmp_path)
    for epoch in range(1, 200):
        writer.add_epoch({"sweep_id": "s", "trial_id": "a", "epoch": epoch, "val_loss": 1 / epoch})
    writer.compact()
    writer.close()
    return tmp_path


def test_a_folder_that_is_no_sweep_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotASweepError, match=str(tmp_path)):
        read_sweep(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"sweep\.json"):
        read_sweep(tmp_path)


def test_a_newer_schema_asks_for_an_upgrade(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps({"schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(StoreError, match="upgrade"):
        read_sweep(tmp_path)


def test_every_flipped_bit_in_the_pages_is_noticed(stored: Path) -> None:
    path = stored / "epochs.parquet"
    whole = path.read_bytes()
    rows = read_sweep(stored).epochs
    noticed = 0
    # Past the magic number, over the data pages of the first columns.
    for position in range(4, 1500, 23):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        try:
            assert read_sweep(stored).epochs == rows, f"byte {position} changed what is read, and nobody noticed"
        except DamagedFileError as error:
            assert str(path) in str(error)  # noqa: PT017
            noticed += 1
    assert noticed > 20


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_file_cut_short_is_named(stored: Path, kept: int) -> None:
    path = stored / "epochs.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFileError, match=r"epochs\.parquet"):
        read_sweep(stored)


def test_a_file_without_a_later_column_reads_with_nulls(stored: Path) -> None:
    path = stored / "epochs.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["images_per_s"]), path, write_page_checksum=True)
    epochs = read_sweep(stored).epochs
    assert epochs.schema == EPOCHS
    assert len(epochs) == 199
    assert epochs["images_per_s"].null_count == 199


def test_files_that_are_no_parts_are_passed_over(stored: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), stored / "log" / "notes.parquet")
    (stored / "log" / "_epochs-g0001-00000001-00000001.parquet.17").write_bytes(b"half a part")
    assert len(read_sweep(stored).epochs) == 199
