"""Prechelt's GL: the validation loss is too far above its best."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from sweep.stopping.rule import StopRule


class GeneralizationLoss(StopRule):
    """GL(t) = 100 * (E_va(t) / min_{t' <= t} E_va(t') - 1), in percent; stops when GL(t) > alpha.

    Source: Prechelt 1998, "Early Stopping - But When?", class GL_alpha.
    """

    reason = "gl"

    alpha: float = Field(default=20.0, gt=0, le=1e6, description="a number above 0 (percent above the best val_loss)")
    grace_period: int = Field(default=1, ge=1, le=100_000, description="an integer from 1 to 100000 (epochs)")

    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        if len(history) < self.grace_period:
            return None
        loss = generalization_loss(history)
        return loss if loss > self.alpha else None


def generalization_loss(history: Sequence[dict[str, Any]]) -> float:
    """GL of the last epoch, in percent; 0 where it is the best."""
    best = min(row["val_loss"] for row in history)
    return 100.0 * (history[-1]["val_loss"] / best - 1.0) if best > 0 else 0.0
