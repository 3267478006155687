"""Two ways of doing the same job, run in turns so that a machine whose speed drifts drifts for both."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum of n figures."""

    low: float
    median: float
    high: float
    n: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """The spread of at least one figure."""
        return cls(min(figures), statistics.median(figures), max(figures), len(figures))

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g}, n = {self.n})"


def in_turns(ours: Callable[[], T], theirs: Callable[[], T], pairs: int, name: str) -> list[tuple[T, T]]:
    """Run both `pairs` times; who goes first alternates. Returns (ours, theirs) of each pair."""
    measured = []
    for number in range(pairs):
        print(f"{name}: pair {number + 1} of {pairs}", flush=True)
        if number % 2 == 0:
            a = ours()
            b = theirs()
        else:
            b = theirs()
            a = ours()
        measured.append((a, b))
    return measured


def print_ratio(what: str, ours: Sequence[float], theirs: Sequence[float], unit: str) -> None:
    """Both figures and the ratio ours / theirs pair by pair."""
    ratios = Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])
    print(f"  {what:<34} ours {Spread.of(ours)} | usual {Spread.of(theirs)} {unit} | ratio {ratios}", flush=True)
