import random

import pytest

from search_spaces.domains import Choice, Domain, Fixed, IntRange, Value
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.space import SearchSpace

MIXED = {
    "layer_order": {"permutations": "lbrd"},
    "lr": {"loguniform": [1e-4, 1e-1], "points": 4},
    "augment": {"choice": ["none", "crop-flip", "full"]},
    "drop_rate": 0.2,
    "crop_padding": {"int": [2, 4]},
}
ENDLESS = MIXED | {"lr": {"loguniform": [1e-4, 1e-1]}, "momentum": {"uniform": [0.05, 0.3]}}


def test_cardinality_is_the_number_of_different_grid_points_for_random_spaces() -> None:
    rng = random.Random(5)
    names = [name for name in MIXED if name != "layer_order"] + ["hue", "batch_size"]
    for _ in range(50):
        domains: dict[str, Domain] = {}
        for name in rng.sample(names, rng.randint(0, len(names))):
            entry = HYPERPARAMETERS[name]
            if entry.kind == "str":
                domains[name] = Choice(tuple(rng.sample(entry.strings, rng.randint(1, 3))))
            elif entry.kind == "int":
                domains[name] = IntRange(2, rng.randint(2, 5))
            else:
                domains[name] = Choice(tuple(rng.sample([0.1, 0.2, 0.3, 0.4], rng.randint(1, 3))))
        space = SearchSpace(domains)
        grid = space.grid()
        assert space.cardinality == len(grid) == len({tuple(point.items()) for point in grid})


def test_an_empty_space_is_the_one_configuration_of_all_defaults() -> None:
    space = SearchSpace({})
    assert space.cardinality == 1
    (only,) = space.grid()
    assert list(only) == list(HYPERPARAMETERS)
    assert (only["lr"], only["layer_order"], only["batch_size"], only["flip_prob"]) == (1e-3, "lbrd", 100, 0.0)


def test_the_grid_is_the_same_however_the_keys_are_ordered() -> None:
    reordered = dict(reversed(MIXED.items()))
    assert SearchSpace.parse(MIXED).grid() == SearchSpace.parse(reordered).grid()
    assert len(SearchSpace.parse(MIXED).grid()) == 24 * 4 * 3 * 3


def test_samples_follow_the_seed_and_nothing_else() -> None:
    def draw(raw: dict[str, object], seed: int) -> list[dict[str, Value]]:
        rng = random.Random(seed)
        return [SearchSpace.parse(raw).sample(rng) for _ in range(20)]

    assert draw(ENDLESS, 1) == draw(dict(reversed(ENDLESS.items())), 1)
    assert draw(ENDLESS, 1) != draw(ENDLESS, 2)


def test_a_continuous_space_has_no_cardinality_and_its_grid_names_the_keys_and_the_way_out() -> None:
    space = SearchSpace.parse(ENDLESS)
    assert space.cardinality is None
    with pytest.raises(SpecError) as refusal:
        space.grid()
    lines = str(refusal.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["space.lr", "space.momentum"]
    assert all("points" in line for line in lines)


def test_searched_leaves_out_what_has_one_value() -> None:
    space = SearchSpace({"lr": Fixed(0.1), "augment": Choice(("none",)), "hue": Choice((0.1, 0.2))})
    assert list(space.searched) == ["hue"]


def test_a_domain_of_one_value_fixes_it() -> None:
    raw = {"lr": {"choice": [0.01]}, "layer_order": {"permutations": "l"}, "drop_rate": {"uniform": [0, 0.5]}}
    configuration = SearchSpace.parse(raw).resolve({"drop_rate": 0.2})
    assert (configuration["lr"], configuration["layer_order"], configuration["drop_rate"]) == (0.01, "l", 0.2)


def test_resolve_is_idempotent_and_complete_for_random_samples() -> None:
    space = SearchSpace.parse(ENDLESS)
    rng = random.Random(6)
    for _ in range(200):
        configuration = space.sample(rng)
        assert list(configuration) == list(HYPERPARAMETERS)
        assert space.resolve(configuration) == configuration
        assert SearchSpace({}).resolve(configuration) == configuration
        for name, value in configuration.items():
            assert type(value).__name__ == HYPERPARAMETERS[name].kind


def test_strengths_come_from_the_preset_unless_they_are_given() -> None:
    full = SearchSpace({}).resolve({"augment": "full", "flip_prob": 0.1, "hue": None})
    assert (full["crop_padding"], full["flip_prob"], full["brightness"], full["hue"]) == (4, 0.1, 0.2, 0.1)
    plain = SearchSpace({"brightness": Fixed(0.3)}).resolve({})
    assert (plain["augment"], plain["brightness"], plain["crop_padding"]) == ("none", 0.3, 0)


def test_resolve_takes_fixed_values_from_the_space_and_wants_the_searched_ones() -> None:
    space = SearchSpace.parse({"drop_rate": 0.4, "lr": {"uniform": [0.1, 0.2]}})
    assert space.resolve({"lr": 0.15})["drop_rate"] == 0.4
    with pytest.raises(SpecError, match=r"^lr: missing"):
        space.resolve({})


def test_resolve_refuses_unknown_names_and_values_out_of_bounds() -> None:
    with pytest.raises(SpecError) as refusal:
        SearchSpace({}).resolve({"droprate": 0.1, "lr": -1, "layer_order": "ll"})
    assert [line.split(":")[0] for line in str(refusal.value).splitlines()] == ["droprate", "lr", "layer_order"]
