import math
from fractions import Fraction

import numpy as np
import pytest

from search_spaces.augment_presets import AUGMENT_PRESETS, STRENGTHS
from search_spaces.hyperparameters import HYPERPARAMETERS, Hyperparameter

NUMBERS = [entry for entry in HYPERPARAMETERS.values() if entry.kind != "str"]


@pytest.mark.parametrize("entry", NUMBERS, ids=lambda entry: entry.name)
def test_bounds_belong_to_the_interval_unless_they_are_open(entry: Hyperparameter) -> None:
    for bound, is_open, outwards in ((entry.low, entry.low_open, -1), (entry.high, entry.high_open, 1)):
        if math.isinf(bound):
            continue
        step = 1 if entry.kind == "int" else 1e-9
        for value, allowed in ((bound, not is_open), (bound - outwards * step, True), (bound + outwards * step, False)):
            if allowed:
                assert entry.check(value) == value
            else:
                with pytest.raises(ValueError, match="allowed"):
                    entry.check(value)


@pytest.mark.parametrize("entry", HYPERPARAMETERS.values(), ids=lambda entry: entry.name)
@pytest.mark.parametrize("value", [True, False, None, "0.1x", [], {}, math.nan, math.inf, -math.inf, 10**400, 1j])
def test_what_is_no_finite_number_or_known_word_is_refused(entry: Hyperparameter, value: object) -> None:
    with pytest.raises(ValueError, match="allowed"):
        entry.check(value)


@pytest.mark.parametrize("entry", HYPERPARAMETERS.values(), ids=lambda entry: entry.name)
def test_defaults_are_allowed_and_strengths_leave_theirs_to_the_preset(entry: Hyperparameter) -> None:
    if entry.name in STRENGTHS:
        assert entry.default is None
    else:
        assert entry.check(entry.default) == entry.default


def test_numbers_come_back_as_plain_int_and_float_whatever_they_came_as() -> None:
    for value in (1, 1.0, np.int64(1), np.float32(1), Fraction(1)):
        assert type(HYPERPARAMETERS["lr"].check(value)) is float
    for size in (8, 8.0, np.int32(8), np.float64(8)):
        assert type(HYPERPARAMETERS["batch_size"].check(size)) is int
    assert math.copysign(1, float(HYPERPARAMETERS["drop_rate"].check(-0.0))) == 1


def test_presets_name_every_strength_within_its_bounds_and_full_is_the_published_jitter() -> None:
    assert list(AUGMENT_PRESETS) == ["none", "crop-flip", "full"]
    for preset in AUGMENT_PRESETS.values():
        assert tuple(preset) == STRENGTHS
        assert {name: HYPERPARAMETERS[name].check(value) for name, value in preset.items()} == preset
        assert type(preset["crop_padding"]) is int
    assert set(AUGMENT_PRESETS["none"].values()) == {0}
    assert AUGMENT_PRESETS["full"] == dict(zip(STRENGTHS, (4, 0.5, 0.2, 0.2, 0.2, 0.1), strict=True))
