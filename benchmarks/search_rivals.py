"""What people use today to search and to stop early, asked one decision at a time.

Each rival's own scheduler and searcher objects decide, as in a real run; training is answered from recorded curves.
"""

import datetime
import random
from abc import ABC, abstractmethod
from types import SimpleNamespace
from typing import Any

from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.space import SearchSpace


class Rival(ABC):
    """Asked for configurations; told each epoch; says whether a trial trains on."""

    @abstractmethod
    def suggest(self, trial: int) -> dict[str, Any] | None:
        """The searched hyper-parameters of a new trial; None if it has no more."""

    @abstractmethod
    def goes_on(self, trial: int, row: dict[str, Any]) -> bool:
        """Whether a trial may train beyond the epoch in `row`; not asked after the last one."""

    def ended(self, trial: int, row: dict[str, Any]) -> None:  # noqa: B027 - not all want to know
        """A trial has told its last epoch."""


class RandomWithoutStopping(Rival):
    """Random search, every trial trained to its end."""

    def __init__(self, space: SearchSpace, epochs: int, seed: int) -> None:
        del epochs
        self._space, self._rng = space, random.Random(seed)

    def suggest(self, trial: int) -> dict[str, Any] | None:
        return {name: domain.sample(self._rng) for name, domain in self._space.searched.items()}

    def goes_on(self, trial: int, row: dict[str, Any]) -> bool:
        return True


class TopAfterOneEpoch(RandomWithoutStopping):
    """64 random configurations for one epoch, then the best 8 of them to their end; and again."""

    def __init__(self, space: SearchSpace, epochs: int, seed: int, batch: int = 64, kept: int = 8) -> None:
        super().__init__(space, epochs, seed)
        self._batch, self._kept = batch, kept
        self._first: dict[int, float] = {}
        self.waiting: set[int] = set()

    def goes_on(self, trial: int, row: dict[str, Any]) -> bool:
        if row["epoch"] > 1:
            return True
        self._first[trial] = row["val_acc"]
        self.waiting.add(trial)
        return False

    def chosen(self) -> list[int]:
        """The trials to go on with, once a batch is through."""
        if len(self.waiting) < self._batch:
            return []
        batch = sorted(self.waiting)[: self._batch]
        self.waiting -= set(batch)
        return sorted(batch, key=lambda trial: self._first[trial], reverse=True)[: self._kept]


class StockAsha(RandomWithoutStopping):
    """Ray Tune's ASHAScheduler, with its defaults where nothing else is given, and random sampling."""

    def __init__(
        self, space: SearchSpace, epochs: int, seed: int, *, grace_period: int = 1, reduction_factor: float = 4
    ) -> None:
        from ray.tune.schedulers import ASHAScheduler

        super().__init__(space, epochs, seed)
        self._asha = ASHAScheduler(
            time_attr="epoch",
            metric="val_acc",
            mode="max",
            max_t=epochs,
            grace_period=grace_period,
            reduction_factor=reduction_factor,
        )
        self._trials: dict[int, Any] = {}

    def suggest(self, trial: int) -> dict[str, Any] | None:
        suggestion = self._sample(trial)
        self._trials[trial] = SimpleNamespace(trial_id=str(trial), config=suggestion)
        self._asha.on_trial_add(None, self._trials[trial])
        return suggestion

    def goes_on(self, trial: int, row: dict[str, Any]) -> bool:
        return bool(self._asha.on_trial_result(None, self._trials[trial], row) == "CONTINUE")

    def ended(self, trial: int, row: dict[str, Any]) -> None:
        self._asha.on_trial_complete(None, self._trials[trial], row)

    def _sample(self, trial: int) -> dict[str, Any] | None:
        return super().suggest(trial)


class StockAshaOptuna(StockAsha):
    """Ray Tune's ASHAScheduler and OptunaSearch (TPE), both with their defaults."""

    def __init__(self, space: SearchSpace, epochs: int, seed: int) -> None:
        import optuna
        from ray import tune
        from ray.tune.search.optuna import OptunaSearch

        super().__init__(space, epochs, seed)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        asked: dict[str, Any] = {}
        for name, domain in space.searched.items():
            match domain:
                case Uniform():
                    asked[name] = tune.uniform(domain.low, domain.high)
                case LogUniform():
                    asked[name] = tune.loguniform(domain.low, domain.high)
                case Choice():
                    asked[name] = tune.choice(list(domain.options))
        self._search = OptunaSearch(asked, metric="val_acc", mode="max", seed=seed)

    def _sample(self, trial: int) -> dict[str, Any] | None:
        return self._search.suggest(str(trial))

    def goes_on(self, trial: int, row: dict[str, Any]) -> bool:
        self._search.on_trial_result(str(trial), {**row, "training_iteration": row["epoch"]})
        return super().goes_on(trial, row)

    def ended(self, trial: int, row: dict[str, Any]) -> None:
        super().ended(trial, row)
        self._search.on_trial_complete(str(trial), {**row, "training_iteration": row["epoch"]})


class SyneTune(Rival):
    """A scheduler of Syne Tune's `baselines`, with its defaults."""

    def __init__(self, space: SearchSpace, epochs: int, seed: int, name: str = "ASHA") -> None:
        from syne_tune import config_space
        from syne_tune.optimizer import baselines

        asked: dict[str, Any] = {}
        for key, domain in space.searched.items():
            match domain:
                case Uniform():
                    asked[key] = config_space.uniform(domain.low, domain.high)
                case LogUniform():
                    asked[key] = config_space.loguniform(domain.low, domain.high)
                case Choice():
                    asked[key] = config_space.choice(list(domain.options))
        self._scheduler = getattr(baselines, name)(
            asked, metric="val_acc", time_attr="epoch", max_t=epochs, do_minimize=False, random_seed=seed
        )
        self._trials: dict[int, Any] = {}

    def suggest(self, trial: int) -> dict[str, Any] | None:
        from syne_tune.backend.trial_status import Trial

        suggestion = self._scheduler.suggest()
        if suggestion is None:
            return None
        self._trials[trial] = Trial(trial, suggestion.config, datetime.datetime.now())
        self._scheduler.on_trial_add(self._trials[trial])
        return dict(suggestion.config)

    def goes_on(self, trial: int, row: dict[str, Any]) -> bool:
        goes_on = bool(self._scheduler.on_trial_result(self._trials[trial], row) == "CONTINUE")
        if not goes_on:
            self._scheduler.on_trial_remove(self._trials.pop(trial))
        return goes_on

    def ended(self, trial: int, row: dict[str, Any]) -> None:
        if trial in self._trials:  # its tuner does not call a trial complete that was stopped
            self._scheduler.on_trial_complete(self._trials.pop(trial), row)
