"""An Optuna study as the bytes of a journal file, which optuna-dashboard and `optuna.load_study` open."""

import json
from collections.abc import Iterable
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend


class _Memory(BaseJournalBackend):
    """The lines of a journal file, without a file: Optuna's own syncs the disk for each."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return self.logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.logs += logs


def journal_of(study: optuna.Study, name: str) -> bytes:
    """The study under a name, with all of its trials, those that run as well."""
    memory = _Memory()
    copy = optuna.create_study(storage=JournalStorage(memory), study_name=name, directions=study.directions)
    copy.add_trials(study.get_trials(deepcopy=False))
    return b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in memory.logs)
