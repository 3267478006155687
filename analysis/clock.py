"""Times in the unit that suits their length."""

from dataclasses import dataclass


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


def clock_for(longest: float) -> Clock:
    """The unit in which times up to `longest`, in seconds, read best."""
    if longest >= 2 * 3600:
        return Clock("hours", "h", 3600)
    return Clock("minutes", "min", 60) if longest >= 2 * 60 else Clock("seconds", "s", 1)  # also of NaN: no times
