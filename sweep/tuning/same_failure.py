"""Notices that a sweep only fails, so that it ends after a few trials instead of all."""

from collections.abc import Iterable

from sweep.tuning.ledger import Listener
from sweep.tuning.trial_record import TrialRecord

# Failed trials before the sweep gives up: enough to tell a broken study from a few bad corners of its space.
PATIENCE = 5


class SameFailure(Listener):
    """`hopeless` once the first PATIENCE trials have failed, all with one error, and none ever told an epoch."""

    def __init__(self, records: Iterable[TrialRecord]) -> None:
        """records: of earlier drivers."""
        self._has_trained = any(record.epochs for record in records)
        self._first: list[str] = []
        self._errors: dict[str, str] = {}  # by trial

    @property
    def hopeless(self) -> bool:
        """Whether to give up."""
        if self._has_trained or len(self._first) < PATIENCE or not self._errors.keys() >= set(self._first):
            return False
        return len(set(self._errors.values())) == 1

    def trial_started(self, record: TrialRecord) -> None:
        if len(self._first) < PATIENCE and record.trial_id not in self._first:
            self._first.append(record.trial_id)

    def epoch_told(self, record: TrialRecord, row: dict[str, object]) -> None:
        self._has_trained = True

    def trial_ended(self, record: TrialRecord) -> None:
        if record.status == "FAILED":
            # The last line names the error; the lines before it may hold addresses and process ids.
            self._errors[record.trial_id] = (record.error or "").strip().rpartition("\n")[2]
