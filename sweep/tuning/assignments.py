"""Which trial is handed out next: what an earlier driver left unfinished, then new configurations, each replicated."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from search_spaces.identity import configuration_id, trial_id
from sweep.spec import SweepSpec
from sweep.stopping.budget import Budget
from sweep.stopping.early_stopping import EarlyStopping
from sweep.tuning.ledger import Ledger, Listener
from sweep.tuning.listed_proposer import ListedProposer, sample_configurations
from sweep.tuning.planned_trials import planned_trials
from sweep.tuning.proposer import Outcome, Proposer, outcome_of
from sweep.tuning.sobol_configurations import sobol_configurations
from sweep.tuning.trial_record import TrialRecord


class Assignments(Listener):
    """Hands out trials, and tells the search algorithm how configurations ended."""

    def __init__(
        self,
        spec: SweepSpec,
        ledger: Ledger,
        stopping: EarlyStopping,
        earlier: Iterable[Outcome] = (),
    ) -> None:
        """`ledger` holds what is known, and `stopping` was told it; on a resume that is all of the earlier drivers'.

        earlier: what other sweeps found out, for a search that learns.
        """
        self.exhausted = False  # whether next() has said that there is no more
        self.budget = Budget(
            spec.budget, cpus_per_trial=spec.resources.cpus_per_trial, gpus_per_trial=spec.resources.gpus_per_trial
        )
        for record in ledger.trials.values():
            for row in record.epochs:
                self.budget.epoch_told(row["epoch_s"])
        self._spec = spec
        self._planned = planned_trials(spec)
        self._earlier = list(earlier)
        self._ledger = ledger
        self._stopping = stopping
        self.proposer = build_proposer(spec, self._earlier)
        self._queue: deque[TrialRecord] = deque()
        self._at_work: set[str] = set()
        self._out_of_trials = False
        self._replicates: dict[str, list[TrialRecord]] = {}
        self._replay()
        held = stopping.held
        self._queue.extendleft(record for record in reversed(ledger.unfinished()) if record.trial_id not in held)

    def next(self) -> TrialRecord | None:
        """The next trial to start. None when there is none now; `exhausted` says whether there will be one later."""
        while True:
            self._end_fallen()
            if self._queue:
                return self._hand_out(self._queue.popleft())
            released = self._stopping.next_released()
            if released is not None:
                return self._hand_out(self._ledger.trials[released])
            configuration = self._propose()
            if configuration is not None:
                self._enqueue(configuration)
            elif self._at_work and self._stopping.lets_wait:
                return None  # what runs may let go of what waits, or come to wait itself
            else:
                finished = self._has_finished_one()
                if not self._stopping.held or (self._out_of_trials and finished):
                    self.exhausted = True  # what waits does so until there is more budget
                    return None
                self._stopping.close(one_must_finish=not finished)

    def _has_finished_one(self) -> bool:
        """Whether a trial is through that came further than any that waits."""
        furthest = max((len(self._ledger.trials[trial].epochs) for trial in self._stopping.held), default=0)
        return any(r.is_through and len(r.epochs) > furthest for r in self._ledger.trials.values())

    def study_journal(self) -> bytes | None:
        """The search as an Optuna study, in a journal file; None for grid and random, of which no study can learn."""
        if self._spec.search.algorithm in ("grid", "random") or not self._spec.search_space.searched:
            return None
        from sweep.tuning.optuna_journal import journal_of

        return journal_of(self._ledger.sweep_id, self._spec, self._earlier, self._replicates.values())

    def waits(self, record: TrialRecord) -> None:
        """A trial has given its place free at a rung."""
        self._at_work.discard(record.trial_id)
        self._ledger.pause(record.trial_id)

    def epoch_told(self, record: TrialRecord, row: dict[str, Any]) -> None:
        self.budget.epoch_told(row["epoch_s"])
        if self.proposer.learns:
            self.proposer.observe(outcome_of(self._replicates[record.configuration_id]))

    def is_complete(self) -> bool:
        """Whether nothing is left to train, by the search and not by the budget. To be asked once nothing runs."""
        if not self.exhausted and self.next() is not None:  # a budget's end, where nobody has asked since
            return False
        ended = all(record.has_ended for record in self._ledger.trials.values())
        return self.exhausted and ended and not self._out_of_trials

    def budget_reached(self, elapsed_s: float, *, and_epoch_s: float | None = None) -> str | None:
        """What of the budget is used up, in words; None while there is room. See `Budget.reached`."""
        if self.exhausted and self._out_of_trials and not self._at_work:
            return f"budget.max_trials: {len(self._ledger.trials)} of {self._spec.budget.max_trials} trials"
        return self.budget.reached(elapsed_s, and_epoch_s=and_epoch_s)

    def trial_ended(self, record: TrialRecord) -> None:
        self._at_work.discard(record.trial_id)
        self._stopping.ended(record.trial_id, record.configuration_id)
        self._tell_if_ended(self._replicates[record.configuration_id])

    def _propose(self) -> dict[str, Any] | None:
        more = len(self._ledger.trials) < self._planned
        allowed = self.budget.allows_trials(len(self._ledger.trials) + self._spec.replicates)
        self._out_of_trials = more and not allowed
        return None if self._out_of_trials else self.proposer.propose()

    def _replay(self) -> None:
        """Let the search algorithm live through what the earlier drivers' did, in the order of their clocks."""
        records = list(self._ledger.trials.values())
        starts = [(record.started, False, record) for record in records if record.started is not None]
        ends = [(record.ended, True, record) for record in records if record.ended is not None]
        running: dict[str, set[str]] = {}
        for _, ended, record in sorted(starts + ends, key=lambda event: event[:2]):
            configuration = record.configuration_id
            if configuration not in running:
                self.proposer.adopt(record.configuration)
                self._enqueue(record.configuration)
                running[configuration] = {each.trial_id for each in self._replicates[configuration]}
            if ended:
                running[configuration].discard(record.trial_id)
                if not running[configuration]:
                    self.proposer.tell(outcome_of(self._replicates[configuration]))
        for configuration in running:
            if running[configuration]:
                self.proposer.observe(outcome_of(self._replicates[configuration]))

    def _hand_out(self, record: TrialRecord) -> TrialRecord:
        self._at_work.add(record.trial_id)
        return record

    def _end_fallen(self) -> None:
        for trial, verdict in self._stopping.take_fallen().items():
            self._ledger.end(trial, "STOPPED", stop_reason=verdict.reason, stop_value=verdict.value)

    def _enqueue(self, configuration: dict[str, Any]) -> None:
        """Queue those replicates that no driver has started, and remember all."""
        spec = self._spec
        identity = configuration_id(spec.model, spec.model_args, configuration)
        records = []
        for replicate in range(spec.replicates):
            key = trial_id(spec.model, spec.model_args, configuration, replicate)
            record = self._ledger.trials.get(key)
            if record is None:
                record = TrialRecord(key, configuration, identity, replicate)
                self._ledger.plan(record)
                self._queue.append(record)
            records.append(record)
        self._replicates[identity] = records

    def _tell_if_ended(self, replicates: list[TrialRecord]) -> None:
        if all(record.has_ended for record in replicates):
            self.proposer.tell(outcome_of(replicates))


def build_proposer(spec: SweepSpec, earlier: Iterable[Outcome] = ()) -> Proposer:
    """The search algorithm that the spec names. earlier: outcomes of other sweeps, which only Optuna's learn from."""
    space, search = spec.search_space, spec.search
    if search.algorithm == "grid":
        return ListedProposer(spec.every_configuration()[: search.trials])
    if search.trials is None:
        raise ValueError(f"search.trials: {search.algorithm} needs the number of configurations to try")
    if search.algorithm == "random":
        return ListedProposer(sample_configurations(space, search.trials, search.seed))
    if not space.searched:
        return ListedProposer(space.grid())
    if search.algorithm == "qmc":
        return ListedProposer(sobol_configurations(space, search.trials, search.seed))
    from sweep.tuning.optuna_proposer import OptunaProposer

    proposer = OptunaProposer(space, count=search.trials, seed=search.seed, algorithm=search.algorithm)
    for outcome in earlier:
        proposer.learn(outcome)
    return proposer
