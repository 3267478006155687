"""The gap rule: the trial learns its training images by heart, and nothing else any more."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from sweep.stopping.rule import StopRule


class GapRule(StopRule):
    """The lowest val_loss is `patience` or more epochs ago; since, val_loss has risen and train_eval_loss fallen.

    Both are of evaluation mode without augmentation, so that neither strong dropout nor augmentation looks like a gap.
    The value that fires is by how much gap_loss has grown since that epoch, in nats; it must be above min_growth.
    """

    reason = "gap"

    patience: int = Field(default=3, ge=1, le=100_000, description="an integer from 1 to 100000 (epochs)")
    grace_period: int = Field(
        default=5, ge=1, le=100_000, description="an integer from 1 to 100000 (epochs before the first cut)"
    )
    min_growth: float = Field(default=0.1, ge=0, le=1e6, description="a number from 0 (nats)")

    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        last = history[-1]
        best = min(history, key=lambda row: row["val_loss"])
        if len(history) < self.grace_period or last["epoch"] - best["epoch"] < self.patience:
            return None
        rise = last["val_loss"] - best["val_loss"]
        fall = best["train_eval_loss"] - last["train_eval_loss"]
        return float(rise + fall) if rise > 0 and fall > 0 and rise + fall > self.min_growth else None
