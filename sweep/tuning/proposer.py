"""What a search algorithm is to the driver."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from sweep.tuning.trial_record import TrialRecord


@dataclass(frozen=True)
class Outcome:
    """What the replicates of one configuration have told.

    One that failed by an error says nothing. status: RUNNING until all have ended; then FAILED if
    none left a usable epoch, DIVERGED if one did so, COMPLETED if every one is through, by a rule on its own curve too,
    else STOPPED.
    val_acc: by epoch, the mean over the replicates that reached it. gap_loss: likewise. Both only of finite epochs.
    """

    configuration: dict[str, Any]
    status: str
    val_acc: dict[int, float]
    gap_loss: dict[int, float]

    @property
    def best_epoch(self) -> int:
        """The epoch of the highest val_acc."""
        return max(self.val_acc, key=lambda epoch: self.val_acc[epoch])


class Proposer(Protocol):
    """A search algorithm: asked for configurations one at a time, told how they ended.

    learns: whether what it is told matters to it.
    """

    learns: bool

    def propose(self) -> dict[str, Any] | None:
        """The next canonical configuration, never one given before; None when there are no more."""

    def adopt(self, configuration: dict[str, Any]) -> None:
        """An earlier driver of this sweep has given this configuration out; count it as proposed."""

    def observe(self, outcome: Outcome) -> None:
        """A proposed or adopted configuration has told more epochs, and goes on or waits."""

    def tell(self, outcome: Outcome) -> None:
        """A proposed or adopted configuration has ended."""


def outcome_of(replicates: list[TrialRecord]) -> Outcome:
    """Sum up the replicates of one configuration."""
    by_epoch: dict[int, list[dict[str, Any]]] = {}
    sound = [record for record in replicates if record.status != "FAILED"]
    for record in sound:
        for row in record.epochs:
            if math.isfinite(row["val_loss"]) and math.isfinite(row["gap_loss"]):
                by_epoch.setdefault(row["epoch"], []).append(row)
    if not all(record.has_ended for record in replicates):
        status = "RUNNING"
    elif not by_epoch:
        status = "FAILED"
    elif any(record.stop_reason == "diverged" for record in sound):
        status = "DIVERGED"
    else:
        status = "COMPLETED" if all(record.is_through for record in sound) else "STOPPED"

    def mean(name: str) -> dict[int, float]:
        return {epoch: sum(row[name] for row in rows) / len(rows) for epoch, rows in sorted(by_epoch.items())}

    return Outcome(replicates[0].configuration, status, mean("val_acc"), mean("gap_loss"))
