import pytest

from search_spaces.errors import SpecError
from search_spaces.overrides import apply_overrides, mark_overridden


def test_values_are_read_as_yaml() -> None:
    changed, paths = apply_overrides({}, ["space.lr=1e-3", "a={b: [1, x]}", "c=none", "d=parquet:../x", "e=k=v"])
    assert changed == {
        "space": {"lr": 1e-3},
        "a": {"b": [1, "x"]},
        "c": "none",
        "d": "parquet:../x",
        "e": "k=v",
    }
    assert paths == ["space.lr", "a", "c", "d", "e"]


def test_the_last_override_of_a_key_wins_and_its_neighbours_stay() -> None:
    changed, _ = apply_overrides({"search": {"trials": 1, "seed": 2}}, ["search.trials=5", "search.trials=6"])
    assert changed == {"search": {"trials": 6, "seed": 2}}


def test_null_takes_a_key_out_but_where_it_is_a_value() -> None:
    mapping: dict[str, object] = {"space": {"lr": 1, "eps": 2}, "trial_timeout": 60, "a": 1}
    overrides = ["space.lr=null", "trial_timeout=null", "no.such=null", "a="]
    changed, _ = apply_overrides(mapping, overrides, may_be_null=("trial_timeout",))
    assert changed == {"space": {"eps": 2}, "trial_timeout": None, "a": None}


def test_an_override_makes_the_mappings_on_its_way() -> None:
    assert apply_overrides({"space": None}, ["space.lr.uniform=[1, 2]"])[0] == {"space": {"lr": {"uniform": [1, 2]}}}


def test_all_bad_overrides_are_listed() -> None:
    with pytest.raises(SpecError) as refusal:
        apply_overrides({"epochs": 3}, ["epochs", "=1", "epochs.x=1", "a=[", "fine=1"])
    lines = str(refusal.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("--set ") for line in lines)


def test_only_lines_about_an_overridden_key_are_marked() -> None:
    lines = ["space.lr.uniform: bad", "space.lrx: bad", "space.lr[0]: bad", "space.lr: bad", "space: bad"]
    assert mark_overridden(lines, ["space.lr"]) == [
        "--set space.lr.uniform: bad",
        "space.lrx: bad",
        "--set space.lr[0]: bad",
        "--set space.lr: bad",
        "space: bad",
    ]
