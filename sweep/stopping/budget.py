"""What a sweep may cost in all, and when that is reached."""

from pydantic import BaseModel, ConfigDict, Field


class BudgetSettings(BaseModel):
    """Bounds of the whole sweep; null: none."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_trials: int | None = Field(default=None, ge=1, description="an integer from 1 (trials that may start), or null")
    max_epochs_total: int | None = Field(
        default=None, ge=1, description="an integer from 1 (epochs of all trials together), or null"
    )
    max_hours: float | None = Field(
        default=None, gt=0, description="a number above 0 (hours since `run` or `resume` was called), or null"
    )
    max_cost: float | None = Field(
        default=None, gt=0, description="a number above 0 (of training, at the prices given here), or null"
    )
    price_per_cpu_hour: float = Field(default=0.0, ge=0, description="a number from 0 (in the currency of max_cost)")
    price_per_gpu_hour: float = Field(default=0.0, ge=0, description="a number from 0 (in the currency of max_cost)")


class Budget:
    """Counts what a sweep spends. Told of each start and epoch; `reached` says what is used up."""

    def __init__(self, settings: BudgetSettings, *, cpus_per_trial: float, gpus_per_trial: float) -> None:
        self._settings = settings
        price = cpus_per_trial * settings.price_per_cpu_hour + gpus_per_trial * settings.price_per_gpu_hour
        self._price_per_s = price / 3600
        self._epochs = 0
        self._trial_s = 0.0

    def epoch_told(self, epoch_s: float) -> None:
        """Some trial has trained an epoch."""
        self._epochs += 1
        self._trial_s += epoch_s

    def allows_trials(self, count: int) -> bool:
        """Whether a sweep may have so many trials."""
        return self._settings.max_trials is None or count <= self._settings.max_trials

    def reached(self, elapsed_s: float, *, and_epoch_s: float | None = None) -> str | None:
        """The bound that is reached, in words; None while there is room.

        elapsed_s: since this run began. and_epoch_s: of one more epoch, which is about to be told.
        """
        bounds = self._settings
        epochs = self._epochs + (and_epoch_s is not None)
        if bounds.max_epochs_total is not None and epochs >= bounds.max_epochs_total:
            return f"budget.max_epochs_total: {epochs} of {bounds.max_epochs_total} epochs"
        if bounds.max_hours is not None and elapsed_s >= 3600 * bounds.max_hours:
            return f"budget.max_hours: {elapsed_s / 3600:.2f} of {bounds.max_hours:g} hours"
        cost = (self._trial_s + (and_epoch_s or 0.0)) * self._price_per_s
        if bounds.max_cost is not None and cost >= bounds.max_cost:
            return f"budget.max_cost: {cost:.2f} of {bounds.max_cost:g}"
        return None
