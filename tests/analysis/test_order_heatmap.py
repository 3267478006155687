"""Layer orders against drop rates, on recorded curves and planted ones."""

from pathlib import Path
from random import Random

import analysis
from analysis import figures
from analysis.figures.order_heatmap import order_differences
from tests.planted_sweep import epoch, trial, write_sweep

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"


def test_an_order_that_harms_at_one_drop_rate_only_stands_out_there(tmp_path: Path) -> None:
    random = Random(0)
    trials = [
        trial(
            [epoch(1.2 + 0.1 * (order == "ldbr" and rate == 0.5) + random.gauss(0, 0.004), 1.0, 0.5)],
            layer_order=order,
            drop_rate=rate,
            replicate=replicate,
        )
        for order in ("lbrd", "lrbd", "ldbr")
        for rate in (0.2, 0.5)
        for replicate in range(5)
    ]
    space = {"layer_order": {"choice": ["lrbd", "lbrd", "ldbr"]}, "drop_rate": {"choice": [0.2, 0.5]}}
    results = analysis.load(write_sweep(tmp_path / "a", trials, space=space))
    table = order_differences(results)
    assert set(table["b"]) == {"lrbd"}  # the one that the space names first
    assert table.loc[table["sure"], ["a", "drop_rate"]].to_numpy().tolist() == [["ldbr", 0.5]]
    drawn = figures.order_heatmap(results).data[0]
    assert drawn.y == ("lbrd", "ldbr")
    assert drawn.z.shape == (2, 2)
    assert drawn.text[1][1].endswith("*")
    said = figures.order_heatmap_sentence(results)
    assert "1 of 4 differences are sure at 5 % (Holm; starred), the largest ldbr at drop rate 0.5 with +0.1" in said


def test_recorded_orders_with_dropout_differ_more_the_more_is_dropped() -> None:
    table = order_differences(analysis.load(CURVES / "cifar10-mlp")).set_index("drop_rate")
    assert table["difference"].is_monotonic_increasing
    assert table["sure"].tolist() == [False, False, True, True]


def test_without_replicates_there_is_nothing_to_compare() -> None:
    drawn = figures.order_heatmap(analysis.load(CURVES / "cifar10-mlp-wide"))
    assert "two or more replicates" in drawn.layout.meta["empty"]
