"""The two tables of a sweep, while it runs and after: the compacted files, then the later parts, each row once."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sweep.store.errors import StoreError
from sweep.store.layout import COMPACTED, PARTS, part_key
from sweep.store.manifest import read_manifest
from sweep.store.parquet_file import read_table
from sweep.store.schema import EPOCHS, TRIALS

_SCHEMAS = {"epochs": EPOCHS, "trials": TRIALS}
_KEYS = {"epochs": ["trial_id", "epoch"], "trials": ["trial_id"]}


@dataclass(frozen=True)
class SweepTables:
    """What a sweep has stored. `epochs`: one row per (trial_id, epoch); `trials`: one row per trial."""

    path: Path
    manifest: dict
    epochs: pa.Table
    trials: pa.Table


def read_sweep(path: str | Path) -> SweepTables:
    """Read a sweep's folder, running or ended.

    Raises NotASweepError, DamagedFileError (the file is named; damage never reads as fewer rows), StoreError.
    """
    sweep_dir = Path(path)
    manifest = read_manifest(sweep_dir)
    return SweepTables(sweep_dir, manifest, _read(sweep_dir, "epochs"), _read(sweep_dir, "trials"))


def list_parts(sweep_dir: Path, table: str) -> list[Path]:
    """The parts of one table in the order they were written, without those that a merged part contains."""
    folder = sweep_dir / PARTS
    if not folder.is_dir():
        return []
    keyed = sorted((key, path) for path in folder.iterdir() if (key := part_key(path.name)) and key[0] == table)
    kept: list[Path] = []
    covered = (0, 0)  # generation and last flush of the widest part so far
    for (_, generation, _, last), path in sorted(keyed, key=lambda item: (item[0][:3], -item[0][3])):
        if (generation, last) > covered:
            kept.append(path)
            covered = (generation, last)
    return kept


def merge(tables: list[pa.Table], table: str) -> pa.Table:
    """One table with each key once: the last written row wins, which is the latest attempt's.

    Rows come in the order in which their key was first written.
    """
    rows = pa.concat_tables(tables or [_SCHEMAS[table].empty_table()])
    if len(rows) == 0:
        return rows
    position = pa.array(range(len(rows)), pa.int64())
    keys = _KEYS[table]
    latest = (
        rows.select(keys)
        .append_column("position", position)
        .group_by(keys)
        .aggregate([("position", "min"), ("position", "max")])
        .sort_by("position_min")
    )
    return rows.take(latest["position_max"]).combine_chunks()


def _read(sweep_dir: Path, table: str) -> pa.Table:
    # The writer may merge parts or compact them while we read, and removes a file only after its rows stand in another.
    # So: parts first, the compacted file last, and again if a part vanished or was merged meanwhile.
    for _ in range(20):
        parts = list_parts(sweep_dir, table)
        try:
            later = [read_table(path, _SCHEMAS[table]) for path in parts]
        except FileNotFoundError:
            continue
        compacted = sweep_dir / COMPACTED[table]
        earlier = [read_table(compacted, _SCHEMAS[table])] if compacted.exists() else []
        if not set(parts) - set(list_parts(sweep_dir, table)):
            return _sorted(merge(earlier + later, table), table)
    raise StoreError(f"{sweep_dir}: its {table} parts kept changing while they were read; try again")


def _sorted(rows: pa.Table, table: str) -> pa.Table:
    """Trials as they started; epochs by trial, then epoch."""
    if table == "trials" or len(rows) == 0:
        return rows
    first = {trial: place for place, trial in reversed(list(enumerate(rows["trial_id"].to_pylist())))}
    place = pa.array([first[trial] for trial in rows["trial_id"].to_pylist()], pa.int64())
    order = pc.sort_indices(
        pa.table({"place": place, "epoch": rows["epoch"]}), [("place", "ascending"), ("epoch", "ascending")]
    )
    return rows.take(order)
