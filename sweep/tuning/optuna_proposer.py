"""Search by those of Optuna's samplers that learn from what they are told."""

import json
import random
import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseGASampler, BaseSampler, NSGAIISampler
from optuna.trial import FrozenTrial, Trial, TrialState

from search_spaces.effective import count_distinct, training_key
from search_spaces.space import MAX_GRID, SearchSpace
from sweep.training.seeds import seed_for
from sweep.tuning.optuna_trials import directions, distributions, frozen_trial, lies_within, told
from sweep.tuning.proposer import Outcome

# The spec's names of what Optuna offers, and what each of them makes of a seed.
_SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "multi-objective": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(population_size=20, seed=seed),
}
# Which learn from the epochs of configurations that have not ended, too.
_LOOKING_AHEAD = ("tpe",)

# The latest configurations that such a search looks at: its own time grows with them.
_REMEMBERED = 1000

# Proposals that repeat an earlier configuration before a random new one is taken.
_PATIENCE = 20
# Of a space without a list, to find one that is new.
_DRAWN = 100


class OptunaProposer:
    """An Optuna sampler over the searched hyper-parameters, at most `count` configurations.

    algorithm: tpe, gp (Gaussian process; loads torch): one objective, the highest val_acc of any epoch.
    multi-objective (TPE), nsga2: val_acc up and, at the same epoch, gap_loss down. The proposal after n others depends
    on the seed, n and what was told, not on who asked: a resumed sweep that was told the same proposes the same.
    """

    learns = True

    def __init__(self, space: SearchSpace, *, count: int, seed: int, algorithm: str = "tpe") -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._count = min(number for number in (count, count_distinct(space)) if number is not None)
        self._seed = seed
        self._algorithm = algorithm
        self._distributions = distributions(space)
        self._study = optuna.create_study(directions=directions(algorithm))
        self._trials: dict[str, Trial] = {}  # by canonical configuration
        self._trained: set[str] = set()  # what they train, see `training_key`
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
            if self._is_new(configuration):
                self._remember(configuration, trial)
                return configuration
            self._study.tell(trial, state=TrialState.FAIL)
        return self._unseen()

    def observe(self, outcome: Outcome) -> None:
        """How far a configuration is that has not ended."""
        self._outcomes[json.dumps(outcome.configuration)] = outcome

    def _propose_ahead(self) -> dict[str, Any] | None:
        """Ask a study in which what waits or runs counts as pruned where it stands.

        Optuna itself takes a trial that has not ended for a bad one, whatever it has told: with trials that wait at
        rungs those would be the good ones.
        """
        ahead = optuna.create_study(direction="maximize")
        ahead.add_trials(self._learned[-_REMEMBERED:])
        latest = list(self._outcomes.values())[-_REMEMBERED:]
        ahead.add_trials([frozen_trial(outcome, self._distributions, self._algorithm) for outcome in latest])
        for attempt in range(_PATIENCE):
            self._reseed(ahead, attempt)
            configuration = self._space.resolve(ahead.ask(self._distributions).params)
            if self._is_new(configuration):
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

    def learn(self, outcome: Outcome) -> None:
        """Take an outcome of another sweep into account, if its configuration lies in this space."""
        if not lies_within(outcome.configuration, self._space):
            return
        # For evolution they are the parents of what is proposed here.
        generation = {NSGAIISampler._get_generation_key(): 0} if self._algorithm == "nsga2" else {}
        self._learned.append(frozen_trial(outcome, self._distributions, self._algorithm, **generation))
        self._study.add_trial(self._learned[-1])

    def tell(self, outcome: Outcome) -> None:
        key = json.dumps(outcome.configuration)
        self._outcomes[key] = outcome
        known = told(outcome, self._algorithm)
        for epoch, val_acc in known.get("intermediate_values", {}).items():
            self._trials[key].report(val_acc, epoch)
        self._study.tell(self._trials[key], known.get("values", known.get("value")), known["state"])

    @property
    def study(self) -> optuna.Study:
        """The Optuna study behind this search."""
        return self._study

    def _is_new(self, configuration: dict[str, Any]) -> bool:
        return training_key(configuration) not in self._trained

    def _remember(self, configuration: dict[str, Any], trial: Trial) -> None:
        key = json.dumps(configuration)
        self._trials[key] = trial
        self._trained.add(training_key(configuration))
        self._outcomes[key] = Outcome(configuration, "RUNNING", {}, {})

    def _reseed(self, study: optuna.Study, attempt: int = 0) -> None:
        place = _PATIENCE * len(self._trials) + attempt
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.sampler = _SAMPLERS[self._algorithm](seed_for(self._seed, 0, "order", place))

    def _unseen(self) -> dict[str, Any] | None:
        """A configuration not proposed yet, when the sampler keeps returning to the same ones."""
        rng = random.Random(seed_for(self._seed, 0, "order", len(self._trials)))
        is_listed = self._space.cardinality is not None and self._space.cardinality <= MAX_GRID
        pool = self._space.grid() if is_listed else [self._space.sample(rng) for _ in range(_DRAWN)]
        left = [configuration for configuration in pool if self._is_new(configuration)]
        if not left:
            self._count = len(self._trials)  # so that nobody searches again
            return None
        configuration = rng.choice(left)
        self.adopt(configuration)
        return configuration
