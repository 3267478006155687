"""Figures of what a search did, on planted sweeps: best so far, rungs, slices."""

from datetime import timedelta
from pathlib import Path

import pytest
from planted_sweep import START, epoch, trial, write_sweep

import analysis
from analysis import figures
from search_spaces.layer_order import VALID_ORDERS

CURVES = Path(__file__).parents[2] / "benchmarks" / "curves"


def test_best_so_far_counts_seconds_and_the_epochs_of_all_trials(tmp_path: Path) -> None:
    # Two trials at once, an epoch every 10 s each; those of the first end first in the table.
    trials = [
        trial([epoch(1.0, 1.0, acc) for acc in (0.30, 0.40, 0.398)]),
        trial([epoch(1.0, 1.0, acc) for acc in (0.35, 0.397, 0.38)], drop_rate=0.5),
    ]
    results = analysis.load(write_sweep(tmp_path / "a", trials))
    assert figures.best_so_far_sentence(results) == (
        "The best validation accuracy, 0.4000, came after 20 s and 3 of 6 epochs; the best before was more than half a "
        "point lower."
    )
    by_time, by_epochs = figures.best_so_far(results).data
    assert by_time.y[-1] == by_epochs.y[-1] == 0.4
    assert by_epochs.x[-1] == 6
    assert by_time.x[-1] == pytest.approx(30)


def test_what_a_network_without_a_finite_loss_answers_is_no_accuracy(tmp_path: Path) -> None:
    lost = trial([epoch(float("nan"), 1.0, 0.9)], lr=0.1, status="STOPPED", stop_reason="diverged")
    results = analysis.load(write_sweep(tmp_path / "a", [lost, trial([epoch(1.0, 1.0, 0.4)])]))
    assert figures.best_so_far_sentence(results).startswith("The best validation accuracy, 0.4000,")


def test_of_the_first_epoch_nothing_is_said_of_before(tmp_path: Path) -> None:
    results = analysis.load(write_sweep(tmp_path / "a", [trial([epoch(1.0, 1.0, 0.4), epoch(1.0, 1.0, 0.3)])]))
    said = figures.best_so_far_sentence(results)
    assert said == "The best validation accuracy, 0.4000, came after 10 s and 1 of 2 epochs."


def test_without_times_there_is_nothing_so_far() -> None:
    drawn = figures.best_so_far(analysis.load(CURVES / "cifar10-cnn"))
    assert "time stored" in drawn.layout.meta["empty"]


def test_the_time_that_a_trial_waited_for_others_is_no_time_at_work(tmp_path: Path) -> None:
    curve = [epoch(1.0, 1.0, 0.4, timestamp=START + timedelta(seconds=s)) for s in (12, 22, 60)]
    went_on = trial(curve, ended=START + timedelta(seconds=61))
    fell = trial([epoch(1.0, 1.0, 0.3)], status="STOPPED", ended=START + timedelta(seconds=60), lr=0.01)
    unlucky = trial([], status="FAILED", ended=START + timedelta(seconds=50), lr=0.02)
    bars = figures.trial_timeline(analysis.load(write_sweep(tmp_path / "a", [went_on, fell, unlucky]))).data
    spans = {bar.name: list(bar.x) for bar in bars if bar.type == "scatter"}
    assert spans == {
        "COMPLETED": [0, 22, None, 50, 61, None],
        "STOPPED": [0, 10, None],
        "FAILED": [20, 50, None],  # the third trial starts 20 s after the first
    }


def funnel(folder: Path) -> analysis.Results:
    def of(n: int, acc: float, **more: object) -> dict:
        return trial([epoch(1.0, 1.0, acc)] * n, **more)

    trials = [of(1, 0.2, status="STOPPED", stop_reason="asha", lr=lr) for lr in (0.01, 0.02, 0.03)]
    trials += [of(1, 0.1, status="FAILED", lr=0.04), of(3, 0.3, status="STOPPED", stop_reason="asha", lr=0.05)]
    trials += [of(2, 0.3, status="STOPPED", stop_reason="gap", lr=0.06), of(9, 0.4, lr=0.07)]
    trials += [of(1, 0.9, status="RUNNING", lr=0.08)]  # it waits at the rung
    return analysis.load(write_sweep(folder, trials, space={"lr": {"uniform": [0.01, 0.1]}}))


