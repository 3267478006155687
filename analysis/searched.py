"""Which hyper-parameters a sweep searched, and how to write their values."""

from typing import Any

import pandas as pd

from analysis.results import Results

STRENGTHS = ("crop_padding", "flip_prob", "brightness", "contrast", "saturation", "hue")
HYPERPARAMETERS = (
    "lr",
    "drop_rate",
    "layer_order",
    "augment",
    "momentum",
    "weight_decay",
    "batch_size",
    "optimizer",
    "eps",
    "sgd_momentum",
    *STRENGTHS,
)
_SPEAKING = {"layer_order", "model", "dataset", "optimizer"}  # values that need no name before them


def spaces(results: Results) -> list[dict[str, Any]]:
    """The `space` of each sweep's spec; empty where the manifest has none."""
    specs = [manifest.get("spec") for manifest in results.manifests]
    found = [spec.get("space") if isinstance(spec, dict) else None for spec in specs]
    return [space if isinstance(space, dict) else {} for space in found]


def searched(results: Results) -> list[str]:
    """Hyper-parameters that a spec gives a range for or that differ between trials, the most asked-for first.

    With several sweeps also `model` and `dataset` if they differ. Augmentation strengths that only follow from
    `augment` are left out.
    """
    trials = results.trials
    ranged = {name for space in spaces(results) for name, raw in space.items() if isinstance(raw, dict)}
    varied = {name for name in ("model", "dataset", *HYPERPARAMETERS) if trials[name].nunique() > 1}
    if "augment" in varied:
        varied -= {name for name in STRENGTHS if trials.groupby("augment")[name].nunique().max() <= 1}
    return [name for name in ("model", "dataset", *HYPERPARAMETERS) if name in ranged | varied]


def first_level(results: Results, factor: str) -> Any:
    """The value that a spec names first, of permutations the order that they are of; None where no trial has it."""
    tried = set(results.trials[factor].dropna())
    for space in spaces(results):
        raw = space.get(factor)
        if isinstance(raw, dict):
            first = raw["choice"][0] if raw.get("choice") else raw.get("permutations")
            if first in tried:
                return first
    return None


def is_log(results: Results, name: str) -> bool:
    """Whether a logarithmic axis suits: the spec says loguniform, or the listed values span a factor of 50."""
    values = results.trials[name]
    if not pd.api.types.is_numeric_dtype(values):
        return False
    values = values.dropna()
    if len(values) == 0 or not float(values.min()) > 0:
        return False
    ranges = [space[name] for space in spaces(results) if isinstance(space.get(name), dict)]
    if any(kind in raw for raw in ranges for kind in ("loguniform", "uniform")):
        return any("loguniform" in raw for raw in ranges)
    return float(values.max()) >= 50 * float(values.min())


def is_drawn(results: Results, name: str) -> bool:
    """Whether a spec draws the values from a range, so that it is by chance how many there are."""
    ranges = [space[name] for space in spaces(results) if isinstance(space.get(name), dict)]
    return any({"uniform", "loguniform"} & raw.keys() and "points" not in raw for raw in ranges)


def short(value: object) -> str:
    """A value in few characters: three significant digits, long strings cut. Plain text, not escaped."""
    if value is None or value is pd.NA or value != value:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}"
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def nats(value: float, *, sign: bool = False) -> str:
    """A loss or gap in text, such as "−0.120 nats"."""
    if pd.isna(value):
        return "unknown"
    rounded = round(value, 3)
    return f"{rounded or 0.0:{'+' if sign and rounded else ''}.3f} nats".replace("-", "−")


def p_value(p: float) -> str:
    """Such as "p = 0.012"; "p < 0.001" for what would read as zero."""
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def labels(rows: pd.DataFrame, names: list[str]) -> list[str]:
    """Each row's configuration in one line, such as "lr 0.003 · drop_rate 0.25 · lbrd". Plain text, not escaped."""
    # The same in every row, but a label must not be empty.
    named = names or ["model", "lr", "drop_rate"]
    words = [
        [short(v) if name in _SPEAKING else f"{name} {short(v)}" for v in rows[name].astype(object)] for name in named
    ]
    return [" · ".join(row) for row in zip(*words, strict=True)]
