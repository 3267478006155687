"""The curves of a finished study, as answers to what a search proposes."""

import math
import random
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces.augment_presets import STRENGTHS
from search_spaces.domains import Domain, Fixed, LogUniform, Uniform
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.wording import shown
from sweep.spec import SweepSpec
from sweep.store.folder import Folder
from sweep.store.reader import SweepTables, read_sweep
from sweep.tuning.ledger import records_from
from sweep.tuning.planned_trials import planned_trials
from sweep.tuning.trial_record import TrialRecord

# Positive values that span more than this are compared by their logarithms.
_LOGARITHMIC_SPAN = 30.0
# A simulated sweep may have others than the study; it is answered by the same curves.
NOT_FELT = ("model_args", "dataset", "train_size")


class RecordedCurves:
    """Every configuration of a full factorial with its rows, epoch by epoch.

    `spec`: the study's. `best_val_acc`: the highest that a configuration reaches, see `epochs_to`.
    """

    def __init__(self, tables: SweepTables) -> None:
        """Raises SpecError for a sweep that is no study or has trials without an end: a cut curve answers nothing."""
        self.spec = SweepSpec.load(tables.manifest["spec"], elsewhere=True, stored=True)
        if self.spec.mode != "study":
            raise SpecError(f"{tables.folder}: mode {self.spec.mode}; allowed: study, where no curve is cut")
        if self.spec.configurations is not None:
            raise SpecError(f"{tables.folder}: lists its configurations; allowed: a full factorial of its space")
        self._by_configuration: dict[str, list[TrialRecord]] = {}
        for record in records_from(tables):
            whole = record.status == "COMPLETED" and len(record.epochs) >= self.spec.epochs
            whole = whole or record.stop_reason == "diverged"
            if not whole:
                goes_on = "retry {} --failed" if record.status == "FAILED" else "resume {}"
                raise SpecError(
                    f"{tables.folder}: trial {record.trial_id} is {record.status}; allowed: trials that trained to "
                    f"their end; `sweep {goes_on.format(shlex.quote(str(tables.folder)))}` does that"
                )
            self._by_configuration.setdefault(record.configuration_id, []).append(record)
        recorded, planned = sum(map(len, self._by_configuration.values())), planned_trials(self.spec)
        if recorded < planned:
            raise SpecError(
                f"{tables.folder}: {recorded} of its {planned} trials have been recorded; allowed: all of them; go on "
                f"with `sweep resume {shlex.quote(str(tables.folder))}`"
            )
        self._records = list(self._by_configuration.values())
        self._axes = {name: _Axis(domain) for name, domain in self.spec.search_space.searched.items()}
        points = [self._position(replicates[0].configuration) for replicates in self._records]
        self._positions = np.array(points).reshape(len(points), -1)
        self._best_so_far = np.array([_best_so_far(replicates, self.spec.epochs) for replicates in self._records])
        self.best_val_acc = float(self._best_so_far.max())

    @classmethod
    def read(cls, place: str | Path | Folder) -> "RecordedCurves":
        """Of a sweep's folder. Raises also what `read_sweep` raises."""
        return cls(read_sweep(place))

    def check(self, spec: SweepSpec) -> None:
        """Raise SpecError, a line a mistake, if these curves cannot answer what `spec` may propose."""
        if spec.configurations is not None:
            raise SpecError("configurations: got a list; allowed in a simulation: a space, in place of it")
        lines = []
        if spec.model != self.spec.model:
            lines.append(f"model: got {spec.model}; allowed: {self.spec.model}, as was recorded")
        if spec.epochs > self.spec.epochs:
            lines.append(f"epochs: got {spec.epochs}; allowed: up to {self.spec.epochs}, as were recorded")
        space = spec.search_space
        recorded, asked = self._records[0][0].configuration, space.sample(random.Random(0))
        for name in HYPERPARAMETERS:
            if name in self._axes:
                domain = space.domains.get(name, Fixed(asked[name]))
                lines += [f"space.{name}: {line}" for line in self._axes[name].faults(domain)]
            elif name in STRENGTHS and name not in space.domains:
                pass  # follows from augment
            elif name in space.searched or asked[name] != recorded[name]:
                got = spec.space.get(name, asked[name])
                lines.append(f"space.{name}: got {shown(got)}; allowed: {shown(recorded[name])}, as was recorded")
        if lines:
            raise SpecError("\n".join(lines))

    def others(self, spec: SweepSpec) -> list[str]:
        """A line for each key in which `spec` trains something else than was recorded: no curve tells of that."""
        return [
            f"{key}: got {shown(getattr(spec, key))}, answered by curves of {shown(getattr(self.spec, key))}"
            for key in NOT_FELT
            if getattr(spec, key) != getattr(self.spec, key)
        ]

    def curve(self, configuration: dict[str, Any], replicate: int) -> list[dict[str, Any]]:
        """The rows of the nearest recorded configuration, from epoch 1 on; fewer than `epochs` where it diverged.

        Nearest: by the sum over the searched hyper-parameters of their distances, a recorded range being 1 wide, in
        the logarithm where it spans decades; two different words are 1 apart. Replicates are used again in turn.
        """
        replicates = self._records[self._nearest(configuration)]
        return replicates[replicate % len(replicates)].epochs

    def epochs_to(self, val_acc: float, configuration: dict[str, Any]) -> int | None:
        """The epoch by which the nearest recorded configuration has reached `val_acc`; None if it never does.

        Its replicates' highest accuracies by then are averaged: one lucky seed does not make a configuration good.
        """
        reached = self._best_so_far[self._nearest(configuration)] >= val_acc
        return int(reached.argmax()) + 1 if reached.any() else None

    def _nearest(self, configuration: dict[str, Any]) -> int:
        distances = np.abs(self._positions - np.array(self._position(configuration)))
        return int(np.minimum(distances, 1.0).sum(axis=1).argmin())

    def _position(self, configuration: dict[str, Any]) -> list[float]:
        return [axis.position(configuration[name]) for name, axis in self._axes.items()]


