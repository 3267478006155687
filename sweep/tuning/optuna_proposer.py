"""Search by Optuna's samplers, told the truth about early stopping.

Ray Tune's own bridge tells Optuna COMPLETE for a trial that was cut, so that values at different budgets are compared;
here a cut configuration is PRUNED with its intermediate values, and one without a usable epoch is FAIL.
"""

import json
import random
import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseGASampler, BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from search_spaces.domains import Choice, Domain, IntRange, LogUniform, Uniform
from search_spaces.space import SearchSpace
from sweep.training.seeds import seed_for
from sweep.tuning.optuna_journal import journal_of
from sweep.tuning.proposer import Outcome

# The spec's names of what Optuna offers; those with two objectives, and what each of them makes of a seed.
MULTI_OBJECTIVE = ("multi-objective", "nsga2")
_SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "qmc": lambda seed: optuna.samplers.QMCSampler(scramble=True, seed=seed, warn_independent_sampling=False),
    "multi-objective": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(population_size=20, seed=seed),
}
# Whose proposals form one sequence, which a new seed at each of them would break.
_SEQUENCES = ("qmc",)
# Which learn from the epochs of configurations that have not ended, too.
_LOOKING_AHEAD = ("tpe",)

# The latest configurations that such a search looks at: its own time grows with them.
_REMEMBERED = 1000

# Proposals that repeat an earlier configuration before a random new one is taken.
_PATIENCE = 20


