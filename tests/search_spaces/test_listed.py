"""Configurations written one by one."""

import pytest

from search_spaces.errors import SpecError
from search_spaces.listed import resolve_listed
from search_spaces.space import SearchSpace


def test_what_a_configuration_leaves_open_is_as_the_space_fixes_it() -> None:
    space = SearchSpace.parse({"lr": {"choice": [0.01]}, "augment": "crop-flip"})
    first, second = resolve_listed([{"drop_rate": 0.5}, {"lr": 0.1, "augment": "none"}], space)
    assert (first["lr"], first["drop_rate"], first["augment"], first["flip_prob"]) == (0.01, 0.5, "crop-flip", 0.5)
    assert (second["lr"], second["augment"], second["flip_prob"]) == (0.1, "none", 0.0)
    # A configuration in full, as the tables hold it, is one, too.
    assert resolve_listed([first, second], SearchSpace({})) == [first, second]


def test_every_mistake_has_its_line_and_key() -> None:
    space = SearchSpace.parse({"lr": {"choice": [0.1, 0.2]}})
    with pytest.raises(SpecError) as raised:
        resolve_listed([{"drop_rate": 2}, 7, {"lrr": 0.1}, {"lr": {"choice": [0.1]}}], space)
    lines = str(raised.value).splitlines()
    starts = ["space.lr: ", "configurations.0.drop_rate: ", "configurations.1: ", "configurations.2.lrr: "]
    assert [line.partition(": ")[0] + ": " for line in lines] == [*starts, "configurations.3.lr: "]
    assert "did you mean configurations.2.lr?" in lines[3]


def test_the_same_twice_and_none_at_all_are_refused() -> None:
    with pytest.raises(SpecError, match=r"configurations\.1: .* the same as configurations\.0"):
        resolve_listed([{"lr": 0.001}, {"lr": 1e-3, "drop_rate": 0.0}], SearchSpace.parse({"drop_rate": 0.0}))
    with pytest.raises(SpecError, match="at least one"):
        resolve_listed([], SearchSpace({}))
