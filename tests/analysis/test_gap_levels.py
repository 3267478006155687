"""The gap by the levels of a factor, against numbers worked out by hand."""

from pathlib import Path

import pytest
from planted_sweep import epoch, trial, write_sweep

import analysis

NAN = float("nan")


def factorial(tmp_path: Path, gap: dict[tuple[str, float], list[float]]) -> analysis.Results:
    """Layer order × drop rate × replicates, one epoch, with these gaps."""
    trials = [
        trial([epoch(1.0 + g, 1.0, 0.5)], layer_order=order, drop_rate=rate, replicate=replicate)
        for (order, rate), gaps in gap.items()
        for replicate, g in enumerate(gaps)
    ]
    return analysis.load(write_sweep(tmp_path / "factorial", trials))


def test_in_a_full_factorial_an_interval_stands_on_the_replicates(tmp_path: Path):
    r = factorial(
        tmp_path,
        {("lbrd", 0.1): [0.1, 0.2], ("lbrd", 0.5): [0.3, 0.4], ("lrbd", 0.1): [0.5, 0.6], ("lrbd", 0.5): [0.7, 0.8]},
    )
    table = analysis.gaps_by(r, "layer_order").set_index("level")
    # Replicate means over the drop rates: 0.2 and 0.3, so mean 0.25, s = 0.0707107, t(0.975, 1) = 12.7062.
    row = table.loc["lbrd"]
    assert (row["n"], row["unit"], row["trials"], row["note"]) == (2, "replicates", 4, "")
    assert row["mean"] == pytest.approx(0.25)
    assert row["high"] - row["mean"] == pytest.approx(12.7062 * 0.0707107 / 2**0.5, rel=1e-4)
    assert table.loc["lrbd", "mean"] == pytest.approx(0.65)


def test_a_setting_without_a_value_somewhere_leaves_every_level(tmp_path: Path):
    r = factorial(
        tmp_path,
        {("lbrd", 0.1): [0.1, 0.2], ("lbrd", 0.5): [9.0, 9.0], ("lrbd", 0.1): [0.5, 0.6], ("lrbd", 0.5): [0.7, NAN]},
    )
    table = analysis.gaps_by(r, "layer_order").set_index("level")
    assert table["mean"].to_dict() == pytest.approx({"lbrd": 0.15, "lrbd": 0.55})
    assert table["trials"].tolist() == [2, 2]
    assert set(table["note"]) == {"2 of 4 trials left out"}


@pytest.mark.parametrize(("mode", "unit"), [("study", "replicates"), ("search", "configurations")])
def test_a_study_is_paired_over_what_all_levels_have_met_while_it_runs(tmp_path: Path, mode: str, unit: str):
    trials = [
        trial([epoch(1.0 + gap + replicate / 100, 1.0, 0.5)], layer_order=order, drop_rate=rate, replicate=replicate)
        for (order, rate), gap in {("lbrd", 0.1): 0.1, ("lrbd", 0.1): 0.3, ("lbrd", 0.5): 0.9}.items()
        for replicate in range(3)
    ]
    table = analysis.compare(
        analysis.load(write_sweep(tmp_path / "s", trials, spec={"mode": mode})), "layer_order", "gap_loss"
    )
    assert table["unit"].tolist() == [unit]
    assert table["difference"].tolist() == pytest.approx([-0.2 if mode == "study" else 0.2])


def test_settings_in_which_the_factor_changes_nothing_do_not_dilute_it(tmp_path: Path):
    gaps = {("lbrd", 0.0): 0.9, ("lbrd", 0.5): 0.2, ("lbr", 0.0): 0.9, ("lbr", 0.5): 0.9}
    r = factorial(tmp_path, {at: [gap, gap + 0.01] for at, gap in gaps.items()})
    table = analysis.compare(r, "drop_rate", "gap_loss")
    assert table["difference"].tolist() == pytest.approx([0.7])
    assert set(analysis.gaps_by(r, "drop_rate")["note"]) == {"2 of 4 trials left out"}


def test_a_derived_factor_says_in_what_else_its_levels_differ(tmp_path: Path):
    r = factorial(tmp_path, {("lbrd", 0.5): [0.9, 1.0], ("lbr", 0.5): [1.6, 1.7], ("lrd", 0.5): [1.1, 1.2]})
    table = analysis.gaps_by(r, "has_bn").set_index("level")
    assert table["mean"].to_dict() == pytest.approx({"yes": 1.3, "no": 1.15})
    assert set(table["note"]) == {"the levels also differ in has_dropout"}
    assert set(analysis.gaps_by(r, "layer_order")["note"]) == {""}


