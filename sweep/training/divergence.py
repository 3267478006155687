"""When a trial counts as diverged."""

import math
from collections.abc import Mapping
from typing import Any


def has_diverged(row: Mapping[str, Any]) -> bool:
    """Whether an epoch's row has a loss that is not finite; training on cannot repair it."""
    return not_finite(row) is not None


def not_finite(row: Mapping[str, Any]) -> float | None:
    """The first of a row's losses that is NaN or infinite; None where all are finite."""
    losses = (float(row[name]) for name in ("train_loss", "train_eval_loss", "val_loss"))
    return next((loss for loss in losses if not math.isfinite(loss)), None)
