"""Prechelt's UP: the validation loss has risen strip after strip."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pydantic import Field

from sweep.stopping.rule import StopRule


class SuccessiveRises(StopRule):
    """E_va at the end of each of the last `strips` strips of k epochs lies above that of the strip before.

    Source: Prechelt 1998, class UP_s. The value that fires is the rise over those strips, in nats.
    """

    reason = "up"

    strips: int = Field(default=3, ge=1, le=10_000, description="an integer from 1 to 10000 (rises in a row)")
    strip: int = Field(default=5, ge=1, le=100_000, description="an integer from 1 to 100000 (epochs of a strip)")

    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        if len(history) % self.strip or len(history) < self.strip * (self.strips + 1):
            return None
        ends = [history[-1 - back * self.strip]["val_loss"] for back in range(self.strips + 1)]
        if any(later <= earlier for later, earlier in pairwise(ends)):
            return None
        return float(ends[0] - ends[-1])
