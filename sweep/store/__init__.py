"""The Parquet results of a sweep: schema, writer, reader, compaction. Knows neither Ray nor torch."""

from sweep.store.errors import DamagedFileError, NotASweepError, StoreError, SupersededError, SweepInUseError
from sweep.store.manifest import read_manifest
from sweep.store.reader import SweepTables, read_sweep

__all__ = [
    "DamagedFileError",
    "NotASweepError",
    "StoreError",
    "SupersededError",
    "SweepInUseError",
    "SweepTables",
    "read_manifest",
    "read_sweep",
]
