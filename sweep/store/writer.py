"""The one writer of a sweep's rows: the driver. A row is stored once `flush` has returned."""

import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa

from sweep.store import generations
from sweep.store.errors import SupersededError
from sweep.store.folder import Folder
from sweep.store.generations import Generation, Part
from sweep.store.layout import LOG, PUBLISHED, generation_of_part, part_name
from sweep.store.lease import Lease
from sweep.store.manifest import read_manifest
from sweep.store.parquet_file import to_parquet
from sweep.store.reader import merge, read_parts, read_sweep
from sweep.store.schema import SCHEMAS

FLUSH_INTERVAL_S = 1.0
MERGE_PARTS = 64
# A storage that fails for so long is taken to be ill. Shorter faults, such as a server's restart, end no sweep.
GIVE_UP_S = 60.0


class StoreWriter:
    """Collects rows and writes them as parts, about one a second.

    Opening a writer takes the sweep's lease and the next generation; a writer whose generation has been superseded
    raises SupersededError instead of writing. Not thread-safe: the driver's thread owns it.
    """

    def __init__(
        self,
        sweep: Folder,
        *,
        flush_interval_s: float = FLUSH_INTERVAL_S,
        give_up_s: float = GIVE_UP_S,
        take_over: bool = False,
    ) -> None:
        """`sweep` holds a manifest. take_over: take it even from a driver that seems to live.

        Raises SweepInUseError, DamagedFileError if what is stored cannot be read, OSError.
        """
        self.sweep = sweep
        self._log = sweep / LOG
        self._lease = Lease(sweep, take_over=take_over)
        self._flush_interval_s = flush_interval_s
        self._give_up_s = give_up_s
        self._failing_since: float | None = None
        self._pending: dict[str, list[dict[str, Any]]] = {table: [] for table in SCHEMAS}
        self._parts_written = 0
        self.when_stored: list[Callable[[], None]] = []  # called once all rows taken so far are durable
        self._last_flush = time.monotonic()
        try:
            self._adopt()
        except BaseException:
            self.close()
            raise

    @property
    def generation(self) -> int:
        """This driver's number: 1 for the sweep's first, one more for each resume."""
        return self._generation.number

    def tell_progress(self, progress: Callable[[], dict[str, Any]]) -> None:
        """Let this driver's signs of life say how far it is, for those who look at the sweep from outside."""
        self._lease.progress = progress
        self._lease.renew()

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
        """Flush when the last flush is longer ago than the interval.

        Raises SupersededError, and OSError once the storage has failed for GIVE_UP_S; until then it is tried again.
        """
        flush_is_due = time.monotonic() - self._last_flush >= self._flush_interval_s
        if self._failing_since is not None and not flush_is_due:
            return
        try:
            if self._lease.is_due:
                # A sign of life of a driver that was superseded while it stood still would pass for the later one's.
                self.refuse_if_superseded()
                self._lease.renew()
            if flush_is_due:
                self.flush()
        except OSError:
            self._last_flush = time.monotonic()
            self._failing_since = self._failing_since or self._last_flush
            if self._last_flush - self._failing_since >= self._give_up_s:
                raise
        else:
            self._failing_since = None

    def flush(self) -> None:
        """Make every row taken so far durable.

        Raises SupersededError, or OSError (disk full, read-only) with the rows kept for the next attempt.
        """
        self._last_flush = time.monotonic()
        if not any(self._pending.values()):
            return
        replaced: list[Part] = []
        lists = self._generation
        for table, rows in self._pending.items():
            if rows:
                part = self._write_part(table, pa.Table.from_pylist(rows, schema=SCHEMAS[table]), level=0)
                parts, merged = self._merged([*lists.of(table), part], table)
                lists = generations.with_parts(lists, table, parts)
                replaced += merged
        self._commit(lists)
        self._pending = {table: [] for table in SCHEMAS}
        self._remove([part.name for part in replaced])
        for tell in self.when_stored:
            tell()

    def compact(self) -> None:
        """Flush, leave one part a table, and publish both as plain Parquet files.

        A kill at any moment leaves the same rows readable.
        """
        self.flush()
        tables = read_sweep(self.sweep)
        lists = self._generation
        published = {}
        for table in SCHEMAS:
            rows = getattr(tables, table)
            level = max((part.level for part in lists.of(table)), default=0)
            part = self._write_part(table, rows, level=level)
            lists = generations.with_parts(lists, table, [part])
            published[table] = self._log.read(part.name)
        self._commit(lists)
        for table, data in published.items():
            self.refuse_if_superseded()
            self.sweep.write(PUBLISHED[table], data)
        # Parts of drivers that died or were superseded before they could commit go, too; not those of a later driver,
        # which may have taken over while this one stood still.
        listed, mine = self._generation.part_names(), self._generation.number
        with suppress(OSError):
            names = [name for name in self._log.files() if name not in listed]
            self._remove([name for name in names if (wrote := generation_of_part(name)) is not None and wrote <= mine])

    def refuse_if_superseded(self) -> None:
        """Raises SupersededError if a later driver has taken the sweep over."""
        later = generations.superseded(self._log, self._generation)
        if later is not None:
            raise SupersededError(
                f"{self.sweep}: a later driver (generation {later}) has taken this sweep over; "
                f"this one (generation {self.generation}) stops without writing"
            )

    def close(self) -> None:
        """Release the sweep. Rows not flushed are dropped: call flush() or compact() before."""
        self._lease.release()

    def _adopt(self) -> None:
        """Claim a generation, and commit to it what earlier drivers have stored."""
        self._generation = generations.claim(self._log, above=read_manifest(self.sweep).get("generation", 0))
        # Read only now: what an earlier driver commits from here on, it does not count as stored.
        stored = read_sweep(self.sweep)
        trials, epochs = stored.epochs["trial_id"].to_pylist(), stored.epochs["epoch"].to_pylist()
        self._known = set(zip(trials, epochs, strict=True))
        lists = self._generation
        for table in SCHEMAS:
            rows = getattr(stored, table)
            if stored.generation is not None:
                parts = stored.generation.of(table)
            else:
                # The log is an older version's, or gone after the sweep had ended: what was read begins a new one.
                parts = (self._write_part(table, rows, level=1),) if len(rows) else ()
            lists = generations.with_parts(lists, table, parts)
        self._commit(lists)

    def _write_part(self, table: str, rows: pa.Table, *, level: int) -> Part:
        self._parts_written += 1
        name = part_name(table, self._generation.number, self._parts_written)
        data = to_parquet(rows)
        self._log.write(name, data)
        return Part(name, len(rows), zlib.crc32(data), level)

    def _merged(self, parts: list[Part], table: str) -> tuple[list[Part], list[Part]]:
        """The parts with every full set of one level made into one of the next, and those that this replaces."""
        replaced: list[Part] = []
        level = 0
        while len(full := [part for part in parts if part.level == level]) >= MERGE_PARTS:
            rows = merge(read_parts(self._log, table, full), table)
            parts = [part for part in parts if part.level > level]
            parts.append(self._write_part(table, rows, level=level + 1))
            replaced += full
            level += 1
        return parts, replaced

    def _commit(self, lists: Generation) -> None:
        generations.commit(self._log, lists)
        self.refuse_if_superseded()
        self._generation = lists

    def _remove(self, names: list[str]) -> None:
        """Remove parts that do not count any more; one that stays does no harm, and goes with the next compaction."""
        with suppress(OSError):
            self._log.remove_each(names)
