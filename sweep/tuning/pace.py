"""How far a sweep is, and how long the rest takes."""

import time
from collections import Counter
from typing import Any

from sweep.spec import SweepSpec
from sweep.tuning.ledger import Ledger
from sweep.tuning.planned_trials import planned_trials
from sweep.tuning.trial_record import TrialRecord


class Pace:
    """Counts over a ledger, and the speed since it was made. Reads it only."""

    def __init__(self, spec: SweepSpec, ledger: Ledger) -> None:
        self.name = spec.name
        self.epochs = spec.epochs
        self.planned = planned_trials(spec)
        self._ledger = ledger
        self._started = time.monotonic()
        self._done_before = self._work_done()

    def records(self) -> list[TrialRecord]:
        """The trials that have started. A copy: the driver goes on while a table is drawn."""
        return [record for record in list(self._ledger.trials.values()) if record.status != "PLANNED"]

    def statuses(self) -> Counter[str]:
        """How many of the trials that have started are in which status; WAITING: at a rung, for others."""
        return Counter("WAITING" if record.waits else record.status for record in self.records())

    def elapsed_s(self) -> float:
        """Since this driver began."""
        return time.monotonic() - self._started

    def fraction(self) -> float:
        """Of the planned trials' work, what is done; an ended trial counts whole however early it was cut."""
        return min(1.0, self._work_done() / self.planned)

    def seconds_left(self) -> float | None:
        """By the pace of this run so far; None before there is one, and at the end."""
        done = self._work_done() - self._done_before
        if done <= 0 or self.fraction() >= 1.0:
            return None
        return self.elapsed_s() * (self.planned - self._work_done()) / done

    def progress(self) -> dict[str, Any]:
        """The same as plain values: planned, statuses, fraction, seconds_left."""
        return {
            "planned": self.planned,
            "statuses": dict(self.statuses()),
            "fraction": self.fraction(),
            "seconds_left": self.seconds_left(),
        }

    def _work_done(self) -> float:
        return sum(1.0 if record.has_ended else min(1.0, len(record.epochs) / self.epochs) for record in self.records())
