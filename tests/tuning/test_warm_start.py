"""A search that begins with another sweep's results."""

import shutil
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

import sweep
from search_spaces.errors import SpecError
from sweep.spec import SweepSpec
from sweep.store.folder import LocalFolder
from sweep.store.manifest import read_manifest, write_manifest
from sweep.tuning.assignments import build_proposer
from sweep.tuning.optuna_proposer import OptunaProposer
from sweep.tuning.proposer import Outcome, outcome_of
from sweep.tuning.trial_record import TrialRecord
from sweep.tuning.warm_start import _seen_at, earlier_outcomes, keep, kept


def spec(algorithm: str = "tpe", **keys: Any) -> SweepSpec:
    mapping: dict[str, Any] = {
        "name": "warm",
        "model": "mlp",
        "model_args": {"hidden": [16]},
        "dataset": "digits",
        "train_size": 200,
        "epochs": 2,
        "space": {"lr": {"loguniform": [1e-4, 1e-1]}},
        "search": {"algorithm": algorithm, "trials": 6, "seed": 1},
        **keys,
    }
    return SweepSpec.load(mapping)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished random search over lr."""
    return Path(sweep.run(spec("random"), storage=tmp_path_factory.mktemp("earlier")).path)


def test_the_study_begins_with_what_lies_in_its_space(earlier: Path) -> None:
    outcomes = earlier_outcomes(earlier, spec())
    assert len(outcomes) == 6
    proposer = build_proposer(spec(), outcomes)
    assert isinstance(proposer, OptunaProposer)
    lrs = sorted(outcome.configuration["lr"] for outcome in outcomes)
    assert sorted(trial.params["lr"] for trial in proposer.study.trials) == lrs
    states = {trial.state for trial in proposer.study.trials}
    assert states <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert TrialState.COMPLETE in states

    narrow = spec(space={"lr": {"loguniform": [lrs[2], lrs[3]]}})
    assert len(earlier_outcomes(earlier, narrow)) == 2
    inside = build_proposer(narrow, outcomes)
    assert isinstance(inside, OptunaProposer)
    assert len(inside.study.trials) == 2
    assert inside.propose() is not None


def test_a_sweep_keeps_what_it_began_with(earlier: Path, tmp_path: Path) -> None:
    outcomes = earlier_outcomes(earlier, spec())
    folder = LocalFolder(tmp_path)
    write_manifest(folder, {"sweep_id": "s"})
    assert kept(folder) == []
    keep(folder, outcomes)
    assert kept(folder) == outcomes


def test_a_warm_started_sweep_runs(earlier: Path, tmp_path: Path) -> None:
    result = sweep.run(spec(), storage=tmp_path, warm_start=earlier)
    assert result.exit_code == 0
    assert len(kept(LocalFolder(Path(result.path)))) == 6
    storage = JournalStorage(JournalFileBackend(str(Path(result.path) / "optuna.journal")))
    study = optuna.load_study(study_name=Path(result.path).name, storage=storage)
    found = pd.read_parquet(earlier / "trials.parquet")["lr"]
    assert [trial.params["lr"] for trial in study.trials[:6]] == pytest.approx(found.tolist())
    assert len(study.trials) == 12


def test_what_cannot_learn_is_refused(earlier: Path) -> None:
    with pytest.raises(SpecError, match=r"search\.algorithm: got random with --warm-start; allowed: tpe"):
        earlier_outcomes(earlier, spec("random"))
    with pytest.raises(SpecError, match="model: got cnn; allowed with --warm-start"):
        earlier_outcomes(earlier, spec(model="cnn", model_args={}))
    with pytest.raises(SpecError, match="train_size: got 100; allowed with --warm-start"):
        earlier_outcomes(earlier, spec(train_size=100))
    with pytest.raises(SpecError, match=r"epochs: got 3; allowed with --warm-start .* and nsga2: up to 2"):
        earlier_outcomes(earlier, spec("nsga2", epochs=3))
    with pytest.raises(SpecError, match=r"epochs: got 3; allowed with --warm-start .* and gp: up to 2"):
        earlier_outcomes(earlier, spec("gp", epochs=3))
    with pytest.raises(SpecError, match="none of its 6 configurations"):
        earlier_outcomes(earlier, spec(space={"lr": {"loguniform": [1e-4, 1e-1]}, "drop_rate": 0.5}))


def test_results_on_other_images_are_refused(earlier: Path, tmp_path: Path) -> None:
    folder = LocalFolder(Path(shutil.copytree(earlier, tmp_path / "earlier")))
    manifest = read_manifest(folder)
    write_manifest(folder, {**manifest, "dataset": {**manifest["dataset"], "fingerprint": "of other images"}})
    with pytest.raises(SpecError, match=r"made with other images \(digits had fingerprint of other images, now has"):
        sweep.run(spec(), storage=tmp_path / "new", warm_start=folder.root)
    assert not (tmp_path / "new").exists()


def test_earlier_results_are_the_parents_of_an_evolution(earlier: Path) -> None:
    outcomes = [
        Outcome(
            {**each.configuration, "lr": each.configuration["lr"] * 1.01**n}, each.status, each.val_acc, each.gap_loss
        )
        for n in range(20)
        for each in earlier_outcomes(earlier, spec("nsga2"))
    ]
    wide = spec("nsga2", space={"lr": {"loguniform": [1e-5, 1.0]}})
    proposer = build_proposer(wide, outcomes)
    assert isinstance(proposer, OptunaProposer)
    assert proposer.propose() is not None
    assert proposer.study.trials[-1].system_attrs["NSGAIISampler:generation"] == 1


def test_what_a_rule_of_its_own_ended_is_through_for_a_longer_sweep_too() -> None:
    rows = [{"epoch": e, "val_acc": 0.1 * e, "val_loss": 1.0, "gap_loss": 0.1} for e in (1, 2, 3)]
    states = {"gap": "COMPLETED", "asha": "STOPPED", "diverged": "DIVERGED"}
    for reason, status in states.items():
        record = TrialRecord("t", {}, "c", 0, status="STOPPED", stop_reason=reason, epochs=rows)
        assert outcome_of([record]).status == status
        assert _seen_at(9, [record]).status == status


def test_a_longer_sweep_takes_what_was_trained_to_its_end_for_cut_and_a_shorter_one_what_was_cut_for_whole(
    earlier: Path,
) -> None:
    states = {outcome.status for outcome in earlier_outcomes(earlier, spec(epochs=3))}
    assert states == {"STOPPED"}
    shorter = earlier_outcomes(earlier, spec(epochs=1))
    assert {outcome.status for outcome in shorter} == {"COMPLETED"}
    assert all(outcome.val_acc.keys() == {1} for outcome in shorter)


@pytest.mark.slow
def test_the_same_command_again_needs_the_earlier_sweep_no_more(earlier: Path, tmp_path: Path) -> None:
    first = sweep.run(spec(), storage=tmp_path, warm_start=earlier, sweep_id="a")
    again = sweep.run(spec(), storage=tmp_path, warm_start=tmp_path / "gone", sweep_id="a")
    assert (first.exit_code, again.exit_code) == (0, 0)
    sweep.run(spec(), storage=tmp_path, sweep_id="b")
    with pytest.raises(SpecError, match=r"--warm-start: got .* which has begun without one"):
        sweep.run(spec(), storage=tmp_path, warm_start=earlier, sweep_id="b")
