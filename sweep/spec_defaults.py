"""Defaults of a spec that follow from its other keys."""

from collections.abc import Mapping
from typing import Any

from sweep.spec_agreement import MULTI_OBJECTIVE
from sweep.stopping.settings import default_grace_period


def with_defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A spec as it is written, with those of `search`, `scheduler` and `decompose`, and `scheduler: none` in full."""
    filled = dict(raw)
    study = filled.get("mode") == "study"
    tries_all = study or filled.get("configurations") is not None
    search = filled.get("search", {})
    algorithm = None
    if isinstance(search, Mapping):
        algorithm = search.get("algorithm", "grid" if tries_all else "qmc")
        trials = None if tries_all or algorithm == "grid" else 20
        filled["search"] = {"algorithm": algorithm, "trials": trials, **search}
    filled.setdefault("decompose", study)
    scheduler = filled.get("scheduler", {})
    # ASHA cannot rank two objectives, and of what it cuts a Gaussian process learns nothing. Settings of it ask for it,
    # so that they are refused where it cannot be.
    default = "none" if (study or algorithm in (*MULTI_OBJECTIVE, "gp")) and not scheduler else "asha"
    if scheduler in ("none", "asha"):
        scheduler = {"type": scheduler}
    if isinstance(scheduler, Mapping):
        grace = _grace_period(filled, scheduler.get("reduction_factor", 3))
        scheduler = {"type": default, **grace, **scheduler}
    filled["scheduler"] = scheduler
    return filled


def _grace_period(raw: Mapping[str, Any], reduction_factor: Any) -> dict[str, int]:
    """The default for a spec as it is written; none where that is wrong, which has a line of its own."""
    epochs, space, listed = raw.get("epochs"), raw.get("space", {}), raw.get("configurations") or []
    if not isinstance(epochs, int) or not isinstance(reduction_factor, int) or reduction_factor < 2:
        return {}
    if not 1 <= epochs <= 100_000:
        return {}
    if not isinstance(space, Mapping) or not isinstance(listed, list):
        return {}
    searched = {name for name, domain in space.items() if isinstance(domain, Mapping)}
    searched = searched.union(*(configuration for configuration in listed if isinstance(configuration, Mapping)))
    return {"grace_period": default_grace_period(epochs, reduction_factor, searched)}
