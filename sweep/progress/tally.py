"""How far a sweep is."""

import time
from collections import Counter

from sweep.progress.wording import duration
from sweep.spec import SweepSpec
from sweep.tuning.ledger import Ledger
from sweep.tuning.plan import planned_trials
from sweep.tuning.trial_record import TrialRecord


class Tally:
    """Counts over a ledger. Reads it only."""

    def __init__(self, spec: SweepSpec, ledger: Ledger) -> None:
        self.name = spec.name
        self.epochs = spec.epochs
        self.planned = planned_trials(spec)
        self.searched = list(spec.search_space.searched) or ["lr", "drop_rate", "layer_order"]
        self._ledger = ledger
        self._started = time.monotonic()
        self._done_before = self._work_done()

    def records(self) -> list[TrialRecord]:
        """The trials that have started. A copy: the driver goes on while a table is drawn."""
        return [record for record in list(self._ledger.trials.values()) if record.status != "PLANNED"]

    def summary(self) -> str:
        """One line: trials by status, elapsed time, time left."""
        statuses = Counter(record.status for record in self.records())
        ended = statuses.total() - statuses["RUNNING"]
        parts = [f"{ended}/{self.planned} trials ended"]
        parts += [f"{count} {status.lower()}" for status, count in sorted(statuses.items())]
        if not statuses:
            parts.append("starting workers")
        parts.append(duration(time.monotonic() - self._started))
        left = self.seconds_left()
        if left is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)

    def fraction(self) -> float:
        """Of the planned trials' work, what is done; an ended trial counts whole however early it was cut."""
        return min(1.0, self._work_done() / self.planned)

    def seconds_left(self) -> float | None:
        """By the pace of this run so far; None before there is one, and at the end."""
        done = self._work_done() - self._done_before
        if done <= 0 or self.fraction() >= 1.0:
            return None
        return (time.monotonic() - self._started) * (self.planned - self._work_done()) / done

    def _work_done(self) -> float:
        return sum(1.0 if record.has_ended else min(1.0, len(record.epochs) / self.epochs) for record in self.records())
