"""Progress on a terminal: a bar, the running trials and the best so far, redrawn in place."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sweep.progress.tally import Tally
from sweep.progress.wording import describe, outcome
from sweep.tuning.ledger import Listener
from sweep.tuning.trial_record import TrialRecord

_RUNNING_SHOWN = 8
_BEST_SHOWN = 5
_MANY = 1000


class LiveTable(Listener):
    """Draws until `stop()` from a thread of its own that reads the tally: four times a second, large sweeps once."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally = tally
        # Each time all trials are looked at, by the process that drives them.
        often = 4 if tally.planned <= _MANY else 1
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=often, transient=False)
        self._live.start()

    def trial_ended(self, record: TrialRecord) -> None:
        if record.status == "FAILED":
            last = (record.error or "no message").strip().splitlines()[-1]
            self._live.console.print(f"[red]{record.trial_id} failed:[/red] {escape(last)}")

    def stop(self) -> None:
        """Draw once more and leave the table on the screen."""
        self._live.stop()

    def _render(self) -> RenderableType:
        records = self._tally.records()
        running = [record for record in records if record.status == "RUNNING" and not record.waits]
        ended = [record for record in records if record.has_ended and record.best]
        best = sorted(ended, key=lambda record: -_best_acc(record))[:_BEST_SHOWN]
        parts: list[RenderableType] = [
            Text(f"{self._tally.name}: {self._tally.summary()}", style="bold"),
            # The bar itself ends no line.
            Padding(ProgressBar(total=1.0, completed=self._tally.fraction(), width=60), (0, 0, 1, 0)),
        ]
        if running:
            parts.append(self._table("running", running[:_RUNNING_SHOWN], len(running)))
        if best:
            parts.append(self._table("best so far", best, len(ended)))
        return Group(*parts)

    def _table(self, title: str, records: list[TrialRecord], total: int) -> Table:
        shown = title if total <= len(records) else f"{title} ({len(records)} of {total})"
        table = Table(title=shown, title_justify="left", title_style="dim", box=None, pad_edge=False)
        table.add_column("trial", no_wrap=True)
        table.add_column("configuration", overflow="fold")
        for name in ("epoch", "val_acc", "val_loss", "gap"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("state", no_wrap=True)
        for record in records:
            # A running trial shows where it is, an ended one its best epoch.
            row = record.best if record.has_ended else (record.epochs[-1] if record.epochs else None)
            numbers = ["", "", "", ""]
            if row is not None:
                numbers = [
                    f"{row['epoch']}/{self._tally.epochs}",
                    f"{row['val_acc']:.4f}",
                    f"{row['val_loss']:.4f}",
                    f"{row['gap_loss']:+.4f}",
                ]
            described = escape(describe(record.configuration, self._tally.searched))
            table.add_row(record.trial_id, described, *numbers, outcome(record))
        return table


def _best_acc(record: TrialRecord) -> float:
    return record.best["val_acc"] if record.best else 0.0