def _best_so_far(replicates: list[TrialRecord], epochs: int) -> np.ndarray:
    """By epoch: each replicate's highest val_acc until then, averaged; minus infinity while one has none."""
    curves = np.full((len(replicates), epochs), -np.inf)
    for curve, record in zip(curves, replicates, strict=True):
        for row in record.epochs:
            if math.isfinite(row["val_loss"]):
                curve[row["epoch"] - 1] = row["val_acc"]
    return np.maximum.accumulate(curves, axis=1).mean(axis=0)


class _Axis:
    """One hyper-parameter's recorded values as numbers; words are 1 or more apart from one another."""

    def __init__(self, domain: Domain) -> None:
        self._values = list(domain.values())  # type: ignore[union-attr]  # a study's domains are finite
        self._numeric = all(isinstance(value, int | float) for value in self._values)
        numbers = [float(value) for value in self._values] if self._numeric else [0.0]
        low, high = min(numbers), max(numbers)
        self._bounds = low, high
        self._log = low > 0 and high / low > _LOGARITHMIC_SPAN
        self._low, self._width = (math.log(low), math.log(high / low)) if self._log else (low, high - low)

    def position(self, value: Any) -> float:
        if not self._numeric:
            return float(self._values.index(value))
        return ((math.log(value) if self._log else value) - self._low) / self._width

    def faults(self, domain: Domain) -> list[str]:
        """What the recorded values cannot answer."""
        if self._numeric:
            asked = (domain.low, domain.high) if isinstance(domain, Uniform | LogUniform) else domain.values()
            (low, high), slack = self._bounds, 1e-9 * max(map(abs, self._bounds))
            beyond = [value for value in asked if not low - slack <= float(value) <= high + slack]
            return [f"got {shown(beyond[0])}; allowed: {low:g} to {high:g}, as was recorded"] if beyond else []
        others = [value for value in domain.values() if value not in self._values]  # type: ignore[union-attr]
        return [
            f"got {shown(value)}; allowed: {', '.join(map(str, self._values))}, as were recorded" for value in others
        ]
