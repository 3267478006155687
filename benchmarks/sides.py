"""The two sides as a person starts them, each a command of its own that pays for its imports and its Ray.

    with scratch_folder() as scratch:
        data = prepare_usual_data("cifar10", scratch / "data")
        wait_for(start_usual(job, scratch), scratch)
        print(usual_figures(scratch))

A scratch folder holds one run of a side: its inputs, what it printed, its results. Light to import: the commands whose
start is measured import this, too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SWEEP = [sys.executable, "-c", "from sweep.cli.app import main; main()"]
ERRORS = "stderr.txt"


class SideFailedError(RuntimeError):
    """One of the two sides exited non-zero; the message is what it printed on stderr."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is removed at the end. Directly in /tmp: Ray's socket paths must stay below 100 characters."""
    folder = Path(tempfile.mkdtemp(prefix="gapsweep-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare_usual_data(dataset: str, folder: Path) -> dict[str, Any]:
    """Write the training images as the usual way reads them: images.npy uint8 (N, 32, 32, 3), labels.npy int64 (N,).

    dataset: a name as in a spec; decoded into $GAPSWEEP_CACHE first if it is not there, which both sides then skip.
    Returns the keys data, mean and std of a job.
    """
    import numpy as np

    from cluster.environment import cache_dir
    from sweep.data.dataset import load_dataset

    opened = load_dataset(dataset, cache_dir=cache_dir(), progress=print)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", np.ascontiguousarray(opened.train_images.transpose(0, 2, 3, 1)))
    np.save(folder / "labels.npy", np.asarray(opened.train_labels))
    return {"data": str(folder), "mean": opened.mean, "std": opened.std}


def start_usual(job: dict[str, Any], scratch: Path) -> subprocess.Popen[bytes]:
    """Start the usual way. job: data, mean, std, model, augment, epochs, lrs, drop_rates; its folders are set here."""
    job = {**job, "storage": str(scratch / "storage"), "ray_temp": str(scratch / "ray")}
    path = _write(scratch / "job.json", job)
    return start([sys.executable, "-m", "benchmarks.usual_way", str(path)], scratch)


def start_ours(spec: dict[str, Any], scratch: Path) -> subprocess.Popen[bytes]:
    """Start `sweep run` on a spec, into scratch/storage."""
    path = _write(scratch / "spec.yaml", spec)  # JSON is YAML
    return start([*SWEEP, "run", str(path), "--storage", str(scratch / "storage"), "--json"], scratch)


def start(command: Sequence[str], scratch: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start any command of a comparison; it prints into files of `scratch`, which is made if need be."""
    scratch.mkdir(parents=True, exist_ok=True)
    # Neither side shall wait for a network.
    with (scratch / "stdout.txt").open("wb") as stdout, (scratch / ERRORS).open("wb") as stderr:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", **environment},
        )


def wait_for(process: subprocess.Popen[bytes], scratch: Path) -> None:
    """Wait for a started side's end. Raises SideFailedError with its stderr if it exits non-zero."""
    code = process.wait()
    if code != 0:
        printed = (scratch / ERRORS).read_text(errors="replace").strip()
        raise SideFailedError(f"{process.args!r}: exit code {code}; it printed:\n{printed}")


def our_sweep(scratch: Path) -> Path:
    """The folder of the sweep that `start_ours` ran to its end."""
    return Path(json.loads((scratch / "stdout.txt").read_text())["path"])


def usual_figures(scratch: Path) -> dict[str, list[float]]:
    """epoch_ends: when each epoch of any trial ended, unix seconds ascending; val_acc: of each trial's last epoch."""
    figures: dict[str, list[float]] = json.loads((scratch / "job.out").read_text())
    return figures


def our_figures(scratch: Path) -> dict[str, list[float]]:
    """The same of our side, from its two files."""
    import pandas as pd

    sweep_dir = our_sweep(scratch)
    epochs, trials = (pd.read_parquet(sweep_dir / f"{name}.parquet") for name in ("epochs", "trials"))
    return {
        "epoch_ends": sorted(moment.timestamp() for moment in epochs["timestamp"]),
        "val_acc": [float(value) for value in trials["last_val_acc"]],
    }


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
