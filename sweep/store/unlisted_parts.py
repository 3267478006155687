"""The log of sweeps from before drivers committed lists of their parts: what counts is told by the names alone."""

import re

from sweep.store.folder import Folder

# epochs-g0002-00000001-00000064.parquet: flushes 1 to 64 of the second driver.
_NAME = re.compile(r"(\w+)-g(\d+)-(\d+)-(\d+)\.parquet")


def unlisted_parts(log: Folder, table: str) -> list[str]:
    """The names of one table's parts in the order of writing, without those that a merged one contains."""
    keyed = []
    for name in log.files():
        match = _NAME.fullmatch(name)
        if match and match[1] == table:
            generation, first, last = (int(match[i]) for i in (2, 3, 4))
            keyed.append((generation, first, -last, name))
    kept = []
    covered = (0, 0)  # generation and last flush of the widest part so far
    for generation, _, minus_last, name in sorted(keyed):
        if (generation, -minus_last) > covered:
            kept.append(name)
            covered = (generation, -minus_last)
    return kept