def test_one_study_on_two_search_seeds_has_the_seeds_of_both(tmp_path: Path):
    folders = [
        write_sweep(
            tmp_path / f"s{seed}",
            [
                trial([epoch(1 + gap + replicate / 100 + seed / 10, 1, 0.5)], layer_order=order, replicate=replicate)
                for order, gap in (("lbrd", 0.1), ("lrbd", 0.3))
                for replicate in range(replicates)
            ],
            spec={"mode": "study", "epochs": 1, "replicates": replicates, "search": {"seed": seed}},
        )
        for seed, replicates in ((0, 2), (1, 3))
    ]
    table = analysis.compare(analysis.load(folders), "layer_order", "gap_loss")
    assert (table["n"].tolist(), table["unit"].tolist()) == ([5], ["replicates"])
    assert table["difference"].tolist() == pytest.approx([-0.2])


def test_replicates_are_no_factor(tmp_path: Path):
    r = factorial(tmp_path, {("lbrd", 0.1): [0.1, 0.2]})
    with pytest.raises(ValueError, match="differences are paired over replicates; choose a hyper-parameter"):
        analysis.gaps_by(r, "replicate")


def test_one_replicate_has_no_interval_and_says_so(tmp_path: Path):
    r = factorial(tmp_path, {("lbrd", 0.1): [0.1], ("lrbd", 0.1): [0.5]})
    table = analysis.gaps_by(r, "layer_order")
    assert table["n"].tolist() == [1, 1]
    assert table["low"].isna().all()
    assert set(table["note"]) == {"n = 1: no interval"}


def test_settings_that_were_not_tried_equally_count_configurations_not_trials(tmp_path: Path):
    r = factorial(tmp_path, {("lbrd", 0.1): [0.1, 0.3], ("lbrd", 0.2): [0.4, 0.4], ("lrbd", 0.5): [0.7, 0.9]})
    table = analysis.gaps_by(r, "layer_order").set_index("level")
    assert table["unit"].unique().tolist() == ["configurations"]
    assert table["n"].to_dict() == {"lbrd": 2, "lrbd": 1}
    assert table["mean"].to_dict() == pytest.approx({"lbrd": 0.3, "lrbd": 0.8})


def test_a_number_with_many_values_is_cut_at_its_median(tmp_path: Path):
    trials = [trial([epoch(1 + k / 10, 1, 0.5)], lr=10.0 ** -(k / 2)) for k in range(8)]
    drawn = write_sweep(tmp_path / "s", trials, space={"lr": {"loguniform": [1e-4, 1]}})
    table = analysis.gaps_by(analysis.load(drawn), "lr")
    assert table["level"].tolist() == ["0.000316 to 0.01", "0.0316 to 1"]
    assert table["mean"].tolist() == pytest.approx([0.55, 0.15])
    assert table["n"].tolist() == [4, 4]


def test_where_most_have_the_highest_value_the_others_are_the_lower_half(tmp_path: Path):
    listed = [8, 16, 32, 64, 128, 256, 512, 512, 512, 512, 512, 512, 512, 512]
    trials = [trial([epoch(1 + k / 100, 1, 0.5)], drop_rate=k / 100, batch_size=b) for k, b in enumerate(listed)]
    space = {"batch_size": {"uniform": [8, 512]}}
    table = analysis.gaps_by(analysis.load(write_sweep(tmp_path / "s", trials, space=space)), "batch_size")
    assert table["level"].tolist() == ["8 to 256", "512 to 512"]
    assert table["n"].tolist() == [6, 8]


def test_one_lost_seed_costs_its_pair_and_not_the_pairing(tmp_path: Path):
    lost = [
        trial([epoch(1.1 + r / 10, 1, 0.5)] if (order, r) != ("lrbd", 1) else [], layer_order=order, replicate=r,
              status="FAILED" if (order, r) == ("lrbd", 1) else "COMPLETED")
        for order in ("lbrd", "lrbd")
        for r in range(3)
    ]  # fmt: skip
    table = analysis.gaps_by(analysis.load(write_sweep(tmp_path / "s", lost)), "layer_order").set_index("level")
    assert table["unit"].unique().tolist() == ["replicates"]
    assert table["n"].to_dict() == {"lbrd": 3, "lrbd": 2}
    (row,) = analysis.compare(analysis.load(tmp_path / "s"), "layer_order", "gap_loss").to_dict("records")
    assert (row["n"], row["difference"]) == (2, pytest.approx(0))


