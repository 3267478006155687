"""What becomes of a trial whose worker is of no use when it is to take it over from another trial."""

from typing import Any


def survive_lost_workers() -> None:
    """Let Tune try such a trial again, as one failed attempt.

    As Ray 2.60 has it, the death of a worker that had nothing to do counts twice: it puts the trial back into the
    queue, and the same error, as that of resetting the worker, then fails the trial that waits there for good, whatever
    `max_failures` says. And where the worker is still busy with the trial before, which happens where many share a CPU,
    the trial fails at once, no callback is told, and nothing else gets its place.
    """
    from ray.tune.execution.tune_controller import TuneController

    fail, reset = TuneController._trial_task_failure, TuneController._on_trial_reset
    if hasattr(fail, "counts_once"):
        return

    def fail_once(self: Any, trial: Any, exception: Exception) -> None:
        counted = getattr(self, "_counted_failure", (None, None))
        if counted[0] is trial and counted[1] is exception:
            return
        self._counted_failure = trial, exception
        self._resetting_trials.discard(trial)  # or its next attempt would wait for that worker for ever
        fail(self, trial, exception=exception)

    def reset_or_fail(self: Any, trial: Any, success: bool) -> None:
        if success:
            reset(self, trial, success)
            return
        # As Tune does for a worker that dies then.
        self._set_trial_status(trial, trial.RUNNING)
        self._unstage_trial_with_resources(trial)
        fail_once(self, trial, RuntimeError("its worker was still busy with the trial before"))

    fail_once.counts_once = True  # type: ignore[attr-defined]
    TuneController._trial_task_failure = fail_once
    TuneController._on_trial_reset = reset_or_fail
