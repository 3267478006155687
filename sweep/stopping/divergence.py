"""The divergence rule: losses that are finite, but beyond all hope."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from sweep.stopping.rule import StopRule


class Divergence(StopRule):
    """train_loss, the value that fires, is above max_loss nats.

    A loss that is no number stops a trial without this rule.
    """

    reason = "diverged"

    max_loss: float = Field(default=50.0, gt=0, le=1e300, description="a number above 0 (nats)")

    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        loss = history[-1]["train_loss"]
        return float(loss) if loss > self.max_loss else None
