"""The same simulated sweep many times, with other arrival orders: medians and how far they spread."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from sweep.simulation.recorded_curves import RecordedCurves
from sweep.simulation.simulate import simulate
from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec

# Accuracy below the best recorded configuration at which a sweep counts as having found it.
TARGET = 0.005


@dataclass(frozen=True)
class Spread:
    """The median over the repetitions, and the quartiles around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Repetitions:
    """epochs, wall_s, best_val_acc: of a whole sweep. reached: repetitions that came within TARGET of the best
    recorded configuration; epochs_to_target: what they had spent by then, None if none came there.
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
    search = spec.to_dict()["search"]
    sweeps = [
        simulate(
            curves,
            spec.model_copy(update={"search": spec.search.model_copy(update={"seed": search["seed"] + number})}),
            cluster,
        )
        for number in range(repetitions)
    ]
    needed = [sweep.epochs_to(curves.best_val_acc - TARGET) for sweep in sweeps]
    found = [epochs for epochs in needed if epochs is not None]
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


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)
