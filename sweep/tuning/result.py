"""What a run gives back."""

import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.store.folder import Folder
from sweep.store.reader import read_sweep


@dataclass(frozen=True)
class SweepResult:
    """Where a sweep's files are and how its trials ended.

    state: COMPLETED, or INTERRUPTED (`sweep.resume(path)` goes on). statuses: trials by status.
    best: the trials row of the highest best_val_acc; of a trial that failed or diverged only where there is no other,
    None if no trial has an epoch.
    interrupted_by: the number of the signal that ended it, if one did. budget: what of it is used up. first_error: of
    the first trial that failed.
    """

    path: Path | str  # a string for an object store
    state: str
    statuses: Counter[str]
    best: dict[str, Any] | None
    interrupted_by: int | None = None
    first_error: str | None = None
    budget: str | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 every trial failed, 3 some failed, 4 budget used up, 130 interrupted (143 SIGTERM, 129 SIGHUP)."""
        if self.state == "INTERRUPTED" and self.budget and not self.interrupted_by:
            return 4
        if self.state == "INTERRUPTED" and (self.interrupted_by or not self.statuses["FAILED"]):
            return 128 + (self.interrupted_by or signal.SIGINT)
        if self.only_failures:
            return 1
        return 3 if self.statuses["FAILED"] else 0

    @property
    def only_failures(self) -> bool:
        """Whether trials have ended, every one of them by an error."""
        return 0 < self.statuses["FAILED"] == self.statuses.total() - self.statuses["RUNNING"]


def summarise(sweep: Folder, *, interrupted_by: int | None = None, budget: str | None = None) -> SweepResult:
    """The result of a sweep from what is stored. Raises what `read_sweep` raises."""
    tables = read_sweep(sweep)
    trials = tables.trials.to_pylist()
    scored = [trial for trial in trials if trial["best_val_acc"] is not None]
    best = max(scored, key=lambda trial: (_is_sound(trial), trial["best_val_acc"]), default=None)
    failed = [trial for trial in trials if trial["status"] == "FAILED"]
    first_error = min(failed, key=lambda trial: trial["ended"])["error"] if failed else None
    statuses = Counter(trial["status"] for trial in trials)
    return SweepResult(
        sweep.path or str(sweep), tables.manifest["state"], statuses, best, interrupted_by, first_error, budget
    )


def _is_sound(trial: dict[str, Any]) -> bool:
    return trial["status"] != "FAILED" and trial["stop_reason"] != "diverged"