def test_a_level_of_several_orders_lacks_a_seed_that_one_of_them_lost(tmp_path: Path):
    gap = {"lbrd": 0.1, "lrbd": 0.5, "ldbr": 0.2}
    trials = [
        trial([epoch(float("nan") if (order, r) == ("lrbd", 1) else 1 + g + r / 10, 1, 0.5)], layer_order=order,
              replicate=r)
        for order, g in gap.items()
        for r in range(3)
    ]  # fmt: skip
    results = analysis.load(write_sweep(tmp_path / "s", trials))
    (row,) = analysis.compare(results, "bn_before_dropout", "gap_loss").to_dict("records")
    # With lbrd alone in one of three replicates, the mean of "yes" would depend on which seed was lost.
    assert (row["unit"], row["n"]) == ("replicates", 2)
    assert row["difference"] == pytest.approx(0.2 - 0.3)


def test_an_order_that_every_seed_lost_leaves_the_others_of_its_level(tmp_path: Path):
    gap = {"lbrd": 0.1, "lrbd": float("nan"), "ldbr": 0.2}
    trials = [
        trial([epoch(1 + g + r * r / 100 * (order == "ldbr"), 1, 0.5)], layer_order=order, replicate=r)
        for order, g in gap.items()
        for r in range(3)
    ]
    results = analysis.load(write_sweep(tmp_path / "s", trials))
    (row,) = analysis.compare(results, "bn_before_dropout", "gap_loss").to_dict("records")
    assert (row["unit"], row["n"]) == ("replicates", 3)
    assert row["difference"] == pytest.approx(0.1 + 0.05 / 3)


def test_where_no_seed_is_whole_configurations_count(tmp_path: Path):
    lost = {("lbrd", 0), ("lrbd", 1)}
    trials = [
        trial([epoch(float("nan") if (order, r) in lost else 1.1 + r / 10, 1, 0.5)], layer_order=order, replicate=r)
        for order in ("lbrd", "lrbd", "ldbr")
        for r in range(2)
    ]
    table = analysis.gaps_by(analysis.load(write_sweep(tmp_path / "s", trials)), "bn_before_dropout")
    assert table.set_index("level")["n"].to_dict() == {"no": 1, "yes": 2}
    assert set(table["unit"]) == {"configurations"}


def test_derived_booleans_are_factors_and_na_is_no_level(tmp_path: Path):
    orders = {"lbrd": 0.1, "lrbd": 0.2, "ldbr": 0.5, "lrd": 9.0}
    trials = [trial([epoch(1 + g, 1, 0.5)], layer_order=order) for order, g in orders.items()]
    table = analysis.gaps_by(analysis.load(write_sweep(tmp_path / "s", trials)), "bn_before_dropout").set_index("level")
    assert table["mean"].to_dict() == pytest.approx({"no": 0.5, "yes": 0.15})


def test_by_configuration_the_replicates_count(tmp_path: Path):
    r = factorial(tmp_path, {("lbrd", 0.1): [0.1, 0.3], ("lrbd", 0.5): [0.7, 0.9]})
    table = analysis.gaps_by(r, "configuration_id")
    assert table["n"].tolist() == [2, 2]
    assert sorted(table["mean"]) == pytest.approx([0.2, 0.8])


def test_the_parts_of_the_decomposition_are_compared_like_any_measure(tmp_path: Path):
    trials = [
        trial([epoch(1.5, 1.0, 0.5, train_mode_loss=1.0 + harder + 0.01 * k)] * 2, layer_order=order, replicate=k)
        for order, harder in (("lbrd", 0.3), ("ldbr", 0.1))
        for k in range(3)
    ]
    results = analysis.load(write_sweep(tmp_path / "s", trials))
    for at in ("matched", "best", "last"):
        levels = analysis.gaps_by(results, "layer_order", at, value="regularisation").set_index("level")
        assert levels["mean"].to_dict() == pytest.approx({"lbrd": -0.31, "ldbr": -0.11})
        assert levels["unit"].eq("replicates").all()
    (pair,) = analysis.compare(results, "layer_order", "regularisation", baseline="lbrd").to_dict("records")
    assert pair["difference"] == pytest.approx(0.2)
