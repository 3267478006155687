"""Each rule on hand-made curves, with the epoch at which it fires and its value worked out by hand."""

from typing import Any

import pytest

from sweep.stopping.divergence import Divergence
from sweep.stopping.early_stopping import EarlyStopping
from sweep.stopping.gap import GapRule
from sweep.stopping.generalization_loss import GeneralizationLoss
from sweep.stopping.plateau import Plateau
from sweep.stopping.progress_quotient import ProgressQuotient
from sweep.stopping.rule import StopRule
from sweep.stopping.successive_rises import SuccessiveRises


def curve(**columns: list[float]) -> list[dict[str, Any]]:
    """Rows from epoch 1 on; what is not given is 1."""
    length = len(next(iter(columns.values())))
    flat = {name: [1.0] * length for name in ("train_loss", "train_eval_loss", "val_loss", "val_acc")}
    return [{"epoch": i + 1, **{name: values[i] for name, values in (flat | columns).items()}} for i in range(length)]


def fired(rule: StopRule, rows: list[dict[str, Any]]) -> tuple[int, float] | None:
    """The first epoch after which a rule fires, and its value."""
    for epoch in range(1, len(rows) + 1):
        value = rule.fires(rows[:epoch])
        if value is not None:
            return epoch, pytest.approx(value)
    return None


def test_gl_is_the_loss_above_its_best_in_percent() -> None:
    rows = curve(val_loss=[2.0, 1.0, 1.04, 1.06, 0.9])
    assert fired(GeneralizationLoss(alpha=5.0), rows) == (4, 6.0)
    assert fired(GeneralizationLoss(alpha=7.0), rows) is None
    assert fired(GeneralizationLoss(alpha=5.0, grace_period=5), rows) is None


def test_pq_divides_it_by_the_training_progress_at_the_end_of_strips() -> None:
    # Strip 2: GL = 10 %; progress = 1000 * (0.42 / (2 * 0.2) - 1) = 50 per mille.
    rows = curve(val_loss=[1.0, 1.0, 1.05, 1.1], train_loss=[1.0, 0.5, 0.22, 0.2])
    assert fired(ProgressQuotient(alpha=0.19, strip=2), rows) == (4, 0.2)
    assert fired(ProgressQuotient(alpha=0.21, strip=2), rows) is None
    assert fired(ProgressQuotient(alpha=0.01, strip=3), rows) is None  # epoch 3: GL 5 %, progress of 1,600 per mille


def test_pq_fires_where_training_stands_still_and_validation_got_worse() -> None:
    assert fired(ProgressQuotient(strip=2), curve(val_loss=[1.0, 1.1])) == (2, float("inf"))
    assert fired(ProgressQuotient(strip=2), curve(val_loss=[1.0, 1.0])) is None


def test_up_counts_strips_that_end_higher_than_the_one_before() -> None:
    rows = curve(val_loss=[1.0, 0.5, 9.0, 0.6, 0.1, 0.7, 0.2, 0.8])
    assert fired(SuccessiveRises(strips=2, strip=2), rows) == (6, 0.2)  # 0.5, 0.6, 0.7
    assert fired(SuccessiveRises(strips=4, strip=2), rows) is None
    level = curve(val_loss=[0.5, 0.5, 0.5, 0.5])
    assert fired(SuccessiveRises(strips=1, strip=1), level) is None


def test_the_gap_rule_wants_rising_validation_and_falling_training_loss() -> None:
    rule = GapRule(patience=2, grace_period=2, min_growth=0.1)
    val_loss = [1.0, 0.8, 0.85, 0.9, 1.0]
    assert fired(rule, curve(val_loss=val_loss, train_eval_loss=[0.9, 0.7, 0.6, 0.5, 0.4])) == (4, 0.3)
    # Both rise: it does not learn by heart. Only the training loss falls: it still learns.
    assert fired(rule, curve(val_loss=val_loss, train_eval_loss=[0.9, 0.7, 0.8, 0.9, 1.0])) is None
    assert fired(rule, curve(val_loss=[1.0, 0.8, 0.79, 0.78, 0.77], train_eval_loss=[0.9, 0.7, 0.5, 0.3, 0.1])) is None
    # Within the grace period, and below the least growth.
    late = GapRule(patience=2, grace_period=5, min_growth=0.1)
    assert fired(late, curve(val_loss=val_loss, train_eval_loss=[0.9, 0.7, 0.6, 0.5, 0.4])) == (5, 0.5)
    assert fired(GapRule(patience=2, grace_period=2, min_growth=1.0), curve(val_loss=val_loss)) is None


def test_plateau_wants_a_rise_above_the_earlier_best() -> None:
    rows = curve(val_acc=[0.1, 0.5, 0.505, 0.504, 0.52])
    assert fired(Plateau(patience=2, min_delta=0.01), rows) == (4, 0.005)
    assert fired(Plateau(patience=3, min_delta=0.01), rows) is None


def test_divergence_looks_at_the_training_loss() -> None:
    assert fired(Divergence(max_loss=50.0), curve(train_loss=[2.0, 60.0])) == (2, 60.0)
    assert fired(Divergence(max_loss=70.0), curve(train_loss=[2.0, 60.0])) is None


@pytest.mark.parametrize("name", ["train_loss", "train_eval_loss", "val_loss"])
@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_cuts_before_any_rule_looks(name: str, loss: float) -> None:
    stopping = EarlyStopping(None, [Plateau(patience=1), GeneralizationLoss(alpha=0.1)], epochs=9)
    verdict = stopping.told("t", "c", curve(**{name: [1.0, loss]}))
    assert (verdict.action, verdict.reason) == ("cut", "diverged")


def test_the_rule_that_cuts_names_itself_with_its_value() -> None:
    stopping = EarlyStopping(None, [GeneralizationLoss(alpha=5.0), Divergence(max_loss=50.0)], epochs=9)
    verdict = stopping.told("t", "c", curve(val_loss=[1.0, 1.5]))
    assert (verdict.action, verdict.reason, verdict.value) == ("cut", "gl", pytest.approx(50.0))
    assert stopping.told("t", "c", curve(val_loss=[1.0, 1.01])).action == "go on"


def test_a_rule_spares_nothing_at_the_last_epoch_but_divergence_is_told() -> None:
    stopping = EarlyStopping(None, [GeneralizationLoss(alpha=5.0), Divergence(max_loss=50.0)], epochs=2)
    assert stopping.told("t", "c", curve(val_loss=[1.0, 1.5])).action == "go on"
    assert stopping.told("t", "c", curve(train_loss=[1.0, 60.0])).reason == "diverged"
    assert stopping.told("t", "c", curve(val_loss=[1.0, float("nan")])).reason == "diverged"
