"""When a sweep is given up because it only fails."""

from dataclasses import replace

from sweep.tuning.same_failure import PATIENCE, SameFailure
from sweep.tuning.trial_record import TrialRecord


def record(number: int, error: str | None = None, epochs: int = 0) -> TrialRecord:
    status = "RUNNING" if error is None else "FAILED"
    return TrialRecord(f"t{number}", {}, f"c{number}", 0, status=status, error=error, epochs=[{"epoch": 1}] * epochs)


def after(failure: SameFailure, errors: list[str | None]) -> SameFailure:
    """Trials start together; then those with an error fail."""
    for number in range(len(errors)):
        failure.trial_started(record(number))
    for number, error in enumerate(errors):
        if error is not None:
            failure.trial_ended(record(number, error))
    return failure


def test_the_first_ones_all_fail_with_one_error() -> None:
    assert after(SameFailure([]), [f"at {number}\nValueError: no" for number in range(PATIENCE)]).hopeless
    assert not after(SameFailure([]), ["ValueError: no"] * (PATIENCE - 1)).hopeless
    assert not after(SameFailure([]), [*["ValueError: no"] * (PATIENCE - 1), "KeyError: x"]).hopeless


def test_while_one_of_the_first_still_trains_there_is_hope() -> None:
    assert not after(SameFailure([]), [None, *["ValueError: no"] * PATIENCE]).hopeless


def test_the_seeds_of_one_configuration_are_one() -> None:
    failure, told = SameFailure([]), []
    for number in range(3 * PATIENCE):
        seed = replace(record(number, "ValueError: no"), configuration_id=f"c{number // PATIENCE}")
        failure.trial_started(seed)
        failure.trial_ended(seed)
        told.append(failure.hopeless)
    assert told.index(True) == 2 * PATIENCE  # with the third configuration's first seed
    assert after(SameFailure([], configurations=1), ["ValueError: no"] * PATIENCE).hopeless


def test_where_any_trial_has_trained_there_is_hope() -> None:
    errors: list[str | None] = ["ValueError: no"] * PATIENCE
    assert not after(SameFailure([record(99, epochs=1)]), errors).hopeless
    failure = SameFailure([])
    failure.epoch_told(record(0), {})
    assert not after(failure, errors).hopeless
