"""When a trial counts as diverged."""

import math
from collections.abc import Mapping
from typing import Any


def has_diverged(row: Mapping[str, Any]) -> bool:
    """Whether an epoch's row has a loss that is not finite; training on cannot repair it."""
    return not all(math.isfinite(row[name]) for name in ("train_loss", "train_eval_loss", "val_loss"))
