"""What the driver knows of one trial."""

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sweep.store.schema import ENDED


@dataclass
class TrialRecord:
    """One trial's identity, state and the rows it has told. `row()` gives its line of the `trials` table."""

    trial_id: str
    configuration: dict[str, Any]
    configuration_id: str
    replicate: int
    status: str = "PLANNED"  # until it starts; then one of the store's STATUSES
    stop_reason: str | None = None
    stop_value: float | None = None
    error: str | None = None
    promoted_at: int | None = None  # the last rung at which it waited and went on
    attempts: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    epochs: list[dict[str, Any]] = field(default_factory=list)  # rows of the `epochs` table, from 1, without a hole
    waits: bool = False  # at a rung, for others; it is RUNNING, and has no place
    lost_epochs: bool = False  # whether the store once held more of them
    _best: tuple[int, dict[str, Any] | None] = field(default=(0, None), init=False, repr=False, compare=False)

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_through(self) -> bool:
        """Whether it trained to its last epoch, or as far as a rule on its own curve found worth while."""
        by_rule = self.status == "STOPPED" and self.stop_reason not in ("asha", "diverged")
        return self.status == "COMPLETED" or by_rule

    @property
    def best(self) -> dict[str, Any] | None:
        """The row of the highest val_acc, the earliest on ties; rows with a loss that is no number do not count."""
        seen, best = self._best
        if seen > len(self.epochs):
            seen, best = 0, None
        for row in self.epochs[seen:]:  # the live table asks for it all the time
            if math.isfinite(row["val_loss"]) and (best is None or row["val_acc"] > best["val_acc"]):
                best = row
        self._best = len(self.epochs), best
        return best

    def row(self, *, sweep_id: str, model: str, dataset: str) -> dict[str, Any]:
        """This trial as a row of the `trials` table."""
        last: dict[str, Any] = self.epochs[-1] if self.epochs else {}
        best: dict[str, Any] = self.best or {}
        return {
            "sweep_id": sweep_id,
            "trial_id": self.trial_id,
            "replicate": self.replicate,
            "model": model,
            "dataset": dataset,
            **self.configuration,
            "configuration": json.dumps(self.configuration),
            "configuration_id": self.configuration_id,
            "epochs_run": len(self.epochs),
            "status": self.status,
            "stop_reason": self.stop_reason,
            "stop_value": self.stop_value,
            "best_epoch": best.get("epoch"),
            "best_val_acc": best.get("val_acc"),
            "best_val_loss": best.get("val_loss"),
            **{
                f"last_{name}": last.get(name)
                for name in ("train_loss", "train_acc", "train_eval_loss", "train_eval_acc", "val_loss", "val_acc")
            },
            "gap_at_best": best.get("gap_loss"),
            "gap_at_last": last.get("gap_loss"),
            "test_loss": best.get("test_loss"),
            "test_acc": best.get("test_acc"),
            "seconds": sum(row["epoch_s"] for row in self.epochs),
            "promoted_at": self.promoted_at,
            "attempts": self.attempts,
            "error": self.error,
            "started": self.started,
            "ended": self.ended,
        }
