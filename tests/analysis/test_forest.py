"""The differences between settings as a figure, on recorded curves and on planted ones."""

from pathlib import Path
from random import Random

import analysis
from analysis import figures
from analysis.figures.forest import differences
from tests.planted_sweep import epoch, trial, write_sweep

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"


def planted(folder: Path, effect: float, replicates: int) -> analysis.Results:
    """Two augmentations and two drop rates; augmentation lowers the loss by `effect`."""
    random = Random(0)
    trials = [
        trial(
            [epoch(1.5 - effect * (augment == "full") + random.gauss(0, 0.005), 1.0, 0.5)] * 2,
            augment=augment,
            drop_rate=drop_rate,
            replicate=replicate,
        )
        for augment in ("none", "full")
        for drop_rate in (0.0, 0.5)
        for replicate in range(replicates)
    ]
    space = {"augment": {"choice": ["none", "full"]}, "drop_rate": {"choice": [0.0, 0.5]}}
    return analysis.load(write_sweep(folder, trials, space=space))


def test_each_level_stands_against_the_one_that_the_spec_names_first(tmp_path: Path) -> None:
    results = planted(tmp_path / "a", 0.2, 4)
    table = differences(results)
    assert table["label"].unique().tolist() == ["drop_rate 0.5 against 0", "augment full against none"]
    sure = table[table["measure"] == "val_loss"].set_index("label")["sure"]
    assert sure.to_dict() == {"drop_rate 0.5 against 0": False, "augment full against none": True}
    said = figures.forest_sentence(results)
    assert said.startswith("augment full against none: validation loss −0.199 nats (−0.207 nats to −0.190 nats)")
    assert "the largest of 1 sure ones among 2. Coloured: sure at 5 % for all 4 differences together" in said
    drawn = figures.forest(results)
    assert [len(trace.x) for trace in drawn.data] == [2, 2]
    assert drawn.layout.yaxis.ticktext == ("drop_rate 0.5 against 0", "augment full against none")


def test_all_permutations_stand_against_the_order_that_they_are_of(tmp_path: Path) -> None:
    trials = [
        trial([epoch(1.5 + 0.01 * seed, 1.0, 0.5)], layer_order=order, replicate=seed)
        for order in ("bdlr", "ldbr", "lbrd")
        for seed in range(3)
    ]
    results = analysis.load(write_sweep(tmp_path / "a", trials, space={"layer_order": {"permutations": "lbrd"}}))
    assert differences(results)["b"].unique().tolist() == ["lbrd"]
    assert figures.order_heatmap_sentence(results).startswith("Each against lbrd at the same drop rate")


def test_however_many_levels_all_are_compared_and_the_first_are_drawn(tmp_path: Path) -> None:
    orders = [f"{order}{'x' * copy}" for copy in range(3) for order in ("lbrd", "ldbr", "lrdb", "blrd", "rlbd", "lbdr")]
    rates = [rate / 50 for rate in range(30)]
    trials = [
        trial([epoch(1.5 + 0.01 * seed + 0.001 * rate, 1.0, 0.5)], layer_order=order, drop_rate=rate, replicate=seed)
        for order in orders
        for rate in rates
        for seed in range(2)
    ]
    space = {"layer_order": {"choice": orders}, "drop_rate": {"choice": rates}}
    results = analysis.load(write_sweep(tmp_path / "a", trials, space=space))
    table = differences(results)
    assert table.groupby(["factor", "measure"]).size().to_dict() == {
        ("drop_rate", "gap_loss"): 29, ("drop_rate", "val_loss"): 29,
        ("layer_order", "gap_loss"): 17, ("layer_order", "val_loss"): 17,
    }  # fmt: skip
    assert [len(trace.x) for trace in figures.forest(results).data] == [40, 40]
    assert "The first 40 of 46 are drawn." in figures.forest_sentence(results)


def test_one_setting_has_nothing_to_stand_against(tmp_path: Path) -> None:
    trials = [trial([epoch(1.5 + seed, 1.0, 0.5)], replicate=seed) for seed in range(3)]
    said = figures.forest_sentence(analysis.load(write_sweep(tmp_path / "a", trials)))
    assert said.startswith("Only one setting was tried")


def test_without_an_effect_nothing_is_sure(tmp_path: Path) -> None:
    said = figures.forest_sentence(planted(tmp_path / "a", 0.0, 4))
    assert said.startswith("No setting differs for sure")


def test_one_replicate_and_a_search_leave_nothing_to_draw(tmp_path: Path) -> None:
    for results in (planted(tmp_path / "a", 0.2, 1), analysis.load(CURVES / "cifar10-cnn")):
        assert "two or more replicates" in figures.forest(results).layout.meta["empty"]


def test_many_numbers_are_written_short() -> None:
    labels = differences(analysis.load(CURVES / "cifar10-mlp"))["label"].tolist()
    assert "lr 0.000316 against 0.0001" in labels
