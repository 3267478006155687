"""When a trial counts as diverged."""

import math
from collections.abc import Mapping
from typing import Any


def not_finite(row: Mapping[str, Any]) -> float | None:
    """The first of an epoch's losses that is NaN or infinite, which no training repairs; None where all are finite."""
    losses = (float(row[name]) for name in ("train_loss", "train_eval_loss", "val_loss"))
    return next((loss for loss in losses if not math.isfinite(loss)), None)
