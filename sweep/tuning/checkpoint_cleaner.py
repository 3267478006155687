"""When a trial's checkpoint goes."""

from contextlib import suppress

from sweep.store.folder import Folder
from sweep.store.layout import checkpoint_name
from sweep.tuning.ledger import Ledger, Listener
from sweep.tuning.trial_record import TrialRecord


class CheckpointCleaner(Listener):
    """Removes a trial's checkpoint once the trial has ended and its rows are stored: a kill in between costs nothing.

    One that cannot be removed is tried again later, and is no reason to fail a trial.
    """

    def __init__(self, checkpoints: Folder, ledger: Ledger) -> None:
        ended = {checkpoint_name(trial) for trial, record in ledger.trials.items() if record.has_ended}
        self._checkpoints = checkpoints
        self._left = [name for name in checkpoints.files() if name in ended]

    def trial_ended(self, record: TrialRecord) -> None:
        self._left.append(checkpoint_name(record.trial_id))

    def rows_are_stored(self) -> None:
        with suppress(OSError):
            while self._left:
                self._checkpoints.remove(self._left[-1])
                self._left.pop()