class OptunaProposer:
    """An Optuna sampler over the searched hyper-parameters, at most `count` configurations.

    algorithm: tpe, gp (Gaussian process; loads torch), qmc (a scrambled Sobol sequence): one objective, the highest
    val_acc of any epoch. multi-objective (TPE), nsga2: val_acc up and, at the same epoch, gap_loss down. The proposal
    after n others depends on the seed, n and what was told, not on who asked: a resumed sweep that was told the same
    proposes the same.
    """

    learns = True

    def __init__(self, space: SearchSpace, *, count: int, seed: int, algorithm: str = "tpe") -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._count = count if space.cardinality is None else min(count, space.cardinality)
        self._seed = seed
        self._algorithm = algorithm
        self._multi_objective = algorithm in MULTI_OBJECTIVE
        self._distributions = {name: _distribution(domain) for name, domain in space.searched.items()}
        directions = ["maximize", "minimize"] if self._multi_objective else ["maximize"]
        self._study = optuna.create_study(directions=directions)
        self._trials: dict[str, Trial] = {}  # by canonical configuration
        self._outcomes: dict[str, Outcome] = {}  # likewise: the latest of each
        self._learned: list[FrozenTrial] = []  # of earlier sweeps

    def propose(self) -> dict[str, Any] | None:
        if len(self._trials) >= self._count:
            return None
        if self._algorithm in _LOOKING_AHEAD:
            return self._propose_ahead()
        for attempt in range(_PATIENCE):
            self._reseed(self._study, attempt)
            trial = self._study.ask(self._distributions)
            configuration = self._space.resolve(trial.params)
            if self._remember(configuration, trial):
                return configuration
            self._study.tell(trial, state=TrialState.FAIL)
        return self._unseen()

    def observe(self, outcome: Outcome) -> None:
        """How far a configuration is that has not ended."""
        if outcome.val_acc:
            self._outcomes[json.dumps(outcome.configuration)] = outcome

    def _propose_ahead(self) -> dict[str, Any] | None:
        """Ask a study in which what waits or runs counts as pruned where it stands.

        Optuna itself takes a trial that has not ended for a bad one, whatever it has told: with trials that wait at
        rungs those would be the good ones.
        """
        ahead = optuna.create_study(direction="maximize")
        ahead.add_trials(self._learned)
        for key, trial in list(self._trials.items())[-_REMEMBERED:]:
            told = {"state": TrialState.RUNNING} if key not in self._outcomes else self._told(self._outcomes[key])
            ahead.add_trial(create_trial(params=trial.params, distributions=self._distributions, **told))
        for attempt in range(_PATIENCE):
            self._reseed(ahead, attempt)
            configuration = self._space.resolve(ahead.ask(self._distributions).params)
            if json.dumps(configuration) not in self._trials:
                self.adopt(configuration)
                return configuration
        return self._unseen()

    def adopt(self, configuration: dict[str, Any]) -> None:
        self._reseed(self._study)
        self._study.enqueue_trial({name: configuration[name] for name in self._distributions})
        trial = self._study.ask(self._distributions)
        sampler = self._study.sampler
        if isinstance(sampler, BaseGASampler):
            # Notes the generation in the trial, which Optuna does for those alone that it has sampled itself.
            sampler.get_trial_generation(self._study, self._study.get_trials(deepcopy=False)[trial.number])
        self._remember(configuration, trial)

    def learn(self, outcome: Outcome) -> bool:
        """Take an outcome of another sweep into account. False if its configuration lies outside of this space."""
        params = {name: outcome.configuration[name] for name in self._distributions}
        if not all(_contains(self._distributions[name], value) for name, value in params.items()):
            return False
        self._learned.append(create_trial(params=params, distributions=self._distributions, **self._told(outcome)))
        self._study.add_trial(self._learned[-1])
        return True

    def tell(self, outcome: Outcome) -> None:
        key = json.dumps(outcome.configuration)
        self._outcomes[key] = outcome
        told = self._told(outcome)
        for epoch, val_acc in told.get("intermediate_values", {}).items():
            self._trials[key].report(val_acc, epoch)
        self._study.tell(self._trials[key], told.get("values", told.get("value")), told["state"])

    def _told(self, outcome: Outcome) -> dict[str, Any]:
        """The state of a trial of Optuna's, and its values or intermediate values."""
        if not outcome.val_acc:
            return {"state": TrialState.FAIL}
        best = outcome.best_epoch
        if self._multi_objective:
            return {"state": TrialState.COMPLETE, "values": [outcome.val_acc[best], outcome.gap_loss[best]]}
        if outcome.status == "COMPLETED":
            return {"state": TrialState.COMPLETE, "value": outcome.val_acc[best]}
        return {"state": TrialState.PRUNED, "intermediate_values": outcome.val_acc}

    def journal(self, name: str) -> bytes:
        return journal_of(self._study, name)

    @property
    def study(self) -> optuna.Study:
        """The Optuna study behind this search."""
        return self._study

    def _remember(self, configuration: dict[str, Any], trial: Trial) -> bool:
        key = json.dumps(configuration)
        if key in self._trials:
            return False
        self._trials[key] = trial
        return True

    def _reseed(self, study: optuna.Study, attempt: int = 0) -> None:
        place = 0 if self._algorithm in _SEQUENCES else _PATIENCE * len(self._trials) + attempt
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.sampler = _SAMPLERS[self._algorithm](seed_for(self._seed, 0, "order", place))

    def _unseen(self) -> dict[str, Any] | None:
        """A configuration not proposed yet, when the sampler keeps returning to the same ones."""
        rng = random.Random(seed_for(self._seed, 0, "order", len(self._trials)))
        pool = self._space.grid() if self._space.cardinality is not None else [self._space.sample(rng)]
        left = [configuration for configuration in pool if json.dumps(configuration) not in self._trials]
        if not left:
            return None
        configuration = rng.choice(left)
        self.adopt(configuration)
        return configuration


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return distribution.low <= value <= distribution.high


def _distribution(domain: Domain) -> BaseDistribution:
    match domain:
        case Uniform():
            return FloatDistribution(domain.low, domain.high)
        case LogUniform():
            return FloatDistribution(domain.low, domain.high, log=True)
        case IntRange():
            return IntDistribution(domain.low, domain.high)
        case Choice():
            return CategoricalDistribution(domain.values())
    raise TypeError(f"{domain!r} is not searched")
