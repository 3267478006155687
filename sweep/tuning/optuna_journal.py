"""A sweep's search as an Optuna study: a journal file, which optuna-dashboard and `optuna.load_study` open."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import FrozenTrial, TrialState

from sweep.spec import SweepSpec
from sweep.tuning.optuna_trials import directions, distributions, frozen_trial, lies_within
from sweep.tuning.proposer import Outcome, outcome_of
from sweep.tuning.trial_record import TrialRecord


def journal_of(
    name: str, spec: SweepSpec, earlier: Iterable[Outcome], configurations: Iterable[list[TrialRecord]]
) -> bytes:
    """The study called `name`: a trial for each outcome of earlier sweeps, and for each configuration that has begun.

    configurations: the replicates of each.
    """
    memory = _Memory()
    algorithm, searched = spec.search.algorithm, distributions(spec.search_space)
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would say that a study was created
    study = optuna.create_study(storage=JournalStorage(memory), study_name=name, directions=directions(algorithm))
    begun = [replicates for replicates in configurations if any(record.started for record in replicates)]
    known = [each for each in earlier if lies_within(each.configuration, spec.search_space)]
    study.add_trials([frozen_trial(each, searched, algorithm) for each in known])
    study.add_trials([_begun(replicates, searched, algorithm) for replicates in begun])
    return b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in memory.logs)


class _Memory(BaseJournalBackend):
    """The lines of a journal file, without a file: Optuna's own syncs the disk for each."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return self.logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.logs += logs


def _begun(replicates: list[TrialRecord], searched: dict[str, BaseDistribution], algorithm: str) -> FrozenTrial:
    outcome = outcome_of(replicates)
    trial = frozen_trial(outcome, searched, algorithm)
    trial.datetime_start = _local(min(record.started for record in replicates if record.started))
    if outcome.status == "RUNNING":
        trial.state, trial.values, trial.datetime_complete = TrialState.RUNNING, None, None
    else:
        trial.datetime_complete = _local(max(record.ended for record in replicates if record.ended))
    return trial


def _local(moment: datetime) -> datetime:
    """As Optuna keeps times: without a zone, in that of the machine."""
    return moment.astimezone().replace(tzinfo=None)
