"""What a run gives back."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SweepResult:
    """Where a sweep's files are and how its trials ended.

    state: COMPLETED, or INTERRUPTED (`sweep.resume(path)` goes on). statuses: trials by status.
    best: the trials row of the highest best_val_acc, None if no trial has an epoch.
    """

    path: Path
    state: str
    statuses: Counter[str]
    best: dict[str, Any] | None

    @property
    def exit_code(self) -> int:
        """0 done, 1 every trial failed, 3 some failed, 130 interrupted."""
        if self.state == "INTERRUPTED":
            return 130
        failed = self.statuses["FAILED"]
        if failed == 0:
            return 0
        return 1 if failed == self.statuses.total() else 3
