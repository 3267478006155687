"""What it costs to find a good configuration: our searches against what people use, on recorded curves.

A virtual clock, 16 workers, real decisions: every method's own scheduler and searcher objects. Printed for each: the
epochs that all trials together had spent when one of them came within 0.5 points of the best recorded configuration, by
the mean of that one's recorded seeds.

    python -m benchmarks.search [--curves DIR] [--repetitions 50] [--workers 16] [--methods NAME ...]

Syne Tune is measured where it can be imported (`pip install syne-tune`, not one of our packages).
"""

import argparse
import heapq
import importlib.util
import itertools
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.search_rivals import (
    RandomWithoutStopping,
    Rival,
    StockAsha,
    StockAshaOptuna,
    SyneTune,
    TopAfterOneEpoch,
)
from search_spaces.domains import Choice
from search_spaces.space import SearchSpace
from sweep.simulation.recorded_curves import RecordedCurves
from sweep.simulation.repetitions import TARGET
from sweep.simulation.simulate import Simulation
from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec

CURVES = Path(__file__).parent / "curves" / "cifar10-mlp"
MAX_EPOCHS = 10_000  # of all trials together; a method that has not found it by then has missed it

Cost = tuple[int, float]  # epochs, virtual seconds


def rival_cost(make: Callable[..., Rival], curves: RecordedCurves, space: SearchSpace, workers: int, seed: int) -> Cost:
    """Until the target is reached, or MAX_EPOCHS."""
    rival = make(space, curves.spec.epochs, seed)
    rng = random.Random(seed)
    shift = rng.randrange(1000)
    order = itertools.count()
    events: list[tuple[float, int, int]] = []
    answers: dict[int, list[dict[str, Any]]] = {}
    needed: dict[int, int | None] = {}
    told: dict[int, int] = {}
    now, spent = 0.0, 0

    def train(trial: int) -> None:
        heapq.heappush(events, (now + answers[trial][told[trial]]["epoch_s"], next(order), trial))

    def hand_out() -> None:
        for trial in rival.chosen() if isinstance(rival, TopAfterOneEpoch) else ():
            resumed.append(trial)
        if resumed:
            train(resumed.pop(0))
            return
        trial = len(answers)
        suggestion = rival.suggest(trial)
        assert suggestion is not None
        configuration = space.resolve(suggestion)
        answers[trial] = curves.curve(configuration, shift)
        needed[trial] = curves.epochs_to(curves.best_val_acc - TARGET, configuration)
        told[trial] = 0
        train(trial)

    resumed: list[int] = []
    for _ in range(workers):
        hand_out()
    while spent < MAX_EPOCHS:
        now, _, trial = heapq.heappop(events)
        row = answers[trial][told[trial]]
        told[trial] += 1
        spent += 1
        if told[trial] == needed[trial]:
            return spent, now
        if told[trial] < min(curves.spec.epochs, len(answers[trial])) and rival.goes_on(trial, row):
            train(trial)
            continue
        rival.ended(trial, row)
        hand_out()
    return MAX_EPOCHS, now


def our_cost(keys: dict[str, Any], curves: RecordedCurves, space: dict, workers: int, seed: int) -> Cost:
    """Of our own sweep, with `keys` over the default spec."""
    base = {key: value for key, value in curves.spec.to_dict().items() if key in ("name", "model", "epochs")}
    search = {**keys.get("search", {}), "trials": 2000, "seed": seed}
    spec = SweepSpec.load({**base, "dataset": "digits", "space": space, **keys, "search": search})
    simulation = Simulation(curves, spec, VirtualCluster(workers))
    needed: dict[str, int | None] = {}
    while simulation.step() and len(simulation.told) < MAX_EPOCHS:
        told = simulation.told[-1]  # each step ends an epoch, as no virtual worker fails
        if told.epoch == 1:
            configuration = simulation.ledger.trials[told.trial_id].configuration
            needed[told.trial_id] = curves.epochs_to(curves.best_val_acc - TARGET, configuration)
        if told.epoch == needed[told.trial_id]:
            return len(simulation.told), told.at
    return MAX_EPOCHS, simulation.now


