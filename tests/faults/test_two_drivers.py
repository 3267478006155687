"""One sweep, two drivers: the second is refused, and a first one that was paused and superseded writes nothing more."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from real_sweeps import RealSweep, check_exactly_once, check_same_numbers, reference_rows
from test_killed_driver import ROWS, STUDY

from sweep.spec import SweepSpec
from sweep.store import SweepInUseError
from sweep.store.folder import LocalFolder
from sweep.tuning.driver import drive
from sweep.tuning.watch import Watch

MakeSweep = Callable[..., RealSweep]


@pytest.mark.slow
def test_a_second_driver_is_refused_and_a_paused_first_one_is_superseded(make_sweep: MakeSweep) -> None:
    sweep = make_sweep(STUDY)
    first = sweep.start()
    sweep.wait_for_rows(first, 4)
    refused = sweep.resume(code=2)
    assert f"pid {first.pid} on host" in refused
    assert "Traceback" not in refused

    paused = sweep.processes()
    for pid in paused:
        os.kill(pid, signal.SIGSTOP)
    second = make_sweep(STUDY, "second")  # a mark of its own for its processes
    second.run("resume", str(sweep.folder), "--take-over")
    done = sweep.tables()[0]
    for pid in paused:
        os.kill(pid, signal.SIGCONT)
    printed, _ = first.communicate(timeout=120)
    assert first.returncode == 2
    assert "a later driver (generation 2) has taken this sweep over" in printed
    epochs, trials = sweep.tables()
    assert len(epochs) == ROWS
    check_exactly_once(epochs, trials)
    pd.testing.assert_frame_equal(epochs, done)
    assert check_same_numbers(epochs, reference_rows(sweep, trials)) == ROWS


def test_a_sweep_that_has_just_been_begun_by_another_driver_is_not_written_over(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "killed-a")
    folder.write("sweep.json", b"of the first one")
    with pytest.raises(SweepInUseError, match="another driver has begun this sweep just now"):
        drive(folder, SweepSpec.load(STUDY), None, address=None, watch=Watch())
    assert folder.read("sweep.json") == b"of the first one"
