"""Intervals of Student and Welch, against the textbook and scipy."""

import numpy as np
import pytest

from analysis.intervals import t_interval, welch_interval

NAN = float("nan")


def test_the_t_interval_is_the_textbook_one():
    # mean 2, s = 1, t(0.975, 2) = 4.302653
    i = t_interval([1.0, 2.0, 3.0, NAN])
    assert (i.n, i.mean) == (3, 2.0)
    assert (i.low, i.high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-6)
    assert t_interval([5.0]).n == 1
    assert np.isnan(t_interval([5.0]).low)
    assert t_interval([]).n == 0


def test_values_that_are_all_alike_but_not_zero_have_no_interval():
    i = t_interval([0.1 + 0.2, 0.3])  # equal up to rounding
    assert (i.n, i.has_bounds, i.excludes_zero) == (2, False, False)
    assert (t_interval([0.0, 0.0]).low, t_interval([0.0, 0.0]).p) == (0.0, 1.0)
    i = welch_interval([0.9, 0.9], [0.8, 0.8])
    assert (i.n, i.has_bounds) == (2, False)
    assert i.mean == pytest.approx(0.1)


def test_welch_s_interval_agrees_with_scipy():
    from scipy.stats import ttest_ind

    a, b = [1.0, 2.0, 4.0, 4.5], [0.1, 0.2, 0.4]
    reference = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    i = welch_interval(a, b)
    assert (i.low, i.high) == pytest.approx((reference.low, reference.high))
