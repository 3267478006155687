"""What is to become of a trial that has told an epoch."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """go on: train the next epoch. wait: give the place free and keep the state. cut: end it for good.

    reason, value: of a cut, what decided and the number that did (`stop_reason` and `stop_value` of the trials table).
    """

    action: Literal["go on", "wait", "cut"]
    reason: str | None = None
    value: float | None = None


GO_ON = Verdict("go on")
WAIT = Verdict("wait")
