"""How far a sweep is, in words."""

from sweep.progress.wording import duration
from sweep.spec import SweepSpec
from sweep.tuning.ledger import Ledger
from sweep.tuning.pace import Pace


class Tally(Pace):
    """A pace with what a display of it says."""

    def __init__(self, spec: SweepSpec, ledger: Ledger) -> None:
        super().__init__(spec, ledger)
        self.searched = _searched(spec) or ["lr", "drop_rate", "layer_order"]

    def summary(self) -> str:
        """One line: trials by status, elapsed time, time left."""
        statuses = self.statuses()
        ended = statuses.total() - statuses["RUNNING"] - statuses["WAITING"]
        parts = [f"{ended}/{self.planned} trials ended"]
        parts += [f"{count} {status.lower()}" for status, count in sorted(statuses.items())]
        if not statuses:
            parts.append("starting workers")
        parts.append(duration(self.elapsed_s()))
        left = self.seconds_left()
        if left is not None:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)


def _searched(spec: SweepSpec) -> list[str]:
    """The hyper-parameters in which configurations differ."""
    if spec.configurations is None:
        return list(spec.search_space.searched)
    first, *others = spec.every_configuration()
    return [name for name in first if any(other[name] != first[name] for other in others)]
