"""The two tables of a sweep, while it runs and after, each row once."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sweep.store.errors import StoreError, damaged
from sweep.store.folder import Folder, open_folder
from sweep.store.generations import Generation, Part, any_file_of, committed
from sweep.store.layout import LOG, PUBLISHED
from sweep.store.manifest import read_manifest
from sweep.store.parquet_file import from_parquet
from sweep.store.schema import SCHEMAS
from sweep.store.unlisted_parts import unlisted_parts

_KEYS = {"epochs": ["trial_id", "epoch"], "trials": ["trial_id"]}


@dataclass(frozen=True)
class SweepTables:
    """What a sweep has stored. `epochs`: one row per (trial_id, epoch); `trials`: one row per trial.

    generation: whose list of parts this is; None where there was none: only published files, or an older version's log.
    """

    folder: Folder
    manifest: dict
    generation: Generation | None
    epochs: pa.Table
    trials: pa.Table


def read_sweep(place: str | Path | Folder) -> SweepTables:
    """Read a sweep's folder, running or ended: a path, or a URI such as s3://bucket/results/NAME.

    Raises NotASweepError, DamagedFileError (the file is named; damage never reads as fewer rows), StoreError.
    """
    folder = open_folder(place)
    log = folder / LOG
    for _ in range(20):
        manifest = read_manifest(folder)
        generation = _trusted(folder, manifest)
        try:
            read = partial(_without_list, folder) if generation is None else partial(_stored, log, generation)
            return SweepTables(folder, manifest, generation, epochs=read("epochs"), trials=read("trials"))
        except FileNotFoundError as error:
            # The writer removes a part only after it has committed a list without it.
            if generation == committed(log):
                raise damaged(log.file(_missing(log, generation)), "missing") from error
    raise StoreError(f"{folder}: its parts kept changing while they were read; try again")


def read_parts(log: Folder, table: str, parts: Sequence[Part]) -> list[pa.Table]:
    """The rows of each part. Raises FileNotFoundError, DamagedFileError naming one."""
    rows = []
    for part, data in zip(parts, log.read_each([part.name for part in parts]), strict=True):
        # Page checksums leave the file's own header and footer out.
        if zlib.crc32(data) != part.crc32:
            raise damaged(log.file(part.name), "checksum differs")
        rows.append(from_parquet(data, SCHEMAS[table], name=log.file(part.name)))
    return rows


def merge(tables: list[pa.Table], table: str) -> pa.Table:
    """One table with each key once: the last written row wins, which is the latest attempt's.

    Rows come in the order in which their key was first written.
    """
    rows = pa.concat_tables(tables or [SCHEMAS[table].empty_table()])
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


def _trusted(folder: Folder, manifest: dict) -> Generation | None:
    """The generation to believe; None where no driver has committed a list of parts.

    Raises DamagedFileError if the log lacks a generation that the manifest knows of.
    """
    found = committed(folder / LOG)
    known = manifest.get("generation", 0)
    if found is None and manifest.get("state") == "COMPLETED" and all(map(folder.exists, PUBLISHED.values())):
        return None
    if (found.number if found else 0) < known:
        raise damaged((folder / LOG).file(any_file_of(known)), "missing")
    return found


def _stored(log: Folder, generation: Generation, table: str) -> pa.Table:
    return _sorted(merge(read_parts(log, table, generation.of(table)), table), table)


def _without_list(folder: Folder, table: str) -> pa.Table:
    """The published file, and what an older version has written since; nothing for a sweep that has yet to begin."""
    log = folder / LOG
    published = [(folder, PUBLISHED[table])] if folder.exists(PUBLISHED[table]) else []
    files = [*published, *((log, name) for name in unlisted_parts(log, table))]
    return _sorted(merge([from_parquet(at.read(n), SCHEMAS[table], name=at.file(n)) for at, n in files], table), table)


def _missing(log: Folder, generation: Generation | None) -> str:
    return min((generation.part_names() if generation else set()) - set(log.files()), default="a part")


def _sorted(rows: pa.Table, table: str) -> pa.Table:
    """Trials as they started; epochs by trial, then epoch."""
    if table == "trials" or len(rows) == 0:
        return rows
    trials = rows["trial_id"].combine_chunks().dictionary_encode()
    order = pc.sort_indices(
        pa.table({"place": trials.indices, "epoch": rows["epoch"]}), [("place", "ascending"), ("epoch", "ascending")]
    )
    return rows.take(order)
