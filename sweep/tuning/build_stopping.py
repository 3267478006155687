"""Early stopping as the spec has it."""

from sweep.spec import SweepSpec
from sweep.stopping.asha import Asha
from sweep.stopping.early_stopping import EarlyStopping
from sweep.tuning.planned_trials import planned_configurations


def build_stopping(spec: SweepSpec) -> EarlyStopping:
    """What ends the trials of a sweep early, before any has told anything."""
    asha, scheduler = None, spec.scheduler
    if scheduler.type == "asha":
        asha = Asha(
            epochs=spec.epochs,
            grace_period=scheduler.grace_period,
            reduction_factor=scheduler.reduction_factor,
            variant=scheduler.variant,
            brackets=scheduler.brackets,
            replicates=spec.replicates,
            rank_by=scheduler.rank_by,
            configurations=planned_configurations(spec),
        )
    return EarlyStopping(asha, spec.stop_rules.rules(), epochs=spec.epochs)
