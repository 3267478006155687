"""What the service costs beside the training: `sweep run` against Ray Tune as people use it, and against bare Tune.

All three train the same: `sweep.training.trial.Trial`, an MLP of 16 hidden units on the digits, the same learning rates
in the same order. Each is a command of its own, its imports and its Ray included.

ours   `sweep run` of a study: its grid is a list that the others can be given, too, and nothing is cut
stock  a `Tuner` with reuse_actors=True, silent, with its default loggers (JSON, CSV, TensorBoardX) and snapshots
bare   the same without loggers and snapshots

A result's time is the driver's clock when it took the result, on every side. `python -m benchmarks.overhead`
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune

from benchmarks.machine import machine_line
from benchmarks.pairs import Spread, in_turns, print_ratio
from benchmarks.sides import our_sweep, scratch_folder, start, start_ours, wait_for
from cluster.environment import cache_dir
from sweep.data.dataset import ImageDataset, load_dataset
from sweep.spec import SweepSpec
from sweep.store import SweepTables, read_sweep
from sweep.store.folder import LocalFolder
from sweep.store.manifest import write_manifest
from sweep.store.writer import StoreWriter
from sweep.training.trial import Trial

BARE = {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "TUNE_GLOBAL_CHECKPOINT_S": "1000000"}
TUNE_SIDE = "from pathlib import Path; from benchmarks.overhead import tune_side; tune_side(Path({!r}))"


@dataclass(frozen=True)
class Run:
    """One command. Times in unix seconds; results: (trial, taken at, epoch_s), ascending by time."""

    started: float
    exited: float
    files_complete: float  # the latest change of any file of the results
    results: list[tuple[str, float, float]]
    tables: SweepTables | None = None  # ours only

    def per_trial_s(self) -> float:
        """Of one-epoch trials: seconds for each further one, once the first is there."""
        return (self.results[-1][1] - self.results[0][1]) / (len(self.results) - 1)

    def per_result_s(self) -> float:
        """Between two results of a trial, the epoch's own time taken off: what telling a result costs the trial."""
        costs = []
        for trial in {name for name, _, _ in self.results}:
            own = [(at, epoch_s) for name, at, epoch_s in self.results if name == trial]
            costs.append((own[-1][0] - own[0][0] - sum(epoch_s for _, epoch_s in own[1:])) / (len(own) - 1))
        return sum(costs) / len(costs)


def study(trials: int, epochs: int, train_size: int | None, max_concurrent: int | None) -> dict[str, Any]:
    """The spec of all three sides."""
    return {
        "name": "overhead",
        "model": "mlp",
        "model_args": {"hidden": [16]},
        "dataset": "digits",
        "train_size": train_size,
        "epochs": epochs,
        "mode": "study",
        "decompose": False,
        "precision": "fp32",  # as Tune's side
        "space": {"lr": {"loguniform": [1e-4, 1e-2], "points": trials}},
        "resources": {"max_concurrent": max_concurrent},
    }


def run_ours(spec: dict[str, Any]) -> Run:
    """`sweep run`."""
    with scratch_folder() as scratch:
        started = time.time()
        wait_for(start_ours(spec, scratch), scratch)
        exited = time.time()
        tables = read_sweep(our_sweep(scratch))
        rows = sorted(tables.epochs.to_pylist(), key=lambda row: row["timestamp"])
        results = [(row["trial_id"], row["timestamp"].timestamp(), row["epoch_s"]) for row in rows]
        return Run(started, exited, last_change(scratch / "storage"), results, tables)


def run_tune(spec: dict[str, Any], **environment: str) -> Run:
    """Ray Tune; the environment says whether with loggers and snapshots."""
    checked = SweepSpec.load(spec)
    with scratch_folder() as scratch:
        job = {
            **{name: spec[name] for name in ("model", "model_args", "train_size", "epochs")},
            "configurations": checked.search_space.grid(),
            "max_concurrent": checked.resources.max_concurrent,
            "cache": str(cache_dir()),
            "scratch": str(scratch),
        }
        path = scratch / "job.json"
        path.write_text(json.dumps(job))
        started = time.time()
        wait_for(start([sys.executable, "-c", TUNE_SIDE.format(str(path))], scratch, **environment), scratch)
        exited = time.time()
        results = [(name, at, epoch_s) for name, at, epoch_s in json.loads((scratch / "job.out").read_text())]
        return Run(started, exited, last_change(scratch / "storage"), results)


def last_change(folder: Path) -> float:
    """When any file below the folder was changed last."""
    return max(path.stat().st_mtime for path in folder.rglob("*") if path.is_file())


