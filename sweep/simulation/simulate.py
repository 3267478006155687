"""One sweep on a virtual clock.

What decides is what decides in a real sweep: the same assignments, search algorithm, early stopping and ledger. Only
training, Ray and the store are replaced: by recorded curves, a queue of events, and nothing.
"""

import heapq
import itertools
import math
import random
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec
from sweep.training.seeds import seed_for
from sweep.tuning.assignments import Assignments
from sweep.tuning.build_stopping import build_stopping
from sweep.tuning.ledger import Ledger, RowWriter
from sweep.tuning.trial_record import TrialRecord


class ToldEpoch(NamedTuple):
    """An epoch of a trial, and when (s) it was over."""

    at: float
    trial_id: str
    epoch: int
    val_acc: float


@dataclass(frozen=True)
class SimulatedSweep:
    """trials: as they ended. told: each epoch in the order of the clock. wall_s: in all."""

    trials: list[TrialRecord]
    told: list[ToldEpoch]
    wall_s: float

    @property
    def best_val_acc(self) -> float:
        """Of any epoch told; NaN if none was."""
        return max((told.val_acc for told in self.told), default=math.nan)


class NoStore(RowWriter):
    """Where a ledger without files writes."""

    def add_epoch(self, row: dict[str, Any]) -> None:
        pass

    def put_trial(self, row: dict[str, Any]) -> None:
        pass

    def flush_if_due(self) -> None:
        pass


class Curves(Protocol):
    """What answers a search in place of training: recorded curves, say."""

    def check(self, spec: SweepSpec) -> None:
        """Raise SpecError if they cannot answer what `spec` may propose."""

    def curve(self, configuration: dict[str, Any], replicate: int) -> list[dict[str, Any]]:
        """The rows of a trial, from epoch 1 on; fewer than the spec's epochs where it diverges."""


class Simulation:
    """A sweep under way: `step` lets the next epoch end. `ledger`, `stopping`, `assignments` are a real sweep's."""

    def __init__(self, curves: Curves, spec: SweepSpec, cluster: VirtualCluster) -> None:
        """spec.search.seed draws the arrival order, too. Raises SpecError, see `Curves.check`."""
        curves.check(spec)
        self.ledger = Ledger(NoStore(), "simulated", spec)
        self.stopping = build_stopping(spec)
        self.assignments = Assignments(spec, self.ledger, self.stopping)
        self.ledger.listeners.append(self.assignments)
        self.now = 0.0
        self.told: list[ToldEpoch] = []
        self._curves = curves
        self._cluster = cluster
        self._rng = random.Random(seed_for(spec.search.seed, 0, "order"))
        self._shift = self._rng.randrange(1000)  # which recorded replicate stands for the first one
        self._durations = cluster.durations(self._rng)
        self._free = list(range(cluster.workers))
        self._answers: dict[str, list[dict[str, Any]]] = {}  # by trial
        # When an epoch is over, what breaks ties, the worker, the trial.
        self._events: list[tuple[float, int, int, TrialRecord]] = []
        self._order = itertools.count()
        self._hand_out()

    def step(self) -> bool:
        """Let the next epoch of all end. False if none is under way: the sweep is over."""
        if not self._events:
            return False
        self.now, _, worker, record = heapq.heappop(self._events)
        if self._rng.random() < self._cluster.failure_rate:
            if not self._budget_is_used_up():
                self._train(worker, record, self._cluster.start_s)
            return True
        row = {**self._answers[record.trial_id][len(record.epochs)], "epoch_s": self._epoch_s(worker, record)}
        self.told.append(ToldEpoch(self.now, record.trial_id, row["epoch"], row["val_acc"]))
        verdict = self.stopping.told(record.trial_id, record.configuration_id, [*record.epochs, row])
        self.ledger.add_epoch(record.trial_id, row, node="virtual")
        if verdict.action == "cut":
            self.ledger.end(record.trial_id, "STOPPED", stop_reason=verdict.reason, stop_value=verdict.value)
        elif verdict.action == "wait":
            self.assignments.waits(record)
        elif len(record.epochs) >= self.ledger.epochs:
            self.ledger.end(record.trial_id, "COMPLETED")
        elif not self._budget_is_used_up():
            self._train(worker, record)
            return True
        self._free.append(worker)
        self._hand_out()
        return True

    def _hand_out(self) -> None:
        # Once it is exhausted Tune asks no more.
        while self._free and not self.assignments.exhausted and not self._budget_is_used_up():
            record = self.assignments.next()
            if record is None:
                return
            self.ledger.start(record.trial_id)
            self._answers[record.trial_id] = self._curves.curve(record.configuration, record.replicate + self._shift)
            self._train(self._free.pop(), record, self._cluster.start_s)

    def _budget_is_used_up(self) -> bool:
        """Epochs that run then still end."""
        return self.assignments.budget_reached(self.now) is not None

    def _epoch_s(self, worker: int, record: TrialRecord) -> float:
        """How long a trial's next epoch takes there."""
        recorded_s: float = self._answers[record.trial_id][len(record.epochs)]["epoch_s"]
        return recorded_s * self._durations[worker]

    def _train(self, worker: int, record: TrialRecord, start_s: float = 0.0) -> None:
        over = self.now + start_s + self._epoch_s(worker, record)
        heapq.heappush(self._events, (over, next(self._order), worker, record))


def simulate(curves: Curves, spec: SweepSpec, cluster: VirtualCluster) -> SimulatedSweep:
    """Run `spec` on recorded curves to its end."""
    simulation = Simulation(curves, spec, cluster)
    while simulation.step():
        pass
    return SimulatedSweep(list(simulation.ledger.trials.values()), simulation.told, simulation.now)
