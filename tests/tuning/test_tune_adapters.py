"""What Tune tells of a trial's worker, and what follows from it."""

from types import SimpleNamespace
from typing import Any

import pytest

from sweep.tuning import hang
from sweep.tuning.drain import Drain
from sweep.tuning.hang import HangWatch
from sweep.tuning.tune_adapters import LedgerCallback


def tune_trial(trial_id: str) -> Any:
    return SimpleNamespace(
        trial_id=f"tune-{trial_id}", config={"trial_id": trial_id}, temporary_state=SimpleNamespace(ray_actor=None)
    )


def test_a_stop_does_not_wait_for_a_trial_that_lost_its_worker() -> None:
    drain, hangs = Drain(), HangWatch(timeout_s=0.0)
    lost, runs = tune_trial("lost"), tune_trial("runs")
    nothing: Any = None
    callback = LedgerCallback(nothing, nothing, nothing, hangs, drain, nothing, nothing, nothing, print)
    hangs.alive(lost)
    drain.begin(["lost", "runs"])
    callback.on_trial_recover(1, [lost, runs], lost)
    assert not drain.done
    drain.ended("runs")
    assert drain.done
    assert hangs.end_hanging() == [], "it has no worker that could hang"


def test_a_driver_that_stood_still_does_not_take_its_trials_for_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(hang.time, "monotonic", lambda: now)
    watch, trial = HangWatch(timeout_s=60.0), tune_trial("a")
    watch.alive(trial)
    now += 50.0  # as after Ctrl-Z and fg
    assert watch.end_hanging() == []
    for _ in range(12):
        now += 5.0
        assert watch.end_hanging() == []
    now += 1.0
    assert watch.end_hanging() == [trial]
