"""The front between accuracy and gap, on planted configurations."""

from pathlib import Path

import analysis
from analysis import figures
from tests.planted_sweep import epoch, trial, write_sweep


def planted(folder: Path, *points: tuple[float, float, str]) -> analysis.Results:
    """Configurations of one trial: accuracy, gap, status and after a space its stop reason."""
    return analysis.load(
        write_sweep(
            folder,
            [
                trial(
                    [epoch(1.0 + gap, 1.0, acc)],
                    status=ended.partition(" ")[0],
                    stop_reason=ended.partition(" ")[2] or None,
                    lr=0.1 / (place + 1),
                    configuration_id=f"c{place}",
                )
                for place, (acc, gap, ended) in enumerate(points)
            ],
        )
    )


def test_the_front_holds_what_nothing_beats_in_both_and_no_cut_configuration(tmp_path: Path) -> None:
    results = planted(
        tmp_path / "s",
        (0.500, 0.10, "COMPLETED"),
        (0.600, 0.40, "COMPLETED"),
        (0.595, 0.15, "COMPLETED"),
        (0.590, 0.20, "COMPLETED"),  # beaten by the one before
        (0.700, 0.01, "STOPPED asha"),  # as few epochs as it had, it would beat them all
        (0.710, 0.01, "STOPPED diverged"),
        (0.100, 0.02, "STOPPED plateau"),  # its own rule says that it has come to its end
    )
    front = next(trace for trace in figures.pareto_front(results).data if trace.name == "front")
    assert list(zip(front.x, front.y, strict=True)) == [(0.02, 0.1), (0.1, 0.5), (0.15, 0.595), (0.4, 0.6)]
    said = figures.pareto_front_sentence(results)
    assert said.startswith("4 of 5 configurations")
    assert "(lr 0.05: 0.6000) has a gap of 0.400 nats; within a point of it, lr 0.0333 (0.5950) has 0.150 nats." in said


def test_of_two_equally_accurate_ones_the_one_with_the_smaller_gap_is_named(tmp_path: Path) -> None:
    results = planted(
        tmp_path / "s", (0.600, 0.40, "COMPLETED"), (0.600, 0.30, "COMPLETED"), (0.600, 0.50, "COMPLETED")
    )
    said = figures.pareto_front_sentence(results)
    assert "The most accurate one (lr 0.05) also has the smallest gap" in said


def test_with_too_few_to_compare_the_figure_says_so(tmp_path: Path) -> None:
    results = planted(tmp_path / "s", (0.5, 0.1, "COMPLETED"), (0.6, 0.2, "STOPPED asha"))
    assert "needs two" in figures.pareto_front(results).layout.meta["empty"]
    assert "Too few" in figures.pareto_front_sentence(results)


def test_the_most_accurate_one_is_always_inside_the_axes(tmp_path: Path):
    points = [(0.103, 0.951), (0.1031, 0.958), (0.1015, 0.962), (0.116, 0.965), (30.0, 0.2)]
    trials = [trial([epoch(1 + gap, 1.0, acc)], lr=0.1 + k) for k, (gap, acc) in enumerate(points)]
    results = analysis.load(write_sweep(tmp_path / "s", trials))
    axis = figures.pareto_front(results).layout.xaxis.range
    assert axis[0] < 0.1015 < 0.116 < axis[1] < 30
    assert "1 extreme value lies beyond the axis" in figures.pareto_front_sentence(results)