def test_the_funnel_counts_who_came_to_each_rung_and_who_was_cut_there(tmp_path: Path) -> None:
    results = funnel(tmp_path / "a")
    on, cut, waits, other = figures.rung_funnel(results).data
    assert on.y == ("epoch 1", "epoch 3", "epoch 9")
    assert (on.x, cut.x, waits.x, other.x) == ((3, 1, 1), (3, 1, 0), (1, 0, 0), (1, 0, 0))
    assert figures.rung_funnel_sentence(results) == (
        "3 of the 8 trials that came to epoch 1 were cut there; 1 came to epoch 9. At epoch 1 the cut ones stood at "
        "0.200 in the median, the others at 0.300."
    )


def test_without_cuts_there_is_no_funnel() -> None:
    assert "ASHA cut no trial" in figures.rung_funnel(analysis.load(CURVES / "cifar10-cnn")).layout.meta["empty"]


def test_slices_draw_every_trial_in_every_panel_and_escape_levels(tmp_path: Path) -> None:
    trials = [
        trial([epoch(1.1 + i / 100, 1.0, 0.5 - i / 100)], lr=0.001 * (1 + i), augment="<b>" if i % 2 else "none")
        for i in range(20)
    ]
    space = {"lr": {"loguniform": [1e-3, 1e-1]}, "augment": {"choice": ["none", "<b>"]}}
    results = analysis.load(write_sweep(tmp_path / "a", trials, space=space))
    drawn = figures.slices(results)
    assert [len(trace.x) for trace in drawn.data] == [20, 20]
    assert drawn.layout.xaxis.type == "log"
    assert drawn.layout.xaxis2.ticktext == ("&lt;b&gt;", "none")
    assert "with that of lr (Spearman's correlation −1.00)" in figures.slices_sentence(results)


def test_slices_of_very_many_trials_are_a_sample(tmp_path: Path) -> None:
    trials = [trial([epoch(1.1, 1.0, 0.5)], lr=1e-5 * (1 + i)) for i in range(2100)]
    results = analysis.load(write_sweep(tmp_path / "a", trials, space={"lr": {"uniform": [0, 1]}}))
    assert len(figures.slices(results).data[0].x) == 2000


def test_slices_name_every_layer_order_however_many(tmp_path: Path) -> None:
    orders = [order for order in VALID_ORDERS if len(order) == 4]
    trials = [trial([epoch(1.0, 1.0, 0.5)], layer_order=order) for order in orders]
    figure = figures.slices(analysis.load(write_sweep(tmp_path / "a", trials)))
    assert figure.layout.xaxis.ticktext == tuple(sorted(orders))


def test_numbers_drawn_from_a_range_stand_on_an_axis_of_numbers_however_few(tmp_path: Path):
    trials = [trial([epoch(1.0, 0.5, 0.5 + lr)], lr=lr, drop_rate=rate) for lr, rate in ((1e-3, 0.1), (1e-2, 0.3))]
    space = {"lr": {"loguniform": [1e-4, 1e-1]}, "drop_rate": {"choice": [0.1, 0.3]}}
    layout = figures.slices(analysis.load(write_sweep(tmp_path / "s", trials, space=space))).layout
    assert layout.xaxis.type == "log"
    assert list(layout.xaxis2.ticktext) == ["0.1", "0.3"]


@pytest.mark.parametrize("lr_of_best", [[0.01, 0.1, 0.01], [0.01, 0.01, 0.01]])
def test_the_best_trials_are_told_by_where_few_others_lie(tmp_path: Path, lr_of_best: list[float]) -> None:
    # Four of twelve have the drop rate of the best three; at least six have their learning rates.
    trials = [trial([epoch(1.0, 1.0, 0.9)], lr=lr, drop_rate=0.5, replicate=k) for k, lr in enumerate(lr_of_best)]
    trials += [
        trial(
            [epoch(1.0, 1.0, 0.5 - k / 100)], lr=(0.01, 0.1)[k % 2], drop_rate=0.5 if k == 0 else 0.1, replicate=k + 3
        )
        for k in range(9)
    ]
    assert "agree most in drop_rate 0.5." in figures.parallel_coordinates_sentence(
        analysis.load(write_sweep(tmp_path / "a", trials))
    )


def test_the_best_trials_that_lie_everywhere_say_so(tmp_path: Path) -> None:
    trials = [trial([epoch(1.0, 1.0, 0.9 - k / 100)], lr=(0.01, 0.1)[k % 2], replicate=k) for k in range(12)]
    assert "no single one decides" in figures.parallel_coordinates_sentence(
        analysis.load(write_sweep(tmp_path / "a", trials))
    )
