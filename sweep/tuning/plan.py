"""What a sweep will take, said before it starts."""

import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sweep.spec import SweepSpec
from sweep.stopping.asha import rung_epochs

PROBE_IMAGES = 1000


@dataclass(frozen=True)
class Plan:
    """Counts of a sweep, and what they cost.

    configurations * replicates = trials; rungs: the epochs at which trials are compared; full_epochs: trials * epochs;
    expected_epochs: about what is left when early stopping keeps one in `reduction_factor` at each rung.
    """

    configurations: int
    replicates: int
    trials: int
    epochs: int
    rungs: list[int]
    full_epochs: int
    expected_epochs: int

    def cost(
        self, seconds_per_epoch: float, trials_at_once: int, cpus_per_trial: float, price: float
    ) -> dict[str, Any]:
        """Wall time (s), CPU hours and money; price: of a CPU hour."""
        trial_s = self.expected_epochs * seconds_per_epoch
        cpu_hours = trial_s * cpus_per_trial / 3600
        return {
            "seconds_per_epoch": seconds_per_epoch,
            "trials_at_once": trials_at_once,
            "wall_s": trial_s / min(trials_at_once, self.trials),
            "cpu_hours": cpu_hours,
            "cost": cpu_hours * price,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return asdict(self)


def plan_sweep(spec: SweepSpec) -> Plan:
    """Count what `spec` asks for. Light: neither torch nor Ray."""
    trials = planned_trials(spec)
    rungs: list[int] = []
    if spec.scheduler.type == "asha":
        rungs = rung_epochs(spec.epochs, spec.scheduler.grace_period, spec.scheduler.reduction_factor)
    expected, alive, reached = 0.0, float(trials), 0
    for rung in [*rungs, spec.epochs]:
        expected += alive * (rung - reached)
        alive, reached = max(1.0, alive / spec.scheduler.reduction_factor), rung
    return Plan(
        configurations=trials // spec.replicates,
        replicates=spec.replicates,
        trials=trials,
        epochs=spec.epochs,
        rungs=rungs,
        full_epochs=trials * spec.epochs,
        expected_epochs=round(expected),
    )


def planned_trials(spec: SweepSpec) -> int:
    """How many trials a sweep of `spec` has when it is done."""
    counts = [count for count in (spec.search.trials, spec.search_space.cardinality) if count is not None]
    return min(counts) * spec.replicates


def probe_seconds_per_epoch(spec: SweepSpec, cache_dir: Path) -> float:
    """Seconds that one epoch of one trial takes here: one configuration drawn from the space trains two short epochs.

    The second one counts. Takes seconds, and the decoding of the data set if it was never used here.
    """
    import torch

    from sweep.data.dataset import load_dataset
    from sweep.data.split import split_indices
    from sweep.training.host_memory import keep_freed_memory
    from sweep.training.precision import resolve_precision
    from sweep.training.trial import Trial

    device: Literal["cpu", "cuda"] = (
        "cuda" if spec.resources.gpus_per_trial > 0 and torch.cuda.is_available() else "cpu"
    )
    keep_freed_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, int(spec.resources.cpus_per_trial)))
    try:
        dataset = load_dataset(spec.dataset, cache_dir=cache_dir)
        full = split_indices(len(dataset.train_images), seed=0, train_size=spec.train_size)
        trial = Trial(
            dataset,
            spec.search_space.sample(random.Random(spec.search.seed)),
            model=spec.model,
            model_args=spec.model_args,
            sweep_seed=spec.search.seed,
            replicate=0,
            train_size=min(PROBE_IMAGES, len(full.train)),
            device=device,
            precision=resolve_precision(spec.precision, device),
        )
        trial.train_epoch()
        row = trial.train_epoch()
    finally:
        torch.set_num_threads(threads)
    trained = min(PROBE_IMAGES, len(full.train))
    trained_s = trained / row["images_per_s"]
    # The probe evaluates its own training images and the whole validation part.
    evaluated_per_s = (trained + len(full.val)) / (row["epoch_s"] - trained_s)
    return len(full.train) / row["images_per_s"] + (len(full.train_eval) + len(full.val)) / evaluated_per_s
