"""The simulated drivers against what must hold of any queue."""

import pytest

from benchmarks.shards import EPOCHS, simulate


def test_a_driver_with_too_many_trials_takes_results_as_fast_as_it_can() -> None:
    outcome = simulate(5000, 2.0, result_s=0.005, trial_s=0.02)
    assert outcome.driver_busy == pytest.approx(1.0, abs=0.01)
    assert outcome.results_per_s == pytest.approx(1 / (0.005 + 0.02 / EPOCHS), rel=0.02)
    # Of a cycle through the queue, the epoch is the part in which a GPU works.
    assert outcome.busy == pytest.approx(2.0 / (5000 / outcome.results_per_s), rel=0.05)


def test_a_driver_with_few_trials_lets_none_wait() -> None:
    outcome = simulate(10, 2.0, result_s=0.005, trial_s=0.02)
    assert outcome.busy > 0.99
    assert outcome.results_per_s == pytest.approx(10 / 2.0, rel=0.05)
    assert outcome.driver_busy == pytest.approx(outcome.results_per_s * (0.005 + 0.02 / EPOCHS), rel=0.1)
