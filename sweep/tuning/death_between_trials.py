"""What becomes of a trial that was given a worker which had died while it had nothing to do."""

from typing import Any


def survive_deaths_between_trials() -> None:
    """Let Tune count the death of a worker that it was about to use again as one failed attempt.

    As Ray 2.60 has it, it counts twice: the death puts the trial back into the queue, and the same error, as that of
    resetting the worker, then fails the trial that waits there for good, whatever `max_failures` says.
    """
    from ray.tune.execution.tune_controller import TuneController

    fail = TuneController._trial_task_failure
    if hasattr(fail, "counts_once"):
        return

    def fail_once(self: Any, trial: Any, exception: Exception) -> None:
        counted = getattr(self, "_counted_failure", (None, None))
        if counted[0] is trial and counted[1] is exception:
            return
        self._counted_failure = trial, exception
        self._resetting_trials.discard(trial)  # or its next attempt would wait for that worker for ever
        fail(self, trial, exception=exception)

    fail_once.counts_once = True  # type: ignore[attr-defined]
    TuneController._trial_task_failure = fail_once