RIVALS: dict[str, Callable[..., Rival]] = {
    "random, no stopping": RandomWithoutStopping,
    "top 8 of 64 after an epoch": TopAfterOneEpoch,
    "Tune ASHA + random": StockAsha,
    "Tune ASHA + random, rungs as ours": partial(StockAsha, grace_period=2, reduction_factor=3),
    "Tune ASHA + random, grace 6": partial(StockAsha, grace_period=6, reduction_factor=3),
    "Tune ASHA + OptunaSearch": StockAshaOptuna,
    **{f"Syne Tune {name}": partial(SyneTune, name=name) for name in ("ASHA", "BOHB", "ASHABORE", "ASHACQR")},
}
OURS: dict[str, dict[str, Any]] = {
    "ours, as it is by default": {},
    "ours, stop": {"scheduler": {"variant": "stop"}},
    "ours, stop, random": {"scheduler": {"variant": "stop"}, "search": {"algorithm": "random"}},
    "ours, tpe": {"search": {"algorithm": "tpe"}},
}


def searched_space(curves: RecordedCurves) -> dict[str, Any]:
    """The recorded study's space as a search would have it: ranges in place of the numbers on the grid."""
    raw = dict(curves.spec.space)
    for name, domain in curves.spec.search_space.searched.items():
        assert isinstance(domain, Choice)  # a grid, with its points worked out
        if "loguniform" in raw[name]:
            raw[name] = {"loguniform": raw[name]["loguniform"]}
        elif all(isinstance(option, float) for option in domain.options):
            raw[name] = {"uniform": [min(domain.options), max(domain.options)]}
    return raw


def median_interval(values: list[float], seed: int = 0) -> tuple[float, float, float]:
    """The median, and its 95 % percentile bootstrap interval."""
    rng = random.Random(seed)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(2000))
    return statistics.median(values), medians[50], medians[1949]


def main() -> None:
    parser = argparse.ArgumentParser(description="Epochs until a good configuration is found.")
    parser.add_argument("--curves", default=str(CURVES))
    parser.add_argument("--repetitions", type=int, default=50)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--methods", nargs="+", help="only those whose names contain one of these")
    options = parser.parse_args()
    curves = RecordedCurves.read(options.curves)
    raw = searched_space(curves)
    space = SearchSpace.parse(raw)
    print(machine_line())
    print(f"best recorded: {curves.best_val_acc:.4f}; epochs until one trial is within {100 * TARGET:g} points of it")
    cases: dict[str, Callable[[int], Cost]] = {}
    for name, make in RIVALS.items():
        cases[name] = partial(rival_cost, make, curves, space, options.workers)
    for name, keys in OURS.items():
        cases[name] = partial(our_cost, keys, curves, raw, options.workers)
    baseline = None
    for name, cost in cases.items():
        if options.methods and not any(part in name for part in options.methods):
            continue
        if name.startswith("Syne") and importlib.util.find_spec("syne_tune") is None:
            print(f"{name:34} not measured: syne_tune is not installed")
            continue
        began = time.monotonic()
        costs = [cost(seed) for seed in range(options.repetitions)]
        epochs = [float(spent) for spent, _ in costs]
        median, low, high = median_interval(epochs)
        baseline = baseline or median
        missed = sum(spent >= MAX_EPOCHS for spent, _ in costs)
        print(
            f"{name:34} {median:6.0f} [{low:5.0f} {high:5.0f}] epochs, {baseline / median:5.1f}x cheaper than the "
            f"first; clock {statistics.median(at for _, at in costs):6.0f} s; missed {missed}/{options.repetitions}; "
            f"{time.monotonic() - began:.0f} s to simulate",
            flush=True,
        )


if __name__ == "__main__":
    main()
