"""The same simulated sweep many times, with other arrival orders: medians and how far they spread."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from sweep.simulation.recorded_curves import RecordedCurves
from sweep.simulation.simulate import SimulatedSweep, simulate
from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec

# How far below the best recorded configuration, in accuracy, one is that counts as found where a trial has reached it.
TARGET = 0.005


@dataclass(frozen=True)
class Spread:
    """The median over the repetitions, and the quartiles around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Repetitions:
    """epochs, wall_s, best_val_acc: of a whole sweep. reached: repetitions in which a trial came within TARGET of the
    best recorded configuration, by `RecordedCurves.epochs_to`; epochs_to_target: what they had spent by then, None if
    none came there.
    """

    repetitions: int
    trials: int
    full_epochs: int
    epochs: Spread
    wall_s: Spread
    best_val_acc: Spread
    reached: int
    epochs_to_target: Spread | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return asdict(self)


def repeat(curves: RecordedCurves, spec: SweepSpec, cluster: VirtualCluster, repetitions: int) -> Repetitions:
    """Simulate `spec` with seeds counted up from its own. Raises SpecError if `curves` cannot answer it."""
    sweeps = [
        simulate(
            curves,
            spec.model_copy(update={"search": spec.search.model_copy(update={"seed": spec.search.seed + number})}),
            cluster,
        )
        for number in range(repetitions)
    ]
    found = [epochs for sweep in sweeps if (epochs := _epochs_to_target(curves, sweep)) is not None]
    trials = max(len(sweep.trials) for sweep in sweeps)
    return Repetitions(
        repetitions=repetitions,
        trials=trials,
        full_epochs=trials * spec.epochs,
        epochs=spread([len(sweep.told) for sweep in sweeps]),
        wall_s=spread([sweep.wall_s for sweep in sweeps]),
        best_val_acc=spread([sweep.best_val_acc for sweep in sweeps]),
        reached=len(found),
        epochs_to_target=spread(found) if found else None,
    )


def _epochs_to_target(curves: RecordedCurves, sweep: SimulatedSweep) -> int | None:
    target = curves.best_val_acc - TARGET
    needed = {record.trial_id: curves.epochs_to(target, record.configuration) for record in sweep.trials}
    return next((count for count, told in enumerate(sweep.told, 1) if told.epoch == needed[told.trial_id]), None)


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)
