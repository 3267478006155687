"""Which hyper-parameters a sweep searched, and how."""

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


def specs(results: Results) -> list[dict[str, Any]]:
    """The spec of each sweep; empty where the manifest has none."""
    return [spec if isinstance(spec := manifest.get("spec"), dict) else {} for manifest in results.manifests]


def spaces(results: Results) -> list[dict[str, Any]]:
    """The `space` of each sweep's spec; empty where it has none."""
    found = [spec.get("space") for spec in specs(results)]
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


def is_drawn(results: Results, name: str, *kinds: str) -> bool:
    """Whether a spec draws the values from a range of one of these kinds, so that chance says how many there are."""
    ranges = [
        space[name]
        for space, spec in zip(spaces(results), specs(results), strict=True)
        if isinstance(space.get(name), dict) and (spec.get("search") or {}).get("algorithm") != "grid"
    ]
    return any({*kinds} & raw.keys() and "points" not in raw for raw in ranges)
