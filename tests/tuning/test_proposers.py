"""Search algorithms: no configuration twice, the truth told to Optuna, the same again after a resume."""

import json
import math
import random
from itertools import pairwise
from typing import Any

import pytest
from optuna.trial import TrialState

from search_spaces.effective import training_key
from search_spaces.space import SearchSpace
from sweep.spec import SweepSpec
from sweep.tuning.assignments import build_proposer
from sweep.tuning.listed_proposer import ListedProposer, sample_configurations
from sweep.tuning.optuna_proposer import OptunaProposer
from sweep.tuning.optuna_trials import distributions, frozen_trial
from sweep.tuning.planned_trials import planned_configurations
from sweep.tuning.proposer import Outcome, Proposer
from sweep.tuning.sobol_configurations import sobol_configurations

SPACE = SearchSpace.parse({"lr": {"loguniform": [1e-4, 1.0]}, "layer_order": {"choice": ["lbrd", "lr"]}})
FINITE = SearchSpace.parse({"layer_order": {"choice": ["lbrd", "lrbd", "lr"]}, "augment": {"choice": ["none", "full"]}})


def completed(configuration: dict[str, Any], val_acc: float, gap: float = 0.1) -> Outcome:
    return Outcome(configuration, "COMPLETED", {1: val_acc / 2, 2: val_acc}, {1: 0.0, 2: gap})


def exhaust(proposer: Proposer) -> list[dict[str, Any]]:
    given = []
    while (configuration := proposer.propose()) is not None:
        given.append(configuration)
        proposer.tell(completed(configuration, 0.5))
    return given


def keys(configurations: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(configuration) for configuration in configurations]


def test_random_sampling_is_seeded_and_gives_nothing_twice() -> None:
    drawn = sample_configurations(SPACE, 50, seed=3)
    assert keys(drawn) == keys(sample_configurations(SPACE, 50, seed=3))
    assert keys(drawn) != keys(sample_configurations(SPACE, 50, seed=4))
    assert len(set(keys(drawn))) == 50


def test_a_longer_even_search_begins_as_a_shorter_one() -> None:
    even = sobol_configurations(SPACE, 50, seed=3)
    assert keys(even) == keys(sobol_configurations(SPACE, 400, seed=3)[:50])
    assert keys(even) != keys(sobol_configurations(SPACE, 50, seed=4))
    assert len(set(keys(even))) == 50


def test_an_even_search_has_each_word_as_often() -> None:
    even = sobol_configurations(SPACE, 64, seed=0)
    assert [configuration["layer_order"] for configuration in even].count("lr") == 32


@pytest.mark.parametrize("algorithm", ["random", "qmc", "tpe", "nsga2"])
def test_what_would_train_the_same_is_tried_once(algorithm: str) -> None:
    space = {"layer_order": {"choice": ["lbrd", "lr"]}, "drop_rate": {"uniform": [0.0, 0.5]}}
    keys = {"name": "x", "model": "mlp", "dataset": "digits", "epochs": 3, "space": space}
    spec = SweepSpec.load({**keys, "search": {"algorithm": algorithm, "trials": 24}})
    given = exhaust(build_proposer(spec))
    assert len(given) == 24
    assert [configuration["layer_order"] for configuration in given].count("lr") == 1


@pytest.mark.parametrize("algorithm", ["random", "qmc", "tpe", "nsga2"])
def test_a_finite_space_is_as_large_as_what_trains_differently(algorithm: str) -> None:
    space = {"layer_order": {"choice": ["lbrd", "lbdr", "lr"]}, "drop_rate": {"choice": [0.1, 0.2, 0.3]}}
    keys = {"name": "x", "model": "mlp", "dataset": "digits", "epochs": 3, "space": space}
    spec = SweepSpec.load({**keys, "search": {"algorithm": algorithm, "trials": 24}})
    assert len(exhaust(build_proposer(spec))) == planned_configurations(spec) == 4
    assert planned_configurations(SweepSpec.load({**keys, "mode": "study"})) == 9


def test_a_space_whose_configurations_all_train_the_same_is_one_configuration() -> None:
    space = SearchSpace.parse({"layer_order": "lr", "drop_rate": {"uniform": [0.0, 0.5]}})
    for algorithm in ("tpe", "nsga2"):
        assert len(exhaust(OptunaProposer(space, count=9, seed=0, algorithm=algorithm))) == 1
    assert len(sobol_configurations(space, 9, seed=0)) == len(sample_configurations(space, 9, seed=0)) == 1


