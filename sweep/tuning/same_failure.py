"""Notices that a sweep only fails, so that it ends after a few trials instead of all."""

from sweep.tuning.ledger import Listener
from sweep.tuning.trial_record import TrialRecord

# Failed trials before the sweep gives up: enough to tell a broken study from a few bad corners of its space.
PATIENCE = 5


class SameFailure(Listener):
    """`hopeless` once PATIENCE trials have failed, all with one error, and no trial has told an epoch."""

    def __init__(self) -> None:
        self._errors: list[str] = []
        self._has_trained = False

    @property
    def hopeless(self) -> bool:
        """Whether to give up."""
        return not self._has_trained and len(self._errors) >= PATIENCE and len(set(self._errors)) == 1

    def epoch_told(self, record: TrialRecord, row: dict[str, object]) -> None:
        self._has_trained = True

    def trial_ended(self, record: TrialRecord) -> None:
        if record.status == "FAILED":
            # The last line names the error; the lines before it may hold addresses and process ids.
            self._errors.append((record.error or "").strip().rpartition("\n")[2])
