"""Which of several half-trained configurations will be the best at the end."""

from collections.abc import Mapping
from typing import Any, Literal

RankBy = Literal["forecast", "val_acc"]

# Epochs' worth: fitted to recorded curves, and tried on others (docs/decisions/012-rank-by-forecast.md).
COST_OF_A_GAP = 2.0


def forecast(row: Mapping[str, Any], epochs: int) -> float:
    """val_acc, less what the gap open at this epoch is to cost until the last of `epochs`; to compare, not to read.

    A configuration that has parted from its training accuracy early has little left to gain, while augmentation and
    dropout hold others back that still learn. The cost is at most the gap itself, falls as 1 / epoch, and is 0 at the
    last one.
    row: of the `epochs` table, with `epoch`, `val_acc` and `gap_acc`.
    """
    weight = min(1.0, COST_OF_A_GAP * (1 / row["epoch"] - 1 / max(epochs, row["epoch"])))
    return float(row["val_acc"] - weight * row["gap_acc"])