def test_what_differs_in_effect_is_not_the_same() -> None:
    def key(**values: Any) -> str:
        return training_key(SearchSpace.parse({}).resolve(values))

    assert key(layer_order="lr", drop_rate=0.1, momentum=0.3) == key(layer_order="lr")
    assert key(layer_order="lrd", drop_rate=0.1) != key(layer_order="lrd")
    assert key(layer_order="lbr", momentum=0.3) != key(layer_order="lbr")
    assert key(layer_order="lbdr") == key(layer_order="lbrd") != key(layer_order="ldbr")
    assert key(layer_order="lbrd", drop_rate=0.0) == key(layer_order="lbr")
    assert key(sgd_momentum=0.5) == key()
    assert key(sgd_momentum=0.5, optimizer="sgd") != key(optimizer="sgd")
    assert key(augment="crop-flip") == key(crop_padding=4, flip_prob=0.5) != key()


def test_a_finite_space_smaller_than_the_budget_is_given_out_once_whole() -> None:
    drawn = [sample_configurations(FINITE, 100, seed=seed) for seed in range(3)]
    assert len({tuple(keys(each)) for each in drawn}) == 3  # in an order of its own
    assert all(sorted(keys(each)) == sorted(keys(FINITE.grid())) for each in drawn)
    for count in (5, 6, 100):
        even = keys(sobol_configurations(FINITE, count, seed=0))
        assert len(even) == len({*even} & {*keys(FINITE.grid())}) == min(count, 6)
    assert sorted(keys(exhaust(OptunaProposer(FINITE, count=100, seed=0)))) == sorted(keys(FINITE.grid()))


def test_a_domain_of_one_value_is_kept_by_every_algorithm() -> None:
    space = SearchSpace.parse({"lr": {"choice": [0.01]}, "drop_rate": {"uniform": [0, 0.5]}})
    optuna = [OptunaProposer(space, count=2, seed=0, algorithm=name) for name in ("tpe", "nsga2")]
    given = [*sobol_configurations(space, 4, seed=0), *sample_configurations(space, 4, seed=0)]
    given += [configuration for proposer in optuna for configuration in exhaust(proposer)]
    assert {configuration["lr"] for configuration in given} == {0.01}
    assert len(given) == 12


def test_random_sampling_gives_as_many_as_were_asked_for_of_nearly_all_there_are() -> None:
    axes = ("lr", "drop_rate", "momentum")
    space = SearchSpace.parse({name: {"uniform": [0.1, 0.5], "points": 10} for name in axes})
    for count in (900, 999):
        drawn = keys(sample_configurations(space, count, seed=0))
        assert len(set(drawn)) == len(drawn) == count


def test_an_adopted_configuration_is_not_given_out_again() -> None:
    for proposer in (ListedProposer(FINITE.grid()), OptunaProposer(FINITE, count=100, seed=0)):
        proposer.adopt(FINITE.grid()[2])
        assert sorted(keys(exhaust(proposer))) == sorted(keys(FINITE.grid()[:2] + FINITE.grid()[3:]))


def test_a_list_goes_on_to_its_length_where_an_earlier_version_drew_another() -> None:
    proposer = ListedProposer(sobol_configurations(SPACE, 10, seed=0))
    for configuration in sobol_configurations(SPACE, 4, seed=1):
        proposer.adopt(configuration)
    assert keys(exhaust(proposer)) == keys(sobol_configurations(SPACE, 6, seed=0))


def test_of_what_an_earlier_list_had_the_twin_goes() -> None:
    """A longer list of a finite space holds the first of those that train the same, a shorter one may have another."""
    space = SearchSpace.parse({"layer_order": {"choice": ["lbr", "lbrd"]}, "drop_rate": {"choice": [0.1, 0.3, 0.5]}})
    proposer = ListedProposer(sample_configurations(space, 12, seed=0))
    twin = next(each for each in space.grid() if (each["layer_order"], each["drop_rate"]) == ("lbr", 0.3))
    proposer.adopt(twin)
    left = exhaust(proposer)
    assert sorted(each["drop_rate"] for each in left) == [0.1, 0.3, 0.5]
    assert {each["layer_order"] for each in left} == {"lbrd"}


