"""Progress where there is no terminal: one line per change."""

import time
from collections.abc import Callable
from typing import Any

from sweep.progress.tally import Tally
from sweep.progress.wording import count, describe, outcome
from sweep.tuning.ledger import Listener
from sweep.tuning.trial_record import TrialRecord

# A trial's end is always told; of its epochs, and of the whole sweep, at most one line in so long: fast sweeps would
# flood a log, and spend their driver's time on counting their trials.
INTERVAL_S = 2.0


class LineLog(Listener):
    """Writes what happens through `write`, a line at a time."""

    def __init__(self, tally: Tally, write: Callable[[str], None]) -> None:
        self._tally = tally
        self._write = write
        self._last_line = 0.0
        self._last_summary = 0.0
        self._left = tally.planned - sum(record.has_ended for record in tally.records())

    def trial_started(self, record: TrialRecord) -> None:
        configuration = describe(record.configuration, self._tally.searched)
        if record.epochs and record.promoted_at == len(record.epochs):
            how = f"goes on after epoch {record.promoted_at}"
        else:
            how = f"started again (attempt {record.attempts})" if record.attempts > 1 else "started"
        self._say(f"{record.trial_id} {how}: {configuration}")

    def epoch_told(self, record: TrialRecord, row: dict[str, Any]) -> None:
        if time.monotonic() - self._last_line >= INTERVAL_S:
            self._say(
                f"{record.trial_id} epoch {row['epoch']}/{self._tally.epochs}: train_eval_loss "
                f"{row['train_eval_loss']:.4f}, val_loss {row['val_loss']:.4f}, val_acc {row['val_acc']:.4f}, "
                f"gap {row['gap_loss']:+.4f} ({row['epoch_s']:.1f} s)"
            )

    def trial_ended(self, record: TrialRecord) -> None:
        best = record.best
        score = f", best val_acc {best['val_acc']:.4f} at epoch {best['epoch']}" if best else ""
        cause = f": {record.error.strip().splitlines()[-1]}" if record.error else ""
        self._say(f"{record.trial_id} {outcome(record)} after {count(len(record.epochs), 'epoch')}{score}{cause}")
        self._left -= 1
        if self._left == 0 or time.monotonic() - self._last_summary >= INTERVAL_S:
            self._say(self._tally.summary())
            self._last_summary = time.monotonic()

    def _say(self, line: str) -> None:
        self._last_line = time.monotonic()
        self._write(line)
