"""Trial-epochs a minute of `sweep run` against the usual way: same configurations, same data, same epochs, in turns.

    python -m benchmarks.throughput --dataset parquet:PATH --cases mlp:full mlp:none cnn:full cnn:none --epochs 3

Steady state is from the end of the first epochs, as many as run at once, to the last one's; the usual way starts a
process for each trial in that time. The whole command adds start-up and the writing of results. Our time has three
losses an epoch in it, the usual way's has two. The usual way computes in float32, ours in `--precision`. A command's
validation accuracy is the mean over its trials; the two sides' are to agree within what seeds do, so no two commands
share one: the usual way sets none, ours is another in each pair.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.pairs import Spread, in_turns, print_ratio
from benchmarks.sides import (
    our_figures,
    prepare_usual_data,
    scratch_folder,
    start_ours,
    start_usual,
    usual_figures,
    wait_for,
)


@dataclass(frozen=True)
class Speed:
    """Of one command: trial-epochs a minute, and the mean validation accuracy of its trials' last epochs."""

    steady: float
    whole: float
    val_acc: float


def main() -> None:
    """Measure and print."""
    options = _options()
    print(machine_line())
    with scratch_folder() as scratch:
        data = prepare_usual_data(options.dataset, scratch / "data")
        for case in options.cases:
            model, augment = case.split(":")
            common = {"model": model, "epochs": options.epochs}
            job = {**common, **data, "augment": augment, "lrs": options.lrs, "drop_rates": options.drop_rates}
            spec = {
                **common,
                "name": "throughput",
                "dataset": options.dataset,
                "mode": "study",
                "decompose": False,
                "precision": options.precision,
                "space": {
                    "lr": {"choice": options.lrs},
                    "drop_rate": {"choice": options.drop_rates},
                    "augment": augment,
                },
            }
            _compare(case, spec, job, scratch, options.pairs)


def _compare(case: str, spec: dict[str, Any], job: dict[str, Any], scratch: Path, pairs: int) -> None:
    run = 0

    def measured(
        start: Callable[[dict[str, Any], Path], "Popen[bytes]"],
        figures: Callable[[Path], dict[str, list[float]]],
        what: dict[str, Any],
    ) -> Speed:
        nonlocal run
        run += 1
        folder = scratch / f"{case.replace(':', '-')}-{run}"
        started = time.perf_counter()
        wait_for(start(what, folder), folder)
        return _speed(figures(folder), time.perf_counter() - started)

    both = in_turns(
        lambda: measured(start_ours, our_figures, {**spec, "search": {"seed": run}}),
        lambda: measured(start_usual, usual_figures, job),
        pairs,
        case,
    )
    ours, usual = zip(*both, strict=True)
    trials = len(job["lrs"]) * len(job["drop_rates"])
    print(f"{case}, {trials} trials x {spec['epochs']} epochs, trial-epochs/min:")
    print_ratio("steady state", [s.steady for s in ours], [s.steady for s in usual], "")
    print_ratio("whole command", [s.whole for s in ours], [s.whole for s in usual], "")
    a, b = ([100 * s.val_acc for s in side] for side in (ours, usual))
    print(
        f"  validation accuracy, %             ours {Spread.of(a)} | usual {Spread.of(b)} "
        f"| means differ by {statistics.fmean(a) - statistics.fmean(b):+.2f} points",
        flush=True,
    )


def _speed(figures: dict[str, list[float]], whole_s: float) -> Speed:
    ends = figures["epoch_ends"]
    # Trials that run in step end their first epochs together: none of these was trained in what follows.
    first = min(os.cpu_count() or 1, len(ends) - 1)
    return Speed(
        steady=60 * (len(ends) - first) / (ends[-1] - ends[first - 1]),
        whole=60 * len(ends) / whole_s,
        val_acc=statistics.fmean(figures["val_acc"]),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits", help="as in a spec (default: digits)")
    parser.add_argument("--cases", nargs="+", default=["mlp:full", "cnn:full"], metavar="MODEL:AUGMENT")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--precision", default="auto", help="of ours, as in a spec (default: auto)")
    parser.add_argument("--lrs", nargs="+", type=float, default=[3e-4, 1e-3])
    parser.add_argument("--drop-rates", nargs="+", type=float, default=[0.1, 0.3])
    parser.add_argument("--pairs", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
