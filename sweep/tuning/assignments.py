"""Which trial is handed out next: what an earlier driver left unfinished, then new configurations, each replicated."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from search_spaces.identity import configuration_id, trial_id
from sweep.spec import SweepSpec
from sweep.tuning.ledger import Ledger, Listener
from sweep.tuning.listed_proposer import ListedProposer, sample_configurations
from sweep.tuning.proposer import Outcome, Proposer, outcome_of
from sweep.tuning.trial_record import TrialRecord


class Assignments(Listener):
    """Hands out trials, and tells the search algorithm how configurations ended."""

    def __init__(self, spec: SweepSpec, ledger: Ledger, earlier: Iterable[Outcome] = ()) -> None:
        """`ledger` holds what is known; on a resume that is all of the earlier drivers' trials.

        earlier: what other sweeps found out, for a search that learns.
        """
        self.exhausted = False  # whether next() has said that there is no more
        self._spec = spec
        self._ledger = ledger
        self._proposer = build_proposer(spec, earlier)
        self._queue: deque[TrialRecord] = deque()
        self._replicates: dict[str, list[TrialRecord]] = {}
        for record in list(ledger.trials.values()):
            if record.configuration_id not in self._replicates:
                self._proposer.adopt(record.configuration)
                self._enqueue(record.configuration)
        self._queue.extendleft(reversed(ledger.unfinished()))
        for replicates in self._replicates.values():
            self._tell_if_ended(replicates)

    def next(self) -> TrialRecord | None:
        """The next trial to start; None when there is none left (running trials cannot add any)."""
        if not self._queue:
            configuration = self._proposer.propose()
            if configuration is None:
                self.exhausted = True
                return None
            self._enqueue(configuration)
        return self._queue.popleft()

    def trial_ended(self, record: TrialRecord) -> None:
        self._tell_if_ended(self._replicates[record.configuration_id])

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
            self._proposer.tell(outcome_of(replicates))


def build_proposer(spec: SweepSpec, earlier: Iterable[Outcome] = ()) -> Proposer:
    """The search algorithm that the spec names. earlier: outcomes of other sweeps, which only Optuna's learn from."""
    space, search = spec.search_space, spec.search
    if search.algorithm == "grid":
        return ListedProposer(space.grid()[: search.trials])
    if search.trials is None:
        raise ValueError(f"search.trials: {search.algorithm} needs the number of configurations to try")
    if search.algorithm == "random":
        return ListedProposer(sample_configurations(space, search.trials, search.seed))
    if not space.searched:
        return ListedProposer(space.grid())
    from sweep.tuning.optuna_proposer import OptunaProposer

    proposer = OptunaProposer(
        space, count=search.trials, seed=search.seed, multi_objective=search.algorithm == "multi-objective"
    )
    for outcome in earlier:
        proposer.learn(outcome)
    return proposer
