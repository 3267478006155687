"""Early stopping as a spec writes it."""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from search_spaces.augment_presets import STRENGTHS
from sweep.stopping.divergence import Divergence
from sweep.stopping.forecast import RankBy
from sweep.stopping.gap import GapRule
from sweep.stopping.generalization_loss import GeneralizationLoss
from sweep.stopping.plateau import Plateau
from sweep.stopping.progress_quotient import ProgressQuotient
from sweep.stopping.rule import StopRule
from sweep.stopping.successive_rises import SuccessiveRises

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SchedulerSettings(BaseModel):
    """Whether and when trials are stopped early."""

    model_config = _STRICT

    type: Literal["asha", "none"] = Field(default="asha", description="one of asha (weak trials stop early), none")
    variant: Literal["stop", "promote"] = Field(
        default="promote",
        description="one of promote (a trial waits at the rung, and goes on once it is among the best), stop (it is "
        "cut at once)",
    )
    rank_by: RankBy = Field(
        default="forecast",
        description="one of forecast (val_acc less what a gap open early is to cost), val_acc",
    )
    grace_period: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="an integer from 1 to 100000 (epochs before the first cut; default: by epochs and space)",
    )
    reduction_factor: int = Field(
        default=3, ge=2, le=1000, description="an integer from 2 to 1000 (one in so many goes on)"
    )
    brackets: int = Field(
        default=1, ge=1, le=20, description="an integer from 1 to 20 (bracket b has its first b rungs left out)"
    )


class StopRuleSettings(BaseModel):
    """The rules on a trial's own curve that are in force; {} takes a rule's defaults."""

    model_config = _STRICT

    gl: GeneralizationLoss | None = Field(default=None, description="a mapping of alpha, grace_period (Prechelt's GL)")
    pq: ProgressQuotient | None = Field(default=None, description="a mapping of alpha, strip (Prechelt's PQ)")
    up: SuccessiveRises | None = Field(default=None, description="a mapping of strips, strip (Prechelt's UP)")
    gap: GapRule | None = Field(
        default=None,
        description="a mapping of patience, grace_period, min_growth (train_eval_loss falls while val_loss rises)",
    )
    plateau: Plateau | None = Field(default=None, description="a mapping of patience, min_delta (of val_acc)")
    divergence: Divergence | None = Field(default=None, description="a mapping of max_loss (train_loss, nats)")

    def rules(self) -> list[StopRule]:
        """Those in force."""
        return [rule for name in type(self).model_fields if (rule := getattr(self, name)) is not None]


# Searched, they let configurations start at different speeds.
_SLOWING = ("drop_rate", *STRENGTHS, "augment")


def default_grace_period(epochs: int, reduction_factor: int, searched: Collection[str]) -> int:
    """The first rung's epoch: all epochs, divided by `reduction_factor` three times; the first one at the earliest.

    Twice where drop rates or augmentation are searched.
    """
    rungs = 2 if any(name in searched for name in _SLOWING) else 3
    return max(1, epochs // reduction_factor**rungs)
