"""A real search: ours against Ray Tune's ASHA with OptunaSearch, with the same training code and number of trials.

    python -m benchmarks.live_search [--data parquet:DIR] [--trials 48] [--epochs 20] [--train-size N] [--pairs 1]

Both sides as a person starts them, in turns. Printed: wall time of the whole command, epochs trained, the best val_acc,
and when the side that ended worse was reached by the other one.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.pairs import in_turns, print_ratio
from benchmarks.sides import our_sweep, scratch_folder, start, start_ours, wait_for
from cluster.environment import cache_dir
from sweep.data.dataset import load_dataset
from sweep.data.source import absolute_name
from sweep.spec import SweepSpec
from sweep.tuning.number_format import number_format

SPACE: dict[str, Any] = {
    "lr": {"loguniform": [1e-4, 1e-1]},
    "drop_rate": {"uniform": [0.0, 0.8]},
    "momentum": {"uniform": [0.03, 0.3]},
    "layer_order": {"choice": ["lbrd", "ldbr"]},
    "augment": {"choice": ["none", "crop-flip"]},
}


@dataclass(frozen=True)
class Search:
    """wall_s: of the command. told: of each epoch, seconds after the command and val_acc, in that order."""

    wall_s: float
    told: list[tuple[float, float]]

    @property
    def best(self) -> float:
        """The highest val_acc."""
        return max(val_acc for _, val_acc in self.told)

    def reached(self, val_acc: float) -> tuple[int, float]:
        """Epochs spent and seconds passed when `val_acc` was first told."""
        return next((number, at) for number, (at, told) in enumerate(self.told, 1) if told >= val_acc)


def _spec(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    return {
        "name": "live",
        "model": "mlp",
        "model_args": {"hidden": [options.hidden]},
        "dataset": options.data,
        "epochs": options.epochs,
        "train_size": options.train_size,
        "space": SPACE,
        "search": {"trials": options.trials, "seed": seed},
        "resources": {"max_concurrent": 2},  # as theirs
    }


def ours(options: argparse.Namespace, seed: int) -> Search:
    """`sweep run` with the default search and early stopping."""
    import pandas as pd

    with scratch_folder() as scratch:
        began, began_at = time.monotonic(), time.time()
        wait_for(start_ours(_spec(options, seed), scratch), scratch)
        wall_s = time.monotonic() - began
        epochs = pd.read_parquet(our_sweep(scratch) / "epochs.parquet").sort_values("timestamp")
        times = [moment.timestamp() - began_at for moment in epochs["timestamp"]]
        return Search(wall_s, list(zip(times, epochs["val_acc"].tolist(), strict=True)))


def stock(options: argparse.Namespace, seed: int) -> Search:
    """Ray Tune's own."""
    with scratch_folder() as scratch:
        job = {
            "dataset": options.data,
            "model_args": {"hidden": [options.hidden]},
            "epochs": options.epochs,
            "train_size": options.train_size,
            "trials": options.trials,
            "seed": seed,
            "cache": str(cache_dir()),
            "storage": str(scratch / "storage"),
            "ray_temp": str(scratch / "ray"),
            "precision": number_format(SweepSpec.load(_spec(options, seed))),
        }
        path = scratch / "job.json"
        path.write_text(json.dumps(job))
        began, began_at = time.monotonic(), time.time()
        wait_for(start([sys.executable, "-m", "benchmarks.stock_search", str(path)], scratch), scratch)
        wall_s = time.monotonic() - began
        told = json.loads(path.with_suffix(".out").read_text())
        return Search(wall_s, [(at - began_at, val_acc) for at, val_acc in told])


def main() -> None:
    parser = argparse.ArgumentParser(description="A real search, ours against Ray Tune's.")
    parser.add_argument("--data", default="digits", type=absolute_name)  # Tune's trials run in folders of their own
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--train-size", type=int)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--pairs", type=int, default=1)
    options = parser.parse_args()
    load_dataset(options.data, cache_dir=cache_dir(), progress=print)  # neither side decodes it
    print(machine_line())
    seeds = iter(range(2 * options.pairs))
    name = f"{options.trials} trials of up to {options.epochs} epochs on {options.data}"
    pairs = in_turns(
        lambda: ours(options, next(seeds) // 2), lambda: stock(options, next(seeds) // 2), options.pairs, name
    )
    print_ratio("wall time", [a.wall_s for a, _ in pairs], [b.wall_s for _, b in pairs], "s")
    print_ratio("epochs", [len(a.told) for a, _ in pairs], [len(b.told) for _, b in pairs], "")
    print_ratio("best val_acc", [a.best for a, _ in pairs], [b.best for _, b in pairs], "")
    both = [min(a.best, b.best) for a, b in pairs]
    reached = [(a.reached(level), b.reached(level)) for (a, b), level in zip(pairs, both, strict=True)]
    print_ratio("epochs to what both reached", [a[0] for a, _ in reached], [b[0] for _, b in reached], "")
    print_ratio("time to what both reached", [a[1] for a, _ in reached], [b[1] for _, b in reached], "s")


if __name__ == "__main__":
    main()
