"""Times since a sweep's first trial started, in the unit that suits its length."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Clock:
    """A unit of time. Example: `Clock("minutes", "min", 60)`."""

    name: str
    short: str
    seconds: int

    def shown(self, seconds: float) -> str:
        """A time in text, such as "8 s" or "4.2 min"."""
        return f"{seconds / self.seconds:.{0 if self.seconds == 1 else 1}f} {self.short}"

    @property
    def title(self) -> str:
        """Of an axis."""
        return f"{self.name} since the first trial started"


def clock_for(seconds: pd.Series) -> Clock:
    """The unit in which the longest of these times reads best."""
    longest = seconds.max()
    if longest < 2 * 60 or pd.isna(longest):
        return Clock("seconds", "s", 1)
    return Clock("minutes", "min", 60) if longest < 2 * 3600 else Clock("hours", "h", 3600)
