"""Notices that a sweep only fails, so that it ends after a few trials instead of all."""

from collections.abc import Iterable

from sweep.tuning.ledger import Listener
from sweep.tuning.trial_record import TrialRecord

# Failed trials, and their configurations, before the sweep gives up: enough to tell a broken study from a few bad
# corners of its space.
PATIENCE = 5
CONFIGURATIONS = 3


class SameFailure(Listener):
    """`hopeless` once the first trials have failed, all with one error, and none ever told an epoch.

    These are PATIENCE trials of CONFIGURATIONS configurations, or of all where there are fewer: the seeds of one that
    fails fail alike.
    """

    def __init__(self, records: Iterable[TrialRecord], *, configurations: int = CONFIGURATIONS) -> None:
        """records: of earlier drivers. configurations: how many there will be."""
        self._has_trained = any(record.epochs for record in records)
        self._wanted = min(CONFIGURATIONS, configurations)
        self._first: dict[str, str] = {}  # by trial: its configuration
        self._errors: dict[str, str] = {}  # by trial

    @property
    def hopeless(self) -> bool:
        """Whether to give up."""
        if self._has_trained or not self._are_enough or not self._errors.keys() >= self._first.keys():
            return False
        return len(set(self._errors.values())) == 1

    def trial_started(self, record: TrialRecord) -> None:
        if not self._are_enough:
            self._first[record.trial_id] = record.configuration_id

    @property
    def _are_enough(self) -> bool:
        return len(self._first) >= PATIENCE and len(set(self._first.values())) >= self._wanted

    def epoch_told(self, record: TrialRecord, row: dict[str, object]) -> None:
        self._has_trained = True

    def trial_ended(self, record: TrialRecord) -> None:
        if record.status == "FAILED":
            # The last line names the error; the lines before it may hold addresses and process ids.
            self._errors[record.trial_id] = (record.error or "").strip().rpartition("\n")[2]
