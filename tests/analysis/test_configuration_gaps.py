"""The figure of every configuration's gap."""

from pathlib import Path

from planted_sweep import epoch, trial, write_sweep

import analysis
from analysis import figures


def test_a_gap_beyond_the_axis_is_an_arrow_with_its_value(tmp_path: Path) -> None:
    # The gap is the difference of the first two: 0.1 to 0.8, and 50.
    trials = [trial([epoch(1 + gap, 1.0, 0.5)], lr=gap / 10) for gap in [k / 10 for k in range(1, 9)] + [50.0]]
    at_best, matched = figures.configuration_gaps(analysis.load(write_sweep(tmp_path / "a", trials))).data
    assert at_best.x[-1] == 50
    assert matched.x[-1] < 2
    assert (matched.marker.symbol[-1], matched.text[-1]) == ("triangle-right", "50")
    assert set(matched.marker.symbol[:-1]) == {"circle"}
    assert set(matched.text[:-1]) == {""}
