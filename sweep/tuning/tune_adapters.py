"""Our early stopping, search and ledger in the shapes that Ray Tune calls."""

from collections.abc import Callable
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from sweep.training.divergence import has_diverged
from sweep.tuning.asha import Asha
from sweep.tuning.assignments import Assignments
from sweep.tuning.hang import HangWatch
from sweep.tuning.ledger import Ledger


class AshaScheduler(FIFOScheduler):
    """Stops a trial where `Asha` says so; `cut` holds the ids of those it stopped."""

    def __init__(self, asha: Asha | None) -> None:
        super().__init__()
        self._asha = asha
        self.cut: set[str] = set()

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        del tune_controller
        if self._asha is None or "epoch" not in result:
            return TrialScheduler.CONTINUE
        trial_id, epoch = trial.config["trial_id"], result["epoch"]
        new = self._asha.record(trial_id, epoch, val_acc=result["val_acc"], val_loss=result["val_loss"])
        # A restarted trial tells earlier rungs again; it has passed them, whoever has come since.
        if not new or self._asha.keeps(trial_id, epoch):
            return TrialScheduler.CONTINUE
        self.cut.add(trial_id)
        return TrialScheduler.STOP


class AssignmentSearcher(Searcher):
    """Hands Tune the trials that `Assignments` gives out."""

    def __init__(self, assignments: Assignments) -> None:
        super().__init__()
        self._assignments = assignments

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        del trial_id  # Tune's own id; ours is the hash of what is trained
        record = self._assignments.next()
        if record is None:
            return Searcher.FINISHED
        return {
            "trial_id": record.trial_id,
            "configuration": record.configuration,
            "replicate": record.replicate,
            "told_epochs": len(record.epochs),
        }

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing: the ledger tells `Assignments` how trials end."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the store holds what a resume needs."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: never called, `sweep resume` reads the store."""


class LedgerCallback(Callback):
    """Enters what Tune reports into the ledger."""

    def __init__(
        self, ledger: Ledger, scheduler: AshaScheduler, hangs: HangWatch, announce: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        self._scheduler = scheduler
        self._hangs = hangs
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
        end = self._ends.pop(trial_id, None)
        if end is None and len(self._ledger.trials[trial_id].epochs) < self._ledger.epochs:
            return  # the sweep stops, not the trial: it stays unfinished
        self._ledger.end(trial_id, **(end or {"status": "COMPLETED"}))

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        self._hangs.ended(trial)
        error = trial.get_error()
        self._ledger.end(trial.config["trial_id"], "FAILED", stop_reason="worker", error=str(error) if error else None)

    def on_step_end(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        for trial in self._hangs.end_hanging(trials):
            self._announce(f"{trial.config['trial_id']} told no epoch for `trial_timeout`; its worker is restarted")
        self._ledger.flush_if_due()


class StopWhen(Stopper):
    """Ends the Tune run once `condition` holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self._condition = condition

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._condition()
