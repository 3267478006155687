"""Our early stopping, search and ledger in the shapes that Ray Tune calls."""

from collections.abc import Callable
from typing import Any, Protocol

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from sweep.stopping.early_stopping import EarlyStopping
from sweep.stopping.verdict import GO_ON, Verdict
from sweep.store.stop_request import StopRequests
from sweep.training.divergence import not_finite
from sweep.tuning.assignments import Assignments
from sweep.tuning.drain import Drain
from sweep.tuning.hang import HangWatch
from sweep.tuning.ledger import Ledger
from sweep.tuning.out_of_memory import TriedAgainAlone
from sweep.tuning.places import Places
from sweep.tuning.waiting import Waiting
from sweep.tuning.worker_error import last_error


class BudgetReached(Protocol):
    """What of the budget is used up by now, in words; None while there is room."""

    def __call__(self, *, and_epoch_s: float | None = None) -> str | None:
        """and_epoch_s: seconds of one more epoch, which is about to be told."""


class StoppingScheduler(FIFOScheduler):
    """Ends a Tune trial where `EarlyStopping` says so; `verdicts` holds why. While draining, it ends all."""

    def __init__(
        self,
        stopping: EarlyStopping,
        ledger: Ledger,
        drain: Drain,
        alone: TriedAgainAlone,
        budget_reached: BudgetReached,
    ) -> None:
        super().__init__()
        self._budget_reached = budget_reached
        self._stopping = stopping
        self._ledger = ledger
        self._drain = drain
        self._alone = alone
        self.verdicts: dict[str, Verdict] = {}  # by trial, of those that do not go on

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        """Called before the ledger takes the epoch in. What the ledger knows already was decided on when it was new."""
        del tune_controller
        record = self._ledger.trials[trial.config["trial_id"]]
        if "epoch" in result and result["epoch"] > len(record.epochs):
            history = [*record.epochs, result]
            verdict = self._stopping.told(record.trial_id, record.configuration_id, history)
            if verdict.action != "go on":
                self.verdicts[record.trial_id] = verdict
                return TrialScheduler.STOP
            if self._budget_reached(and_epoch_s=result["epoch_s"]) is not None:
                return TrialScheduler.STOP  # its next epoch would begin before this one is counted
            if result["epoch"] >= self._ledger.epochs:
                return TrialScheduler.STOP  # or Tune would ask its worker for another one
        elif "epoch" in result and not_finite(result) is not None:
            # Finite before, on another machine, a GPU or by another version; it has come to its end all the same.
            history = [*record.epochs[: result["epoch"] - 1], result]
            self.verdicts[record.trial_id] = self._stopping.told(record.trial_id, record.configuration_id, history)
            return TrialScheduler.STOP
        return TrialScheduler.STOP if self._drain.begun else TrialScheduler.CONTINUE

    def on_trial_error(self, tune_controller: Any, trial: TuneTrial) -> None:
        """Between two attempts: the only moment at which Tune lets the resources change."""
        self._alone.after(trial)


class AssignmentSearcher(Searcher):
    """Hands Tune the trials that `Assignments` gives out, as many as there are places for; none while draining."""

    def __init__(self, assignments: Assignments, drain: Drain, places: Places) -> None:
        super().__init__()
        self._assignments = assignments
        self._drain = drain
        self._places = places
        self._out: set[str] = set()  # Tune's own ids of those that have not ended

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if len(self._out) >= self._places.now():
            return None  # Tune asks again
        record = None if self._drain.begun else self._assignments.next()
        if record is None:
            return Searcher.FINISHED if self._drain.begun or self._assignments.exhausted else None
        self._out.add(trial_id)
        return {
            "trial_id": record.trial_id,
            "configuration": record.configuration,
            "replicate": record.replicate,
            "told_epochs": len(record.epochs),
        }

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Its place is free. The ledger tells `Assignments` how it ended."""
        self._out.discard(trial_id)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store holds what a resume needs."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: never called, `sweep resume` reads the store."""


class LedgerCallback(Callback):
    """Enters what Tune reports into the ledger, and sees to it that a stop from outside is heard."""

    def __init__(
        self,
        ledger: Ledger,
        assignments: Assignments,
        scheduler: StoppingScheduler,
        hangs: HangWatch,
        drain: Drain,
        stop_requests: StopRequests,
        waiting: Waiting,
        budget_reached: BudgetReached,
        announce: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._assignments = assignments
        self._scheduler = scheduler
        self._hangs = hangs
        self._drain = drain
        self._stop_requests = stop_requests
        self._waiting = waiting
        self._announce = announce
        self._budget_reached = budget_reached
        self._errors: dict[str, str] = {}  # of running trials that said that they failed

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._hangs.alive(trial)
        self._ledger.start(trial.config["trial_id"])

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        self._hangs.alive(trial)
        trial_id = trial.config["trial_id"]
        if "error" in result:
            self._errors[trial_id] = result["error"]
        else:
            self._ledger.add_epoch(trial_id, result, node=result["hostname"])

    def on_trial_complete(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._hangs.ended(trial)
        trial_id = trial.config["trial_id"]
        self._drain.ended(trial_id)
        record = self._ledger.trials[trial_id]
        verdict = self._scheduler.verdicts.pop(trial_id, GO_ON)
        if trial_id in self._errors:
            self._ledger.end(trial_id, "FAILED", stop_reason="error", error=self._errors.pop(trial_id))
        elif verdict.action == "cut":
            self._ledger.end(trial_id, "STOPPED", stop_reason=verdict.reason, stop_value=verdict.value)
        elif verdict.action == "wait":
            self._assignments.waits(record)
        elif len(record.epochs) >= self._ledger.epochs:
            self._ledger.end(trial_id, "COMPLETED")
        # Else the sweep stops, not the trial: it stays unfinished.

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._lost(trial)
        self._ledger.end(trial.config["trial_id"], "FAILED", stop_reason="worker", error=last_error(trial))

    def on_trial_recover(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """Its worker is lost, and it waits for another one: a stop is not to wait for that."""
        self._lost(trial)

    def _lost(self, trial: TuneTrial) -> None:
        self._hangs.ended(trial)
        self._drain.ended(trial.config["trial_id"])

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        for trial in self._hangs.end_hanging():
            self._announce(f"{trial.config['trial_id']} told no epoch for `trial_timeout`; its worker is restarted")
        self._waiting.look(trials)
        self._ledger.flush_if_due()
        self._hear_stop_requests(trials)
        reached = None if self._drain.begun else self._budget_reached()
        if reached is not None:
            self._announce(f"{reached}: waiting for the running epochs")
            self._drain.begin(_running(trials), reason=reached)

    def _hear_stop_requests(self, trials: list[TuneTrial]) -> None:
        wish = self._stop_requests.wish()
        if wish == "now":
            self._stop_requests.clear()
            self._announce("asked to stop at once: storing what is there")
            self._drain.begin([])
        elif wish == "drain" and not self._drain.begun:
            self._stop_requests.clear()
            running = _running(trials)
            self._announce(f"asked to stop: waiting for the running epochs of {len(running)} trials")
            self._drain.begin(running)


def _running(trials: list[TuneTrial]) -> list[str]:
    return [trial.config["trial_id"] for trial in trials if trial.status == TuneTrial.RUNNING]


class StopWhen(Stopper):
    """Ends the Tune run once `condition` holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self._condition = condition

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._condition()
