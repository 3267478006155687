"""What every stop rule is: settings of the spec, and a test of one trial's curve."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class StopRule(BaseModel):
    """Looks at one trial alone, whatever the others do. `reason`: the `stop_reason` of trials that it ends."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    reason: ClassVar[str]

    @abstractmethod
    def fires(self, history: Sequence[dict[str, Any]]) -> float | None:
        """The value that stops the trial after the last epoch of `history`, None where it trains on.

        history: its rows of the epochs table from epoch 1 on, without a hole, all losses finite.
        """