def tune_side(job_path: Path) -> None:
    """The Ray Tune command: a grid over the learning rate, one CPU a trial."""
    job = json.loads(job_path.read_text())
    ray.init(address="local", include_dashboard=False, log_to_driver=False, _temp_dir=f"{job['scratch']}/ray")
    stamps = Stamps()
    tune.Tuner(
        tune.with_resources(tune.with_parameters(tune_trial, job=job), {"cpu": 1}),
        param_space={"lr": tune.grid_search([values["lr"] for values in job["configurations"]])},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=job["max_concurrent"]),
        run_config=tune.RunConfig(
            name="overhead", storage_path=f"{job['scratch']}/storage", callbacks=[stamps], verbose=0
        ),
    ).fit()
    ray.shutdown()
    job_path.with_suffix(".out").write_text(json.dumps(stamps.results))


class Stamps(tune.Callback):
    """Notes when the driver takes each result."""

    def __init__(self) -> None:
        self.results: list[tuple[str, float, float]] = []

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any) -> None:
        self.results.append((trial.trial_id, time.time(), result["epoch_s"]))


def tune_trial(config: dict[str, Any], job: dict[str, Any]) -> None:
    """The trial of both Ray Tune sides."""
    torch.set_num_threads(1)
    trial = Trial(
        digits(job["cache"]),
        {**job["configurations"][0], "lr": config["lr"]},
        model=job["model"],
        model_args=job["model_args"],
        sweep_seed=0,
        replicate=0,
        train_size=job["train_size"],
    )
    for _ in range(job["epochs"]):
        tune.report(trial.train_epoch())


@lru_cache(maxsize=1)
def digits(cache: str) -> ImageDataset:
    """Opened once a process, as ours does it."""
    return load_dataset("digits", cache_dir=Path(cache))


def store_s_per_result(tables: SweepTables) -> float:
    """What the store's calls cost per result, fsync included, when a run's rows come again at the pace of the run."""
    trials = {row["trial_id"]: row for row in tables.trials.to_pylist()}
    rows = sorted(tables.epochs.to_pylist(), key=lambda row: row["timestamp"])
    first_at, started, spent_s = rows[0]["timestamp"], time.monotonic(), 0.0
    with scratch_folder() as scratch:
        sweep = LocalFolder(scratch)
        write_manifest(sweep, {"sweep_id": "again"})
        writer = StoreWriter(sweep)
        for row in rows:
            time.sleep(max(0.0, started + (row["timestamp"] - first_at).total_seconds() - time.monotonic()))
            before = time.perf_counter()
            trial = trials[row["trial_id"]]
            if row["epoch"] in (1, trial["epochs_run"]):  # a trial's row is put when it starts and when it ends
                writer.put_trial(trial)
            writer.add_epoch(row)
            writer.flush_if_due()
            spent_s += time.perf_counter() - before
        before = time.perf_counter()
        writer.flush()
        spent_s += time.perf_counter() - before
        writer.close()
    return spent_s / len(rows)


def compare(spec: dict[str, Any], pairs: int, name: str) -> dict[str, list[Run]]:
    """Runs of the three sides, in turns."""
    measured = in_turns(lambda: [run_ours(spec)], lambda: [run_tune(spec), run_tune(spec, **BARE)], pairs, name)
    rounds = [[*ours, *tunes] for ours, tunes in measured]
    return {side: [runs[number] for runs in rounds] for number, side in enumerate(("ours", "stock", "bare"))}


def main() -> None:
    """Both comparisons, printed."""
    parser = argparse.ArgumentParser(description="What the service costs beside the training.")
    parser.add_argument("--trials", type=int, default=200, help="one-epoch trials")
    parser.add_argument("--epochs", type=int, default=200, help="epochs of each of the two trials that time a result")
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    print(machine_line())
    load_dataset("digits", cache_dir=cache_dir())  # decoded once, which no side shall pay

    runs = compare(study(given.trials, 1, None, None), given.pairs, f"{given.trials} one-epoch trials")
    figures = {
        "wall time": lambda run: run.exited - run.started,
        "command to first step": lambda run: run.results[0][1] - run.results[0][2] - run.started,
        "command to first result": lambda run: run.results[0][1] - run.started,
        "per extra trial": Run.per_trial_s,
        "last result to files complete": lambda run: run.files_complete - run.results[-1][1],
        "last result to process end": lambda run: run.exited - run.results[-1][1],
    }
    for other in ("stock", "bare"):
        print(f" against {other} Ray Tune")
        for what, figure in figures.items():
            print_ratio(what, [figure(run) for run in runs["ours"]], [figure(run) for run in runs[other]], "s")

    # One trial at a time and few images: with both cores training, a result would wait for the core, not for us.
    runs = compare(study(2, given.epochs, 100, 1), given.pairs, f"2 trials x {given.epochs} epochs, one at a time")
    ms = {side: [1000 * run.per_result_s() for run in of_side] for side, of_side in runs.items()}
    for other in ("stock", "bare"):
        print_ratio(f"per result, against {other}", ms["ours"], ms[other], "ms")
    store_ms = [1000 * store_s_per_result(run.tables) for run in runs["ours"] if run.tables]
    print(
        f"  of which the store {Spread.of(store_ms)} ms, {100 * max(store_ms) / min(ms['bare']):.1f} % of bare Tune's"
    )


if __name__ == "__main__":
    main()
