"""A sweep's two tables as DataFrames."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.derive import derive
from sweep.store.folder import Folder, open_folder
from sweep.store.lease import holder
from sweep.store.manifest import read_manifest
from sweep.store.reader import SweepTables, read_sweep

# A trial_id is a hash of configuration and replicate, so the same trial in two sweeps has the same one.
TRIAL_KEY = ["sweep_id", "trial_id"]
CONFIGURATION_KEY = ["sweep_id", "configuration_id"]

_INTEGERS = ("replicate", "crop_padding", "batch_size", "epochs_run", "best_epoch", "promoted_at", "attempts")


@dataclass(frozen=True, eq=False)
class Results:
    """What one or several sweeps stored, but for the epochs of trials whose row, and so configuration, is lost.

    trials: one row per trial, with the derived columns of `analysis.derive`; epochs: one row per (trial, epoch).
    Losses are in nats, accuracies fractions in [0, 1], times in seconds.
    """

    paths: tuple[Path | str, ...]  # strings for object stores
    manifests: tuple[dict[str, Any], ...]
    trials: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def path(self) -> Path | str:
        """The sweep's folder. Raises ValueError if several sweeps were loaded."""
        self._refuse_several("paths")
        return self.paths[0]

    @property
    def manifest(self) -> dict[str, Any]:
        """What sweep.json says. Raises ValueError if several sweeps were loaded."""
        self._refuse_several("manifests")
        return self.manifests[0]

    def _refuse_several(self, plural: str) -> None:
        if len(self.paths) != 1:
            raise ValueError(f"these results hold {len(self.paths)} sweeps; use .{plural}")


def load(path: str | Path | Sequence[str | Path]) -> Results:
    """Load the folder of a sweep, running or ended; several folders are put under each other (`sweep_id` tells whose).

    Raises sweep.store.StoreError (NotASweepError: no sweep here; DamagedFileError: names the file), ValueError for
    an empty list or a sweep given twice.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        raise ValueError("load: got an empty list; give at least one sweep's folder")
    places = [_place(open_folder(p)) for p in paths]
    twice = {str(p) for p in places if places.count(p) > 1}
    if twice:
        raise ValueError(f"load: {min(twice)} is given twice; its rows would count twice")
    sweeps = [read_sweep(p) for p in paths]
    ids = [_id(sweep) for sweep in sweeps]
    if len(set(ids)) < len(ids):
        twice_id = max(ids, key=ids.count)
        raise ValueError(f"load: two of the folders have the sweep_id {twice_id}, by which their rows are told apart")
    tables = [_trials(sweep) for sweep in sweeps]
    epochs = [_epochs(sweep, trials) for sweep, trials in zip(sweeps, tables, strict=True)]
    return Results(
        paths=tuple(s.folder.path or str(s.folder) for s in sweeps),
        manifests=tuple(_manifest(s) for s in sweeps),
        trials=derive(pd.concat(tables, ignore_index=True)),
        epochs=pd.concat(epochs, ignore_index=True),
    )


def is_lost(trials: pd.DataFrame) -> pd.Series:
    """Which trials failed, diverged, or lost their row to damage: their curves say less than those of others."""
    return trials["status"].isin(["FAILED", "ABANDONED"]) | trials["stop_reason"].isin(["diverged"])


def _id(sweep: SweepTables) -> str:
    return str(sweep.manifest.get("sweep_id", sweep.folder.name))


def _manifest(sweep: SweepTables) -> dict[str, Any]:
    """With the state that a driver could not write any more which was killed."""
    if sweep.manifest.get("state") != "RUNNING" or holder(sweep.folder) is not None:
        return sweep.manifest
    now = read_manifest(sweep.folder)  # it may have come to its end since
    return {**now, "state": "INTERRUPTED"} if now["state"] == "RUNNING" else now


def _epochs(sweep: SweepTables, trials: pd.DataFrame) -> pd.DataFrame:
    """Of trials whose row is there, and says what they are."""
    known = trials.loc[trials["status"] != "ABANDONED", "trial_id"]
    epochs = sweep.epochs.to_pandas()
    return epochs[epochs["trial_id"].isin(known)].assign(sweep_id=_id(sweep))


def _place(folder: Folder) -> Path | str:
    """The same for every way to write it."""
    return folder.path.resolve() if folder.path else str(folder)


def _trials(sweep: SweepTables) -> pd.DataFrame:
    # One id, though a version before this may have gone on with the sweep in a folder of another name. A null in an
    # integer column would make it float, and epoch 7 would print as 7.0.
    return sweep.trials.to_pandas().assign(sweep_id=_id(sweep)).astype(dict.fromkeys(_INTEGERS, "Int32"))
