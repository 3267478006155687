"""Configurations as trials of an Optuna study, told the truth about early stopping.

Ray Tune's own bridge tells Optuna COMPLETE for a trial that was cut, so that values at different budgets are compared;
here a cut configuration is PRUNED with its intermediate values, and one without a usable epoch is FAIL. With two
objectives so is one that diverged: the gap of its first epochs is the smallest of all, and would be on the front.
"""

from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces.domains import Choice, Domain, IntRange, LogUniform, Uniform
from search_spaces.space import SearchSpace
from sweep.spec_agreement import MULTI_OBJECTIVE
from sweep.tuning.proposer import Outcome


def directions(algorithm: str) -> list[str]:
    """Of a study's objectives: val_acc up and, for some algorithms, gap_loss at the same epoch down."""
    return ["maximize", "minimize"] if algorithm in MULTI_OBJECTIVE else ["maximize"]


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Those of the searched hyper-parameters."""
    return {name: _distribution(domain) for name, domain in space.searched.items()}


def told(outcome: Outcome, algorithm: str) -> dict[str, Any]:
    """The state of a trial, and its values or intermediate values, as `create_trial` takes them."""
    if not outcome.val_acc:
        return {"state": TrialState.RUNNING if outcome.status == "RUNNING" else TrialState.FAIL}
    best = outcome.best_epoch
    if algorithm in MULTI_OBJECTIVE:
        if outcome.status == "DIVERGED":
            return {"state": TrialState.FAIL}
        return {"state": TrialState.COMPLETE, "values": [outcome.val_acc[best], outcome.gap_loss[best]]}
    if outcome.status == "COMPLETED":
        return {"state": TrialState.COMPLETE, "value": outcome.val_acc[best]}
    if outcome.status == "DIVERGED":
        # TPE takes whatever was pruned later for better, and this one is to rank last.
        return {"state": TrialState.PRUNED, "intermediate_values": dict(list(outcome.val_acc.items())[:1])}
    return {"state": TrialState.PRUNED, "intermediate_values": outcome.val_acc}


def lies_within(configuration: dict[str, Any], space: SearchSpace) -> bool:
    """Whether a configuration, of another sweep say, is one that the space can give."""
    searched = distributions(space)
    if not all(_contains(each, configuration[name]) for name, each in searched.items()):
        return False
    return space.resolve({name: configuration[name] for name in searched}) == configuration


def frozen_trial(
    outcome: Outcome, searched: dict[str, BaseDistribution], algorithm: str, **attributes: Any
) -> FrozenTrial:
    """A configuration as a trial; what has not ended and has told something counts as pruned where it stands.

    attributes: the system's, of Optuna's samplers.
    """
    params = {name: outcome.configuration[name] for name in searched}
    return create_trial(params=params, distributions=searched, system_attrs=attributes, **told(outcome, algorithm))


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
