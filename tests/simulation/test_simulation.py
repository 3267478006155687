"""Simulated sweeps over real recorded curves: the decisions of real ones, to their end, and the same after a resume."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted_sweep import epoch, trial, write_sweep

from search_spaces.errors import SpecError
from sweep.simulation.plan import plan_sweep
from sweep.simulation.recorded_curves import RecordedCurves
from sweep.simulation.repetitions import Spread, repeat
from sweep.simulation.simulate import NoStore, SimulatedSweep, Simulation, simulate
from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec
from sweep.stopping.budget import BudgetSettings
from sweep.stopping.settings import SchedulerSettings
from sweep.store.schema import ENDED
from sweep.tuning.assignments import Assignments
from sweep.tuning.build_stopping import build_stopping
from sweep.tuning.ledger import Ledger
from sweep.tuning.optuna_proposer import OptunaProposer
from sweep.tuning.settle import settle

SPACE = {"lr": {"loguniform": [1e-4, 1e-1]}, "drop_rate": {"uniform": [0.0, 0.8]}}


def spec(curves: RecordedCurves, **keys: Any) -> SweepSpec:
    kept = {key: value for key, value in curves.spec.to_dict().items() if key in ("name", "model", "dataset", "epochs")}
    base = {**kept, "space": {**curves.spec.space, **SPACE}, "search": {"algorithm": "random", "trials": 60}}
    return SweepSpec.load({**base, **keys}, elsewhere=True)


def statuses(sweep: SimulatedSweep) -> set[str]:
    return {record.status for record in sweep.trials}


VARIANTS = [
    {"scheduler": "none"},
    {"scheduler": {"type": "asha", "variant": "stop"}},
    {"scheduler": {"type": "asha", "variant": "promote"}},
    {"scheduler": {"type": "asha", "variant": "stop", "brackets": 3}},
    {"scheduler": {"type": "asha", "variant": "promote", "brackets": 3}},
    {"scheduler": {"type": "asha", "variant": "stop"}, "replicates": 3},
    {"scheduler": {"type": "asha", "variant": "promote"}, "replicates": 2},
    {"scheduler": "none", "stop_rules": {"gap": {}, "plateau": {"patience": 5}, "up": {"strip": 2}}},
    {"scheduler": "asha", "stop_rules": {"gl": {"alpha": 5.0}, "pq": {}}, "replicates": 2},
]


@pytest.mark.parametrize("workers", [1, 16, 200])
@pytest.mark.parametrize("keys", VARIANTS)
def test_every_sweep_ends_with_every_trial_ended_and_one_completed(
    curves: RecordedCurves, keys: dict[str, Any], workers: int
) -> None:
    sweep = simulate(curves, spec(curves, **keys), VirtualCluster(workers))
    assert statuses(sweep) <= ENDED
    assert len(sweep.trials) == 60 * keys.get("replicates", 1)
    assert len(sweep.told) == sum(len(record.epochs) for record in sweep.trials)
    # One is trained to its end, or as far as a rule on its own curve lets it, beyond all that wait; the others fall.
    assert any(record.is_through for record in sweep.trials)
    for record in sweep.trials:
        assert [row["epoch"] for row in record.epochs] == list(range(1, len(record.epochs) + 1))
        assert (record.stop_reason is None) == (record.status == "COMPLETED")


@pytest.mark.parametrize("workers", [2, 16])
def test_what_a_rule_of_its_own_ends_is_through_and_nobody_is_trained_in_its_place(
    curves: RecordedCurves, workers: int
) -> None:
    sweep = simulate(curves, spec(curves, stop_rules={"plateau": {"patience": 2}}), VirtualCluster(workers))
    assert not any(record.status == "COMPLETED" for record in sweep.trials)
    reached, beyond = (sum(len(record.epochs) >= epoch for record in sweep.trials) for epoch in (6, 7))
    assert beyond <= reached / 2  # a third, or some more as they came; not all of them, one after the other


def test_the_same_seed_gives_the_same_sweep_and_another_one_another(curves: RecordedCurves) -> None:
    cluster = VirtualCluster(8, speed_spread=0.3, failure_rate=0.1)
    told = [simulate(curves, spec(curves, search={"trials": 20, "seed": seed}), cluster).told for seed in (1, 1, 2)]
    assert told[0] == told[1] != told[2]


def test_without_early_stopping_every_epoch_is_trained_and_workers_divide_the_time(curves: RecordedCurves) -> None:
    sweeps = [simulate(curves, spec(curves, scheduler="none"), VirtualCluster(workers)) for workers in (1, 6)]
    finite = [record for record in sweeps[0].trials if record.status == "COMPLETED"]
    assert all(len(record.epochs) == curves.spec.epochs for record in finite)
    assert len(sweeps[0].told) == len(sweeps[1].told)
    assert 5 < sweeps[0].wall_s / sweeps[1].wall_s <= 6.0001


def test_failures_and_slow_machines_cost_time_and_no_epoch(curves: RecordedCurves) -> None:
    plain = simulate(curves, spec(curves, scheduler="none"), VirtualCluster(4))
    for cluster in (VirtualCluster(4, failure_rate=0.3), VirtualCluster(4, slowdown=2.0), VirtualCluster(4, start_s=9)):
        worse = simulate(curves, spec(curves, scheduler="none"), cluster)
        assert worse.wall_s > plain.wall_s
        assert len(worse.told) == len(plain.told)


def test_where_a_budget_is_used_up_the_epochs_that_run_still_end(curves: RecordedCurves) -> None:
    asked = spec(curves, scheduler="none", budget={"max_epochs_total": 100})
    assert 100 <= len(simulate(curves, asked, VirtualCluster(16)).told) < 116
    too_few = spec(curves, replicates=2).model_copy(update={"budget": BudgetSettings(max_trials=1)})
    nothing = simulate(curves, too_few, VirtualCluster(2))
    assert (nothing.trials, nothing.told, math.isnan(nothing.best_val_acc)) == ([], [], True)


def test_a_slow_machine_costs_more(curves: RecordedCurves) -> None:
    asked = spec(curves, scheduler="none", budget={"max_cost": 0.05, "price_per_cpu_hour": 1.0})
    quick, slow = (len(simulate(curves, asked, VirtualCluster(1, slowdown=factor)).told) for factor in (1.0, 4.0))
    assert quick > 20
    assert slow == pytest.approx(quick / 4, rel=0.2)


@pytest.mark.parametrize("algorithm", ["random", "tpe"])
@pytest.mark.parametrize("keys", [VARIANTS[1], VARIANTS[2], VARIANTS[4], VARIANTS[5], VARIANTS[6]])
@pytest.mark.parametrize("steps", [1, 40, 133])
def test_what_a_resume_rebuilds_in_the_middle_is_what_was_there(
    curves: RecordedCurves, keys: dict[str, Any], steps: int, algorithm: str
) -> None:
    """The rungs, who waits there, and the Optuna study; a resume knows the stored rows and nothing else."""
    asked = spec(curves, **keys, search={"algorithm": algorithm, "trials": 60, "seed": 3})
    before = Simulation(curves, asked, VirtualCluster(16))
    for _ in range(steps):
        assert before.step()
    ledger = Ledger(NoStore(), "resumed", asked)
    for record in before.ledger.trials.values():
        if record.status != "PLANNED":
            ledger.trials[record.trial_id] = replace(record, epochs=list(record.epochs), waits=False)
    stopping = build_stopping(asked)
    settle(ledger, stopping)
    after = Assignments(asked, ledger, stopping)
    assert before.stopping.asha is not None
    assert stopping.asha is not None
    at_work = {record.trial_id for record in before.ledger.unfinished() if not record.waits}
    # What the first driver had released, and what has told nothing since, the second one releases again.
    again = at_work & stopping.held
    released: set[str | None] = set()
    while not again <= released:
        released.add(stopping.next_released())
    assert stopping.asha.standings() == before.stopping.asha.standings()
    # Of two seeds that went on together, the second driver may hand out the one that had yet to be.
    assert stopping.held | (released - again) == before.stopping.held
    if algorithm == "tpe":
        proposers = [before.assignments.proposer, after.proposer]
        studies = [p.study.trials for p in proposers if isinstance(p, OptunaProposer)]
        assert [(t.state, t.params, t.values, t.intermediate_values) for t in studies[0]] == [
            (t.state, t.params, t.values, t.intermediate_values) for t in studies[1]
        ]


@pytest.mark.parametrize("variant", ["stop", "promote"])
@pytest.mark.parametrize("nan_at", [1, 2, 3, 20])
def test_where_every_loss_is_nan_nothing_hangs_and_nothing_survives(tmp_path: Path, variant: str, nan_at: int) -> None:
    def curve(epochs: int) -> list[dict]:
        return [epoch(math.nan if number == nan_at else 1.0, 0.9, 0.5) for number in range(1, epochs + 1)]

    trials = [
        trial(curve(nan_at), status="STOPPED", stop_reason="diverged", lr=lr) for lr in (0.001, 0.01, 0.1, 0.2, 0.3)
    ]
    space = {"lr": {"choice": [0.001, 0.01, 0.1, 0.2, 0.3]}}
    keys = {"name": "nan", "model": "mlp", "dataset": "digits", "epochs": 20, "space": space}
    folder = write_sweep(tmp_path / "nan", trials, spec={**keys, "mode": "study"})
    recorded = RecordedCurves.read(folder)
    for algorithm in ("grid", "tpe"):
        search = {"algorithm": algorithm, "trials": 5}
        asked = SweepSpec.load({**keys, "search": search, "scheduler": {"variant": variant}})
        sweep = simulate(recorded, asked, VirtualCluster(2))
        assert statuses(sweep) == {"STOPPED"}
        assert len(sweep.trials) == 5


def test_a_lucky_seed_does_not_make_a_configuration_found(tmp_path: Path) -> None:
    """One has a seed above all others, and a mean of 0.6; the other reaches 0.62 with both, in its second epoch."""
    accuracies = {0.001: ([0.7, 0.7, 0.7], [0.5, 0.5, 0.5]), 0.01: ([0.5, 0.62, 0.6], [0.4, 0.62, 0.6])}
    trials = [
        trial([epoch(1.0, 0.9, val_acc) for val_acc in curve], lr=lr, replicate=replicate)
        for lr, seeds in accuracies.items()
        for replicate, curve in enumerate(seeds)
    ]
    keys = {
        "name": "lucky",
        "model": "mlp",
        "dataset": "digits",
        "epochs": 3,
        "space": {"lr": {"choice": [1e-3, 1e-2]}},
    }
    recorded = RecordedCurves.read(write_sweep(tmp_path / "lucky", trials, spec={**keys, "mode": "study"}))
    assert recorded.best_val_acc == pytest.approx(0.62)
    asked = SweepSpec.load({**keys, "search": {"algorithm": "grid"}, "scheduler": "none"})
    found = repeat(recorded, asked, VirtualCluster(1), 4)
    assert found.best_val_acc.high > 0.62  # some of the four sweeps met the lucky seed
    assert (found.reached, found.epochs_to_target) == (4, Spread(5, 5, 5))


def test_what_was_not_recorded_is_refused(curves: RecordedCurves) -> None:
    with pytest.raises(SpecError, match="epochs: got 21; allowed: up to 20"):
        simulate(curves, spec(curves, epochs=21), VirtualCluster(1))
    with pytest.raises(SpecError, match=r"space\.layer_order: got 'rlbd'; allowed: lbrd"):
        simulate(curves, spec(curves, space={**curves.spec.space, "layer_order": "rlbd"}), VirtualCluster(1))


def test_a_study_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    rows = [epoch(1.0, 1.0, 0.5)] * 30
    grid = {"lr": {"choice": [0.1, 0.2]}}
    planted = {"name": "s", "model": "mlp", "dataset": "digits", "epochs": 30, "mode": "study", "space": grid}
    with pytest.raises(SpecError, match="1 of its 2 trials have been recorded"):
        RecordedCurves.read(write_sweep(tmp_path / "a", [trial(rows, lr=0.1)], spec=planted))
    lacks_rows = [trial(rows, lr=0.1), trial(rows[:9], lr=0.2)]
    with pytest.raises(SpecError, match="is COMPLETED; allowed: trials that trained to their end"):
        RecordedCurves.read(write_sweep(tmp_path / "b", lacks_rows, spec=planted))


def test_the_plan_keeps_to_the_budget_and_foresees_the_end_of_a_large_sweep_once() -> None:
    asked = SweepSpec.load(
        {
            "name": "large",
            "model": "mlp",
            "dataset": "digits",
            "epochs": 20,
            "space": {"lr": {"loguniform": [1e-4, 1e-1]}},
            "search": {"trials": 10_000},
        }
    )
    free = plan_sweep(asked, 1000)
    assert free.expected_epochs / 1000 < free.expected_rounds < free.expected_epochs / 1000 + 30
    for allowed in (5_000, free.expected_epochs - 10_000):
        for scheduler in (asked.scheduler, SchedulerSettings(type="none")):
            update = {"budget": BudgetSettings(max_epochs_total=allowed), "scheduler": scheduler}
            bounded = plan_sweep(asked.model_copy(update=update), 1000)
            assert 0.95 * allowed <= bounded.expected_epochs <= allowed
    few = plan_sweep(asked.model_copy(update={"budget": BudgetSettings(max_trials=50), "replicates": 3}), 1000)
    assert few.trials == 48


@pytest.mark.parametrize("keys", [VARIANTS[0], VARIANTS[1], VARIANTS[2], VARIANTS[4], VARIANTS[5]])
def test_the_plan_foresees_the_epochs_of_a_simulated_random_search(
    curves: RecordedCurves, keys: dict[str, Any]
) -> None:
    """Within 20 %, on average over arrival orders. Of recorded configurations alone, as two alike would tie."""
    asked = [
        spec(curves, **keys, space=curves.spec.space, search={"algorithm": "random", "trials": 60, "seed": seed})
        for seed in range(12)
    ]
    spent = [len(simulate(curves, each, VirtualCluster(8)).told) for each in asked]
    assert sum(spent) / len(spent) == pytest.approx(plan_sweep(asked[0], 8).expected_epochs, rel=0.2)
