"""The table of a running sweep, drawn from the ledger of a simulated one."""

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from sweep.progress.live_table import LiveTable
from sweep.progress.tally import Tally
from sweep.simulation.recorded_curves import RecordedCurves
from sweep.simulation.simulate import Simulation
from sweep.simulation.virtual_cluster import VirtualCluster
from sweep.spec import SweepSpec

CURVES = RecordedCurves.read(Path(__file__).parents[2] / "benchmarks" / "curves" / "cifar10-dropout")


@pytest.fixture
def spec() -> SweepSpec:
    """Four trials of 30 epochs."""
    kept = {key: value for key, value in CURVES.spec.to_dict().items() if key in ("name", "model", "dataset", "epochs")}
    space = {**CURVES.spec.space, "drop_rate": {"uniform": [0, 0.8]}}
    keys = {"space": space, "scheduler": "none", "search": {"trials": 4}}
    return SweepSpec.load({**kept, **keys}, elsewhere=True)


@pytest.fixture
def simulation(spec: SweepSpec) -> Simulation:
    """Two at once, none of them begun."""
    return Simulation(CURVES, spec, VirtualCluster(2))


def drawn(tally: Tally) -> str:
    """The last picture, without colours."""
    terminal = io.StringIO()
    table = LiveTable(tally, Console(file=terminal, force_terminal=True, color_system=None, width=160))
    table.stop()
    return terminal.getvalue().rpartition(f"{tally.name}: ")[2]


def test_it_shows_who_runs_and_who_is_best(spec: SweepSpec, simulation: Simulation) -> None:
    tally = Tally(spec, simulation.ledger)
    for _ in range(70):  # the first two to their end, the others to epoch 5
        assert simulation.step()
    picture = drawn(tally)
    assert "2/4 trials ended, 2 completed, 2 running" in picture
    running, best = picture.split("best so far")
    records = simulation.ledger.trials.values()
    for record in records:
        described = f"drop_rate={record.configuration['drop_rate']:.3g}"
        assert described in (best if record.has_ended else running.split("running", 2)[-1])
    winner = max((record.best for record in records if record.best), key=lambda row: row["val_acc"])
    assert f"{winner['epoch']}/30" in best
    assert f"{winner['val_acc']:.4f}" in best.strip().splitlines()[1]


def test_the_time_left_is_by_the_pace_so_far(
    spec: SweepSpec, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    tally = Tally(spec, simulation.ledger)
    assert tally.seconds_left() is None
    for _ in range(30):  # of 4 trials of 30 epochs a quarter
        simulation.step()
    now += 100.0
    assert tally.fraction() == pytest.approx(0.25)
    assert tally.seconds_left() == pytest.approx(300.0)
    assert "about 5 min 00 s left" in drawn(tally)
    while simulation.step():
        pass
    assert tally.seconds_left() is None
