"""Make a small copy of a finished study, for `sweep simulate`, the tests, the benchmarks and docs/results.

    sweep run benchmarks/curves/cifar10-mlp.yaml --storage /tmp/recorded
    python -m benchmarks.record_curves /tmp/recorded/cifar10-mlp-* benchmarks/curves/cifar10-mlp

The data set is named by its place beside the checkout. Losses and accuracies keep six digits; `epoch_s` is the median
of the epochs with the same augmentation and the same dropout (none or some), since other work may have run beside some
of them; when, where and how fast is left out.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sweep.store.folder import LocalFolder
from sweep.store.layout import PUBLISHED
from sweep.store.manifest import write_manifest
from sweep.store.reader import read_sweep
from sweep.store.schema import SCHEMAS

DATASET = "parquet:../shared/data/cifar10"
LEFT_OUT = {
    "epochs": ["sweep_id", "images_per_s", "node", "timestamp", "attempt", "step"],
    "trials": ["sweep_id", "seconds", "started", "ended", "error"],
}


def record(source: Path, target: Path) -> int:
    """Write `target`, a sweep's folder, from that of `source`. Returns its size in bytes."""
    tables = read_sweep(source)
    epochs, trials = tables.epochs.to_pandas(), tables.trials.to_pandas()
    kind = trials.set_index("trial_id")[["augment", "drop_rate"]].loc[epochs["trial_id"]].reset_index(drop=True)
    epochs["epoch_s"] = epochs.groupby([kind["augment"], kind["drop_rate"] > 0])["epoch_s"].transform("median")
    trials["dataset"] = DATASET
    target.mkdir(parents=True, exist_ok=True)
    for name, frame in (("epochs", epochs), ("trials", trials)):
        floats = frame.select_dtypes("float").columns
        frame[floats] = frame[floats].map(_six_digits)
        frame[LEFT_OUT[name]] = None
        frame["sweep_id"] = target.name
        table = pa.Table.from_pandas(frame, schema=SCHEMAS[name], preserve_index=False)
        pq.write_table(table, target / PUBLISHED[name], compression="zstd", compression_level=19)
    keys = ("name", "versions", "dataset", "created", "final_round")
    kept: dict[str, Any] = {key: tables.manifest[key] for key in keys if key in tables.manifest}
    spec = {**tables.manifest["spec"], "dataset": DATASET}
    dataset = {**kept["dataset"], "name": DATASET}
    write_manifest(
        LocalFolder(target),
        {**kept, "sweep_id": target.name, "spec": spec, "dataset": dataset, "state": "COMPLETED", "generation": 0},
    )
    return sum(path.stat().st_size for path in target.iterdir())


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}") if np.isfinite(value) else value


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a small copy of a finished study.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    size = record(options.source, options.target)
    rows = len(pd.read_parquet(options.target / PUBLISHED["epochs"]))
    print(json.dumps({"target": str(options.target), "epochs": rows, "bytes": size}))


if __name__ == "__main__":
    main()
