"""How a driver tells what it does, to a terminal or to nobody."""

from collections.abc import Callable
from dataclasses import dataclass

from sweep.spec import SweepSpec
from sweep.tuning.ledger import Ledger, Listener


def _nothing(sentence: str) -> None:
    del sentence


@dataclass(frozen=True)
class Watch:
    """announce: takes one sentence a step. listener: made from (spec, ledger), told of every change."""

    announce: Callable[[str], None] = _nothing
    listener: Callable[[SweepSpec, Ledger], Listener] | None = None
