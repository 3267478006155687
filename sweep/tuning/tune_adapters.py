"""Our early stopping, search and ledger in the shapes that Ray Tune calls."""

import signal
from collections.abc import Callable
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from sweep.store.stop_request import StopRequests
from sweep.training.divergence import has_diverged
from sweep.tuning.asha import Asha
from sweep.tuning.assignments import Assignments
from sweep.tuning.drain import Drain
from sweep.tuning.hang import HangWatch
from sweep.tuning.ledger import Ledger
from sweep.tuning.out_of_memory import TriedAgainAlone
from sweep.tuning.places import Places
from sweep.tuning.waiting import Waiting
from sweep.tuning.worker_error import last_error


class AshaScheduler(FIFOScheduler):
    """Stops a trial where `Asha` says so; `cut` holds the ids of those it stopped. While draining, it stops all."""

    def __init__(self, asha: Asha | None, drain: Drain, alone: TriedAgainAlone) -> None:
        super().__init__()
        self._asha = asha
        self._drain = drain
        self._alone = alone
        self.cut: set[str] = set()

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        del tune_controller
        go_on = TrialScheduler.STOP if self._drain.begun else TrialScheduler.CONTINUE
        if self._asha is None or "epoch" not in result:
            return go_on
        trial_id, epoch = trial.config["trial_id"], result["epoch"]
        new = self._asha.record(trial_id, epoch, val_acc=result["val_acc"], val_loss=result["val_loss"])
        # A restarted trial tells earlier rungs again; it has passed them, whoever has come since.
        if not new or self._asha.keeps(trial_id, epoch):
            return go_on
        self.cut.add(trial_id)
        return TrialScheduler.STOP

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
            return Searcher.FINISHED
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
        scheduler: AshaScheduler,
        hangs: HangWatch,
        drain: Drain,
        stop_requests: StopRequests,
        waiting: Waiting,
        announce: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._scheduler = scheduler
        self._hangs = hangs
        self._drain = drain
        self._stop_requests = stop_requests
        self._waiting = waiting
        self._announce = announce
        self._ends: dict[str, dict[str, Any]] = {}  # how a running trial said that it ends

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._hangs.alive(trial)
        self._ledger.start(trial.config["trial_id"])

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        self._hangs.alive(trial)
        trial_id = trial.config["trial_id"]
        if "error" in result:
            self._ends[trial_id] = {"status": "FAILED", "stop_reason": "error", "error": result["error"]}
            return
        self._ledger.add_epoch(trial_id, result, node=result["hostname"])
        if has_diverged(result):
            self._ends[trial_id] = {"status": "STOPPED", "stop_reason": "diverged"}
        elif trial_id in self._scheduler.cut:
            self._ends[trial_id] = {"status": "STOPPED", "stop_reason": "asha"}

    def on_trial_complete(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._hangs.ended(trial)
        trial_id = trial.config["trial_id"]
        self._drain.ended(trial_id)
        end = self._ends.pop(trial_id, None)
        if end is None and len(self._ledger.trials[trial_id].epochs) < self._ledger.epochs:
            return  # the sweep stops, not the trial: it stays unfinished
        self._ledger.end(trial_id, **(end or {"status": "COMPLETED"}))

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._hangs.ended(trial)
        self._drain.ended(trial.config["trial_id"])
        self._ledger.end(trial.config["trial_id"], "FAILED", stop_reason="worker", error=last_error(trial))

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        for trial in self._hangs.end_hanging():
            self._announce(f"{trial.config['trial_id']} told no epoch for `trial_timeout`; its worker is restarted")
        self._waiting.look(trials)
        self._ledger.flush_if_due()
        self._hear_stop_requests(trials)

    def _hear_stop_requests(self, trials: list[TuneTrial]) -> None:
        wish = self._stop_requests.wish()
        if wish == "now":
            self._stop_requests.clear()
            signal.raise_signal(signal.SIGINT)  # the exit code of a stop that somebody wished
        elif wish == "drain" and not self._drain.begun:
            self._stop_requests.clear()
            running = [trial.config["trial_id"] for trial in trials if trial.status == TuneTrial.RUNNING]
            self._announce(f"asked to stop: waiting for the running epochs of {len(running)} trials")
            self._drain.begin(running)


class StopWhen(Stopper):
    """Ends the Tune run once `condition` holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self._condition = condition

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._condition()
