"""A sweep at a glance, from its files and its driver's last sign of life."""

from collections import Counter
from typing import Any

import pyarrow.compute as pc

from sweep.spec import SweepSpec
from sweep.store.folder import Folder
from sweep.store.lease import holder
from sweep.store.reader import read_sweep
from sweep.tuning.planned_trials import planned_trials


def overview(sweep: Folder) -> dict[str, Any]:
    """Plain values: who started it, its state, how far it is, its best trial.

    state: RUNNING while a driver lives, else COMPLETED or INTERRUPTED; seconds_left: as the driver said, None if it did
    not; nodes: trials by the node of their last epoch. Raises what `read_sweep` raises.
    """
    tables = read_sweep(sweep)
    manifest = tables.manifest
    driver = holder(sweep)
    spec = SweepSpec.load(manifest["spec"], elsewhere=True, stored=True)
    statuses = Counter(tables.trials["status"].to_pylist())
    # Of all epochs: a running trial's row may be behind them. Of lost trials only where there are no others.
    finite = tables.epochs.filter(pc.is_finite(tables.epochs["val_loss"]))
    lost = pc.or_kleene(pc.equal(tables.trials["status"], "FAILED"), pc.equal(tables.trials["stop_reason"], "diverged"))
    of_lost = pc.is_in(finite["trial_id"], value_set=tables.trials.filter(lost)["trial_id"])
    sound = finite.filter(pc.invert(of_lost))
    sound = sound if len(sound) else finite
    last_node = dict(zip(tables.epochs["trial_id"].to_pylist(), tables.epochs["node"].to_pylist(), strict=True))
    return {
        "sweep_id": manifest["sweep_id"],
        "name": manifest["name"],
        "path": str(sweep),
        "owner": manifest.get("owner"),
        # A driver that died could not say so.
        "state": "RUNNING" if driver else "COMPLETED" if manifest["state"] == "COMPLETED" else "INTERRUPTED",
        "host": driver.host if driver else None,
        "pid": driver.pid if driver else None,
        "model": spec.model,
        "dataset": spec.dataset,
        "created": manifest["created"],
        "planned": max(planned_trials(spec), len(tables.trials)),  # an earlier version's may have tried copies
        "trials": len(tables.trials),
        "statuses": dict(statuses),
        "ended": statuses.total() - statuses["RUNNING"],
        "epochs": len(tables.epochs),
        "seconds_left": driver.progress.get("seconds_left") if driver else None,
        "best_val_acc": pc.max(sound["val_acc"]).as_py(),
        "nodes": dict(Counter(last_node.values())),
    }
