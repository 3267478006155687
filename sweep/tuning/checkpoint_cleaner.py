"""When a trial's checkpoint goes."""

from contextlib import suppress

from sweep.store.folder import Folder
from sweep.store.layout import checkpoint_name
from sweep.tuning.ledger import Ledger, Listener
from sweep.tuning.trial_record import TrialRecord


class CheckpointCleaner(Listener):
    """Removes a trial's checkpoint once the trial has ended and its rows are stored: a kill in between costs nothing.

    One that cannot be removed is tried again later, and is no reason to fail a trial. Where workers were lost too
    often, it stays for `sweep retry`.
    """

    def __init__(self, checkpoints: Folder, ledger: Ledger) -> None:
        ended = {checkpoint_name(trial) for trial, record in ledger.trials.items() if _is_done(record)}
        self._checkpoints = checkpoints
        self._left = [name for name in checkpoints.files() if name in ended]

    def trial_ended(self, record: TrialRecord) -> None:
        if _is_done(record):
            self._left.append(checkpoint_name(record.trial_id))

    def rows_are_stored(self) -> None:
        try:
            self._checkpoints.remove_each(self._left)
            self._left.clear()
        except OSError:
            self._left = [name for name in self._left if not self._removed(name)]

    def _removed(self, name: str) -> bool:
        with suppress(OSError):
            self._checkpoints.remove(name)
            return True
        return False


def may_go_on(record: TrialRecord) -> bool:
    """Whether a trial ended through no fault of its own, so that `sweep retry` may go on from its checkpoint."""
    return record.stop_reason == "worker"


def _is_done(record: TrialRecord) -> bool:
    return record.has_ended and not may_go_on(record)
