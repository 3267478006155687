import math
import random
from itertools import pairwise

import pytest
from scipy import stats

from search_spaces.domains import Choice, Domain, Fixed, IntRange, LogUniform, Uniform, parse_domain
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.layer_order import VALID_ORDERS


def parse(name: str, raw: object) -> Domain:
    return parse_domain(f"space.{name}", raw, HYPERPARAMETERS[name])


def test_each_way_of_writing_gives_its_domain() -> None:
    assert parse("lr", 1) == Fixed(1.0)
    assert parse("drop_rate", {"uniform": [0, 0.5]}) == Uniform(0.0, 0.5)
    assert parse("lr", {"loguniform": [1e-4, 1]}) == LogUniform(1e-4, 1.0)
    assert parse("crop_padding", {"int": [0, 4]}) == IntRange(0, 4)
    assert parse("augment", {"choice": ["full", "none"]}) == Choice(("full", "none"))
    assert parse("layer_order", {"permutations": "dlrb"}) == Choice(
        tuple(sorted(o for o in VALID_ORDERS if len(o) == 4))
    )


def test_sizes_count_values_and_continuous_ranges_have_none() -> None:
    assert Fixed(1).size == 1
    assert IntRange(2, 5).size == len(IntRange(2, 5).values()) == 4
    assert Choice(("a", "b")).size == 2
    assert Uniform(0, 1).size is None
    assert LogUniform(1, 2).size is None


def test_samples_stay_within_their_bounds_for_random_ranges() -> None:
    rng = random.Random(1)
    for _ in range(300):
        low = 10 ** rng.uniform(-8, 2)
        high = low * (1 + 10 ** rng.uniform(-15, 6))
        for domain in (Uniform(low, high), LogUniform(low, high)):
            assert all(low <= domain.sample(rng) <= high for _ in range(20))
            assert low <= domain.at(math.nextafter(1.0, 0.0)) <= high
        whole = IntRange(rng.randint(-5, 5), rng.randint(6, 9))
        assert all(whole.sample(rng) in whole.values() for _ in range(20))


def test_evenly_spread_parts_give_evenly_spread_values() -> None:
    parts = [0.0, 0.25, 0.5, 0.75, math.nextafter(1.0, 0.0)]
    assert [Uniform(1, 3).at(part) for part in parts[:4]] == [1.0, 1.5, 2.0, 2.5]
    assert [LogUniform(1e-4, 1.0).at(part) for part in parts[:4]] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert [IntRange(3, 6).at(part) for part in parts] == [3, 4, 5, 6, 6]
    assert [Choice(("a", "b")).at(part) for part in parts] == ["a", "a", "b", "b", "b"]
    assert Fixed(7).at(0.5) == 7


def test_every_value_of_a_finite_domain_is_drawn_alike() -> None:
    rng = random.Random(2)
    for domain in (IntRange(3, 8), Choice(tuple("abcdef"))):
        drawn = [domain.sample(rng) for _ in range(6000)]
        counts = [drawn.count(value) for value in domain.values()]
        assert stats.chisquare(counts).pvalue > 0.001


def test_loguniform_is_uniform_in_the_logarithm_and_uniform_is_not() -> None:
    rng = random.Random(3)
    low, high = 1e-4, 1e-1

    def distance_from_loguniform(domain: Uniform | LogUniform) -> float:
        drawn = [math.log(domain.sample(rng)) for _ in range(5000)]
        return float(stats.kstest(drawn, "uniform", args=(math.log(low), math.log(high / low))).pvalue)

    assert distance_from_loguniform(LogUniform(low, high)) > 0.01
    assert distance_from_loguniform(Uniform(low, high)) < 1e-6


def test_points_include_both_ends_exactly_and_are_evenly_spaced() -> None:
    rng = random.Random(4)
    for _ in range(200):
        low = rng.uniform(0.001, 1)
        high = low + rng.uniform(0.01, 50)
        points = rng.randint(2, 30)
        for kind, scale in (("uniform", float), ("loguniform", math.log)):
            domain = parse("lr", {kind: [low, high], "points": points})
            assert isinstance(domain, Choice)
            values = [float(value) for value in domain.values()]
            assert (len(values), values[0], values[-1]) == (points, low, high)
            steps = [scale(b) - scale(a) for a, b in pairwise(values)]
            assert max(steps) - min(steps) < 1e-8


def test_points_carry_no_rounding_noise() -> None:
    assert parse("lr", {"loguniform": [1e-4, 1e-1], "points": 4}) == Choice((1e-4, 1e-3, 1e-2, 1e-1))
    assert parse("drop_rate", {"uniform": [0, 0.6], "points": 7}) == Choice((0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
    assert parse("crop_padding", {"int": [0, 8], "points": 3}) == Choice((0, 4, 8))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("lr", {"uniform": [0, 1]}),
        ("lr", {"choice": [0.1, -0.1]}),
        ("lr", {"uniform": [True, 2]}),
        ("drop_rate", {"uniform": [0.0, 1.0], "points": 3}),
        ("crop_padding", {"int": [0, 17]}),
        ("crop_padding", {"int": [0.5, 3]}),
        ("batch_size", {"choice": [1]}),
        ("layer_order", {"choice": ["lbrd", "bd"]}),
        ("augment", {"choice": ["none", 3]}),
    ],
)
def test_every_value_of_a_domain_must_lie_within_the_hyperparameters_bounds(name: str, raw: object) -> None:
    with pytest.raises(SpecError, match=rf"^space\.{name}\.\w+.*got .*allowed: "):
        parse(name, raw)


def test_a_reversed_range_says_which_end_is_which_and_what_to_do() -> None:
    with pytest.raises(SpecError) as refusal:
        parse("lr", {"loguniform": [0.1, 0.01]})
    start = "space.lr.loguniform: low 0.1 is above high 0.01; swap them or widen the range"
    assert str(refusal.value).startswith(start)


def test_a_range_too_narrow_for_its_points_is_refused() -> None:
    with pytest.raises(SpecError, match="not so many different values"):
        parse("lr", {"uniform": [1.0, math.nextafter(1.0, 2)], "points": 3})
