"""The plateau rule: nothing gets better any more."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from sweep.stopping.rule import StopRule


class Plateau(StopRule):
    """val_acc has not risen by more than min_delta above its earlier best for `patience` epochs.

    The value that fires is the rise over those epochs, as a fraction.
    """

    reason = "plateau"

    patience: int = Field(default=10, ge=1, le=100_000, description="an integer from 1 to 100000 (epochs)")
    min_delta: float = Field(default=0.001, ge=0, lt=1, description="a number from 0 to below 1 (of val_acc)")

    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        if len(history) <= self.patience:
            return None
        before = max(row["val_acc"] for row in history[: -self.patience])
        rise = max(row["val_acc"] for row in history[-self.patience :]) - before
        return float(rise) if rise <= self.min_delta else None
