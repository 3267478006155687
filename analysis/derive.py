"""Columns that follow from a trial's configuration and status."""

import pandas as pd

LETTERS = {"l": "linear", "b": "bn", "r": "relu", "d": "dropout"}
PRECEDENCES = (("b", "d"), ("b", "r"), ("r", "d"), ("l", "b"), ("l", "r"), ("l", "d"))
# What a derived column says again in other words, and so cannot be held equal beside it.
DERIVED_FROM = {
    "has_bn": ("layer_order",),
    "has_dropout": ("layer_order", "drop_rate"),
    "linear_first": ("layer_order",),
    **{f"{LETTERS[first]}_before_{LETTERS[second]}": ("layer_order",) for first, second in PRECEDENCES},
}


def derive(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with nullable booleans added; the given table is left as it is.

    has_bn, has_dropout: the layer is in the order (dropout: and its rate is above 0, since at 0 it does nothing).
    bn_before_dropout and the other pairs: which of two layers comes first, NA where one of them is absent.
    linear_first: the block starts with its linear layer or convolution.
    censored: the curve ends before it was done (cut by ASHA, still running, failed), so what it would have shown later
    is unknown. One that a rule on its own curve ended is not: the rule says that it was done; nor is a diverged one,
    which has no later.
    """
    trials = trials.copy()
    present = {letter: _present(trials, letter) for letter in LETTERS}
    order = trials["layer_order"]
    trials["has_bn"] = present["b"]
    trials["has_dropout"] = present["d"]
    for first, second in PRECEDENCES:
        earlier = (order.str.find(first) < order.str.find(second)).astype("boolean")
        both = (present[first] & present[second]).fillna(False)
        trials[f"{LETTERS[first]}_before_{LETTERS[second]}"] = earlier.where(both)
    trials["linear_first"] = order.str.startswith("l").astype("boolean").where(order.notna())
    done = (trials["status"] == "STOPPED") & (trials["stop_reason"] != "asha")
    trials["censored"] = ((trials["status"] != "COMPLETED") & ~done).astype("boolean")
    return trials


def _present(trials: pd.DataFrame, letter: str) -> pd.Series:
    order = trials["layer_order"]
    present = (order.str.find(letter) >= 0).astype("boolean")
    if letter == "d":
        present &= ~(trials["drop_rate"] == 0).astype("boolean")
    return present.where(order.notna())