def test_tpe_finds_a_planted_optimum_better_than_random_sampling() -> None:
    def score(configuration: dict[str, Any]) -> float:
        return 1.0 - abs(math.log10(configuration["lr"]) + 2) / 4 - 0.2 * (configuration["layer_order"] == "lr")

    def best_of_tpe(seed: int) -> float:
        proposer = OptunaProposer(SPACE, count=40, seed=seed)
        best = 0.0
        while (configuration := proposer.propose()) is not None:
            best = max(best, score(configuration))
            proposer.tell(completed(configuration, score(configuration)))
        return best

    tpe = [best_of_tpe(seed) for seed in range(5)]
    rand = [max(score(SPACE.sample(rng)) for _ in range(40)) for rng in map(random.Random, range(5))]
    assert sum(tpe) > sum(rand)


def test_qmc_spreads_more_evenly_than_random_sampling() -> None:
    def largest_hole(learning_rates: list[float]) -> float:
        """Between neighbours, as a part of the range of the logarithm."""
        places = sorted((math.log10(lr) + 4) / 4 for lr in learning_rates)
        return max(b - a for a, b in pairwise([0.0, *places, 1.0]))

    even = [largest_hole([c["lr"] for c in sobol_configurations(SPACE, 32, seed)]) for seed in range(5)]
    drawn = [largest_hole([c["lr"] for c in sample_configurations(SPACE, 32, seed)]) for seed in range(5)]
    assert max(even) < min(drawn)


def test_optuna_is_told_how_each_configuration_really_ended() -> None:
    proposer = OptunaProposer(SPACE, count=3, seed=0)
    first, second, third = (proposer.propose() for _ in range(3))
    assert first
    assert second
    assert third
    proposer.tell(Outcome(first, "COMPLETED", {1: 0.3, 2: 0.6, 3: 0.5}, {1: 0.0, 2: 0.1, 3: 0.2}))
    proposer.tell(Outcome(second, "STOPPED", {1: 0.2}, {1: 0.0}))
    proposer.tell(Outcome(third, "FAILED", {}, {}))
    diverged = frozen_trial(Outcome(third, "DIVERGED", {1: 0.4, 2: 0.7}, {1: 0.0, 2: 0.0}), distributions(SPACE), "tpe")
    assert (diverged.state, diverged.intermediate_values) == (TrialState.PRUNED, {1: 0.4})  # or it would be TPE's best
    trials = proposer.study.trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
    assert trials[0].value == 0.6  # the best epoch's
    assert trials[1].intermediate_values == {1: 0.2}
    assert trials[0].params["lr"] == first["lr"]


@pytest.mark.parametrize("algorithm", ["tpe", "gp", "multi-objective", "nsga2"])
def test_a_search_rebuilt_from_what_was_told_proposes_what_the_first_would_have(algorithm: str) -> None:
    first = OptunaProposer(SPACE, count=16, seed=5, algorithm=algorithm)
    told = []
    for place in range(12):
        configuration = first.propose()
        assert configuration is not None
        told.append(completed(configuration, place / 20))
        first.tell(told[-1])
    rebuilt = OptunaProposer(SPACE, count=16, seed=5, algorithm=algorithm)
    for outcome in told:
        rebuilt.adopt(outcome.configuration)
        rebuilt.tell(outcome)
    assert keys(exhaust(first)) == keys(exhaust(rebuilt))


@pytest.mark.parametrize("algorithm", ["multi-objective", "nsga2"])
def test_two_objectives_are_accuracy_and_the_gap_at_the_same_epoch(algorithm: str) -> None:
    proposer = OptunaProposer(SPACE, count=2, seed=0, algorithm=algorithm)
    configuration = proposer.propose()
    assert configuration
    proposer.tell(Outcome(configuration, "COMPLETED", {1: 0.7, 2: 0.6}, {1: 0.05, 2: 0.9}))
    assert proposer.study.trials[0].values == [0.7, 0.05]
    assert proposer.propose() is not None


@pytest.mark.parametrize("algorithm", ["grid", "random", "tpe"])
def test_a_space_with_nothing_searched_is_one_configuration(algorithm: str) -> None:
    from sweep.spec import SweepSpec
    from sweep.tuning.assignments import build_proposer

    spec = SweepSpec.load(
        {"name": "x", "model": "mlp", "dataset": "digits", "epochs": 1, "search": {"algorithm": algorithm, "trials": 5}}
    )
    assert len(exhaust(build_proposer(spec))) == 1
