"""kill -9 and signals against a real `sweep run`, then `sweep resume`: every epoch once, and the numbers of a run
that was left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest

from analysis import load

STUDY = """
name: killed
model: mlp
model_args: {hidden: [512]}
dataset: digits
epochs: 12
mode: study
replicates: 2
space: {layer_order: {choice: [lbrd, lrbd]}, augment: full}
"""
MARK = "GAPSWEEP_TEST_MARK"
COMPARED = ["trial_id", "epoch", "step", "train_loss", "train_eval_loss", "val_loss", "val_acc", "gap_loss"]


def sweep_command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from sweep.cli.app import main; main()", *arguments]


@pytest.fixture
def environment(data_cache: Path) -> dict[str, str]:
    # The mark tells this test's processes, Ray's included, from those of any other sweep on the machine.
    return {**os.environ, "GAPSWEEP_CACHE": str(data_cache), MARK: uuid4().hex}


def processes(environment: dict[str, str], name: str = "") -> list[int]:
    """Living processes started with this environment whose command line holds `name`."""
    mark = f"{MARK}={environment[MARK]}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # Those of a zombie are empty.
            if mark in (entry / "environ").read_bytes() and name.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def start_and_wait_for_rows(
    study: Path, storage: Path, environment: dict[str, str], rows: int
) -> subprocess.Popen[bytes]:
    """Start `sweep run`; come back when at least `rows` epochs are stored."""
    process = subprocess.Popen(
        sweep_command("run", str(study), "--storage", str(storage)),
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the sweep ended before it could be killed"
        folders = list(storage.glob("killed-*/log"))
        if folders and len(load(folders[0].parent).epochs) >= rows:
            return process
        time.sleep(0.1)
    raise AssertionError(f"no {rows} rows within two minutes")


def resume(storage: Path, environment: dict[str, str]) -> Path:
    (sweep_dir,) = storage.glob("killed-*")
    done = subprocess.run(
        sweep_command("resume", str(sweep_dir)), env=environment, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return sweep_dir


def epochs_of(sweep_dir: Path) -> pd.DataFrame:
    epochs = pd.read_parquet(sweep_dir / "epochs.parquet")
    return epochs.sort_values(["trial_id", "epoch"], ignore_index=True)


def test_a_killed_sweep_resumes_with_every_epoch_once_and_the_same_numbers(
    study: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    whole = subprocess.run(
        sweep_command("run", str(study), "--storage", str(tmp_path / "whole")), env=environment, timeout=180
    )
    assert whole.returncode == 0
    process = start_and_wait_for_rows(study, tmp_path / "cut", environment, rows=8)
    process.kill()
    process.wait()
    (sweep_dir,) = (tmp_path / "cut").glob("killed-*")
    before = load(sweep_dir).epochs
    assert 8 <= len(before) < 48
    assert resume(tmp_path / "cut", environment) == sweep_dir

    (whole_dir,) = (tmp_path / "whole").glob("killed-*")
    epochs = epochs_of(sweep_dir)
    assert len(epochs) == 48
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    pd.testing.assert_frame_equal(epochs[COMPARED], epochs_of(whole_dir)[COMPARED], check_exact=True)
    # What was acknowledged before the kill is what is there now, times included.
    kept = epochs.merge(before[["trial_id", "epoch", "timestamp"]], on=["trial_id", "epoch", "timestamp"])
    assert len(kept) == len(before)
    trials = pd.read_parquet(sweep_dir / "trials.parquet")
    assert set(trials["status"]) == {"COMPLETED"}
    assert trials["attempts"].max() == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_sweep_says_how_to_go_on_and_leaves_no_process(
    study: Path, tmp_path: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    process = start_and_wait_for_rows(study, tmp_path, environment, rows=4)
    assert len(processes(environment)) > 2
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number
    (sweep_dir,) = tmp_path.glob("killed-*")
    assert load(sweep_dir).manifest["state"] == "INTERRUPTED"
    assert "RUNNING" in set(pd.read_parquet(sweep_dir / "trials.parquet")["status"])
    time.sleep(1)
    assert processes(environment) == []
    resume(tmp_path, environment)
    assert len(epochs_of(sweep_dir)) == 48


def test_killed_workers_are_started_again_and_their_trials_lose_no_epoch(
    study: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    process = start_and_wait_for_rows(study, tmp_path, environment, rows=4)
    pids = processes(environment, name="ray::ImplicitFunc")  # Tune's trial workers
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=180) == 0
    (sweep_dir,) = tmp_path.glob("killed-*")
    epochs = epochs_of(sweep_dir)
    assert len(epochs) == 48
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    trials = pd.read_parquet(sweep_dir / "trials.parquet")
    assert set(trials["status"]) == {"COMPLETED"}
    assert trials["attempts"].max() == 2
    assert epochs["attempt"].max() == 2
