"""The one writer of a sweep's rows: the driver. A row counts as stored when the part that holds it is durable."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from sweep.store.errors import SupersededError
from sweep.store.layout import COMPACTED, PARTS, part_key, part_name
from sweep.store.lock import DriverLock
from sweep.store.parquet_file import read_table, write_table
from sweep.store.reader import list_parts, merge, read_sweep
from sweep.store.schema import EPOCHS, TRIALS

_SCHEMAS = {"epochs": EPOCHS, "trials": TRIALS}
FLUSH_INTERVAL_S = 1.0
MERGE_ABOVE_PARTS = 64


class StoreWriter:
    """Collects rows and writes them as parts, about one a second.

    Opening a writer takes the sweep's lock and the next generation number; a writer whose generation has been
    superseded raises SupersededError instead of writing. Not thread-safe: the driver's thread owns it.
    """

    def __init__(self, sweep_dir: Path, *, flush_interval_s: float = FLUSH_INTERVAL_S) -> None:
        """Raises SweepInUseError if another driver holds the sweep, OSError if the folder cannot be written."""
        self.sweep_dir = sweep_dir
        self._parts_dir = sweep_dir / PARTS
        self._parts_dir.mkdir(parents=True, exist_ok=True)
        self._lock = DriverLock(sweep_dir)
        self._flush_interval_s = flush_interval_s
        self._pending: dict[str, list[dict[str, Any]]] = {"epochs": [], "trials": []}
        self._flushes = 0
        self._last_flush = time.monotonic()
        stored = read_sweep(sweep_dir).epochs if (sweep_dir / "sweep.json").exists() else EPOCHS.empty_table()
        self._known = set(zip(stored["trial_id"].to_pylist(), stored["epoch"].to_pylist(), strict=True))
        self.generation = self._claim_generation()

    def add_epoch(self, row: dict[str, Any]) -> bool:
        """Take a row of `epochs`. False if that (trial_id, epoch) is known already: a resumed trial tells it again."""
        key = (row["trial_id"], row["epoch"])
        if key in self._known:
            return False
        self._known.add(key)
        self._pending["epochs"].append(row)
        return True

    def put_trial(self, row: dict[str, Any]) -> None:
        """Take the present state of a trial's row; the last one written counts."""
        self._pending["trials"].append(row)

    def flush_if_due(self) -> None:
        """Flush when the last flush is longer ago than the interval."""
        if time.monotonic() - self._last_flush >= self._flush_interval_s:
            self.flush()

    def flush(self) -> None:
        """Make every row taken so far durable.

        Raises SupersededError, or OSError (disk full, read-only) with the rows kept for the next attempt.
        """
        self._last_flush = time.monotonic()
        if not any(self._pending.values()):
            return
        self._refuse_if_superseded()
        self._flushes += 1
        # Epochs go first: a trial that reads as ended must have all its epochs on disk.
        for table in ("epochs", "trials"):
            rows = self._pending[table]
            if not rows:
                continue
            name = part_name(table, self.generation, self._flushes, self._flushes)
            write_table(self._parts_dir / name, pa.Table.from_pylist(rows, schema=_SCHEMAS[table]))
            self._pending[table] = []
            self._merge_parts(table)

    def compact(self) -> None:
        """Flush, then leave exactly one file a table; a kill at any moment leaves the same rows readable."""
        self.flush()
        self._refuse_if_superseded()
        parts = {table: list_all_parts(self.sweep_dir, table) for table in COMPACTED}
        tables = read_sweep(self.sweep_dir)
        write_table(self.sweep_dir / COMPACTED["epochs"], tables.epochs)
        write_table(self.sweep_dir / COMPACTED["trials"], tables.trials)
        for path in parts["epochs"] + parts["trials"]:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the sweep. Rows not flushed are dropped: call flush() or compact() before."""
        self._lock.release()

    def _merge_parts(self, table: str) -> None:
        own = [
            path
            for path in list_parts(self.sweep_dir, table)
            if (key := part_key(path.name)) and key[1] == self.generation and key[2] == key[3]
        ]
        if len(own) < MERGE_ABOVE_PARTS:
            return
        rows = merge([read_table(path, _SCHEMAS[table]) for path in own], table)
        keys = [key for path in own if (key := part_key(path.name))]
        write_table(self._parts_dir / part_name(table, self.generation, keys[0][2], keys[-1][3]), rows)
        for path in own:
            path.unlink(missing_ok=True)

    def _claim_generation(self) -> int:
        taken = [int(path.stem.removeprefix("generation-")) for path in self._parts_dir.glob("generation-*.json")]
        generation = max(taken, default=0) + 1
        while True:
            try:
                with self._generation_file(generation).open("x") as file:
                    json.dump({"pid": os.getpid(), "host": socket.gethostname(), "time": time.time()}, file)
                return generation
            except FileExistsError:
                generation += 1

    def _generation_file(self, generation: int) -> Path:
        return self._parts_dir / f"generation-{generation:04d}.json"

    def _refuse_if_superseded(self) -> None:
        if self._generation_file(self.generation + 1).exists():
            raise SupersededError(
                f"{self.sweep_dir}: a later driver (generation {self.generation + 1}) has taken this sweep over; "
                "this one stops without writing"
            )


def list_all_parts(sweep_dir: Path, table: str) -> list[Path]:
    """Every part file of a table, those that a merged part contains included."""
    return [path for path in (sweep_dir / PARTS).iterdir() if (key := part_key(path.name)) and key[0] == table]
