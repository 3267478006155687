"""Prechelt's PQ: the validation loss rises while training hardly progresses any more."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from sweep.stopping.generalization_loss import generalization_loss
from sweep.stopping.rule import StopRule


class ProgressQuotient(StopRule):
    """GL(t) / P_k(t) > alpha at the end of a strip of k epochs, with the training progress, in per mille,

    P_k(t) = 1000 * (sum_{t-k < t' <= t} E_tr(t') / (k * min_{t-k < t' <= t} E_tr(t')) - 1).

    Source: Prechelt 1998, class PQ_alpha. E_tr is train_loss, measured during the epoch as there.
    """

    reason = "pq"

    alpha: float = Field(default=0.75, gt=0, le=1e6, description="a number above 0 (quotient that stops)")
    strip: int = Field(default=5, ge=2, le=100_000, description="an integer from 2 to 100000 (epochs of a strip)")

    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        if len(history) % self.strip:
            return None
        losses = [row["train_loss"] for row in history[-self.strip :]]
        if min(losses) <= 0:
            return None
        progress = 1000.0 * (sum(losses) / (self.strip * min(losses)) - 1.0)
        loss = generalization_loss(history)
        if loss <= self.alpha * progress:
            return None
        return loss / progress if progress > 0 else float("inf")
