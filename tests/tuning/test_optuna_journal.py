"""A sweep's search as a study that Optuna opens."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

from sweep.spec import SweepSpec
from sweep.tuning.optuna_journal import journal_of
from sweep.tuning.proposer import Outcome
from sweep.tuning.trial_record import TrialRecord

BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def spec(algorithm: str = "qmc") -> SweepSpec:
    return SweepSpec.load(
        {
            "name": "x",
            "model": "mlp",
            "dataset": "digits",
            "epochs": 3,
            "space": {"lr": {"loguniform": [1e-4, 1e-1]}},
            "search": {"algorithm": algorithm, "trials": 9},
        }
    )


def replicate(lr: float, status: str, *val_accs: float, number: int = 0, reason: str | None = None) -> TrialRecord:
    rows = [
        {"epoch": epoch, "val_acc": val_acc, "val_loss": 1.0, "gap_loss": 0.1 * epoch}
        for epoch, val_acc in enumerate(val_accs, 1)
    ]
    began = None if status == "PLANNED" else BEGAN
    ended = None if status in ("PLANNED", "RUNNING") else BEGAN + timedelta(minutes=1 + number)
    configuration = spec().search_space.resolve({"lr": lr})
    return TrialRecord(
        f"{lr}-{number}",
        configuration,
        f"{lr}",
        number,
        status,
        stop_reason=reason,
        started=began,
        ended=ended,
        epochs=rows,
    )


def trials(
    tmp_path: Path, *configurations: list[TrialRecord], algorithm: str = "qmc", earlier: tuple[Outcome, ...] = ()
) -> dict[float, FrozenTrial]:
    """By learning rate, as Optuna reads them."""
    file = tmp_path / "optuna.journal"
    file.write_bytes(journal_of("x-1", spec(algorithm), earlier, configurations))
    study = optuna.load_study(study_name="x-1", storage=JournalStorage(JournalFileBackend(str(file))))
    return {trial.params["lr"]: trial for trial in study.trials}


def test_each_configuration_is_in_the_state_it_is_in(tmp_path: Path) -> None:
    told = trials(
        tmp_path,
        [replicate(0.001, "COMPLETED", 0.4, 0.8, 0.5), replicate(0.001, "COMPLETED", 0.2, 0.6, 0.5, number=1)],
        [replicate(0.002, "STOPPED", 0.3, reason="asha")],
        [replicate(0.007, "STOPPED", 0.3, 0.2, reason="plateau")],
        [replicate(0.003, "FAILED")],
        [replicate(0.004, "COMPLETED", 0.1, 0.1, 0.1), replicate(0.004, "RUNNING", 0.3, number=1)],
        [replicate(0.005, "RUNNING")],
        [replicate(0.006, "PLANNED")],
    )
    states = {lr: trial.state.name for lr, trial in told.items()}
    assert states == {0.001: "COMPLETE", 0.002: "PRUNED", 0.003: "FAIL"} | {
        0.004: "RUNNING",
        0.005: "RUNNING",
        0.007: "COMPLETE",
    }
    assert told[0.001].value == pytest.approx(0.7)  # the replicates' mean at its best epoch
    assert told[0.002].intermediate_values == {1: 0.3}
    assert told[0.004].intermediate_values == pytest.approx({1: 0.2, 2: 0.1, 3: 0.1})


def test_what_failed_by_an_error_says_nothing_of_its_configuration(tmp_path: Path) -> None:
    told = trials(
        tmp_path,
        [replicate(0.001, "FAILED", 0.4, 0.8)],
        [replicate(0.002, "FAILED", 0.1), replicate(0.002, "COMPLETED", 0.4, 0.6, number=1)],
    )
    assert told[0.001].state.name == "FAIL"
    assert (told[0.002].state.name, told[0.002].value) == ("COMPLETE", pytest.approx(0.6))


def test_what_diverged_teaches_a_search_for_accuracy_and_has_no_gap_to_compare(tmp_path: Path) -> None:
    diverged = [replicate(0.001, "STOPPED", 0.4, reason="diverged")]
    assert trials(tmp_path, diverged)[0.001].intermediate_values == {1: 0.4}
    assert trials(tmp_path, diverged, algorithm="nsga2")[0.001].state.name == "FAIL"


def test_it_began_with_the_first_replicate_and_ended_with_the_last(tmp_path: Path) -> None:
    told = trials(tmp_path, [replicate(0.001, "STOPPED", 0.4), replicate(0.001, "STOPPED", 0.4, number=1)])
    assert told[0.001].duration == timedelta(minutes=2)
    assert told[0.001].datetime_start == BEGAN.astimezone().replace(tzinfo=None)


@pytest.mark.parametrize("algorithm", ["multi-objective", "nsga2"])
def test_two_objectives_are_accuracy_and_gap(tmp_path: Path, algorithm: str) -> None:
    ended, running = [replicate(0.001, "STOPPED", 0.4, 0.8)], [replicate(0.002, "RUNNING", 0.4, 0.8)]
    told = trials(tmp_path, ended, running, algorithm=algorithm)
    assert told[0.001].values == pytest.approx([0.8, 0.2])
    assert (told[0.002].state.name, told[0.002].values) == ("RUNNING", None)


def test_it_begins_with_those_of_earlier_sweeps_that_lie_in_its_space(tmp_path: Path) -> None:
    inside, outside = (
        Outcome(spec().search_space.resolve({"lr": lr}), "COMPLETED", {1: 0.5}, {1: 0.0}) for lr in (0.02, 0.5)
    )
    told = trials(tmp_path, [replicate(0.001, "STOPPED", 0.4)], algorithm="tpe", earlier=(inside, outside))
    assert list(told) == [0.02, 0.001]
